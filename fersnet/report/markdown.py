"""Tables as Markdown: written for readers, and read back by the report page, which is made from files alone."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fersnet.errors import UserError
from fersnet.report.writing import Table, numeric_columns, to_csv, to_latex

_SPECIAL = "\\|*_<>`"


@dataclass(frozen=True)
class Cell:
    """A printed cell."""

    text: str
    bold: bool
    is_number: bool


@dataclass(frozen=True)
class PrintedTable:
    """A table as it is printed."""

    key: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    provenance: str
    notes: tuple[str, ...]
    """May hold `back-ticked` names."""


def escape_markdown(text: str) -> str:
    """Text that stays in its cell of a Markdown table and has no meaning there."""
    return "".join("\\" + character if character in _SPECIAL else character for character in " ".join(text.split()))


def to_markdown(table: Table) -> str:
    """The printed columns under the caption, with provenance and notes below."""
    bold = table.bold()
    lines = [f"**{escape_markdown(table.caption)}**", ""]
    lines.append(_row(map(escape_markdown, table.headings())))
    lines.append(_row("---:" if is_number else ":---" for is_number in numeric_columns(table)))
    for row, cells in enumerate(table.cells()):
        texts = map(escape_markdown, cells)
        lines.append(_row(f"**{text}**" if (row, at) in bold else text for at, text in enumerate(texts)))
    lines += ["", escape_markdown(table.provenance), ""]
    # Notes are written for people: their back-ticked column names are meant as such.
    lines += [line for note in table.notes for line in (note, "")]
    return "\n".join(lines)


def read_markdown(path: Path) -> PrintedTable:
    """Read a table that `to_markdown` wrote.

    Raises:
        UserError: if the file is missing or has another form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the workflow to make it") from None
    grid = [_cells(line) for line in lines if line.startswith("|")]
    if len(grid) < 2 or not lines[0].startswith("**") or any(len(row) != len(grid[0]) for row in grid):
        raise UserError(f"{path}: not a table of this project; delete it and run again")
    numbers = [mark.endswith(":") for mark in grid[1]]
    rows = tuple(
        tuple(
            Cell(_plain(text[2:-2] if text.startswith("**") else text), text.startswith("**"), is_number)
            for text, is_number in zip(row, numbers, strict=True)
        )
        for row in grid[2:]
    )
    below = [line for line in lines[1:] if line and not line.startswith("|")] or [""]
    headings = tuple(map(_plain, grid[0]))
    return PrintedTable(path.stem, _plain(lines[0][2:-2]), headings, rows, _plain(below[0]), tuple(below[1:]))


def write_table(table: Table, folder: Path) -> tuple[Path, Path, Path]:
    """Write `folder/<key>.csv`, `.md` and `.tex`, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    forms = {"csv": to_csv(table), "md": to_markdown(table), "tex": to_latex(table)}
    for suffix, text in forms.items():
        (folder / f"{table.key}.{suffix}").write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder / f"{table.key}.{suffix}" for suffix in forms)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
