"""What a set says of its people, in a CSV file beside its pictures."""

import csv
from collections.abc import Collection
from pathlib import Path

from fersnet.datasets.sequences import IndexBuilder
from fersnet.datasets.walk import Tree, join

MAXIMUM_BYTES = 4_000_000


def side_tables(tree: Tree, depth: int, names: Collection[str]) -> list[str]:
    """Files of these names (in lower case) below a root, relative to it."""
    return [
        join(folder, name) for folder, listing in tree.below(depth) for name in listing.files if name.lower() in names
    ]


def read_side_table(
    builder: IndexBuilder, tree: Tree, paths: list[str], columns: Collection[str]
) -> list[dict[str, str]]:
    """The rows of the first file that has the columns, cells stripped; a file that cannot be read is noted."""
    for path in paths:
        rows = _rows(tree.root / path)
        if rows and set(columns) <= set(rows[0]):
            return rows
        builder.reject("", path, f"not a CSV file with the columns {', '.join(columns)}; it is not used")
    return []


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            return []
        with path.open(newline="", encoding="utf-8-sig") as lines:
            return [
                {
                    str(name).strip(): (value or "").strip()
                    for name, value in row.items()
                    if isinstance(value, str | None)
                }
                for row in csv.DictReader(lines)
            ]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def whole_years(text: str) -> int | None:
    """An age, or None where a cell holds none."""
    try:
        years = float(text)
    except ValueError:
        return None
    return int(years) if 0 < years < 130 else None


def sex_of(text: str) -> str | None:
    """`female` or `male` as sets spell it; None for anything else."""
    return {"f": "female", "female": "female", "m": "male", "male": "male"}.get(text.casefold())
