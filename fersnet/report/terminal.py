"""Tables on the terminal."""

from pathlib import Path

from fersnet.report.table import read_json


def print_table(path: Path) -> None:
    """Print a table of `tables/*.json` as wide as it needs.

    Raises:
        UserError: if the file is missing or no such table.
    """
    from rich.console import Console
    from rich.table import Table

    written = read_json(path)
    table = Table(title=written.caption, caption=written.provenance, title_justify="left", caption_justify="left")
    for column in written.columns:
        table.add_column(column.heading)
    for row in written.cells():
        table.add_row(*(cell.text for cell in row))
    width = max(Console().width, 160)
    Console(width=width).print(table)
