"""Tables on the terminal."""

from pathlib import Path

from fersnet.report.markdown import read_markdown


def print_table(path: Path) -> None:
    """Print a table of `tables/*.md` as wide as it needs.

    Raises:
        UserError: if the file is missing or no such table.
    """
    from rich.console import Console
    from rich.table import Table

    printed = read_markdown(path)
    table = Table(title=printed.caption, caption=printed.provenance, title_justify="left", caption_justify="left")
    for heading in printed.headings:
        table.add_column(heading)
    for row in printed.rows:
        table.add_row(*(cell.text for cell in row))
    width = max(Console().width, 160)
    Console(width=width).print(table)
