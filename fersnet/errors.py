"""The one exception that ends a job with a line for the user instead of a traceback."""


class UserError(Exception):
    """Something the user can put right. The message is one line that names the file or key and the way out."""
