"""How many subjects the trees of rendered faces have names for."""

from fersnet.errors import UserError
from fersnet.settings.data import EmbeddedSettings

LARGEST = {"ckplus": 900, "oulu_casia": 999, "mmi": 900, "bu4dfe": 999}
"""By reader."""


def check_subjects(reader: str, settings: EmbeddedSettings) -> None:
    """Check that a rendered dataset has a name for every subject.

    Raises:
        UserError: if it has more subjects than names.
    """
    if settings.subjects > LARGEST[reader]:
        raise UserError(
            f"embedded.subjects: {settings.subjects} is more than the {LARGEST[reader]} that {reader} can name"
        )
