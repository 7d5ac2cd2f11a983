"""Of what the paper quotes figures, as far as the settings and the plan of a run depend on it."""

import csv
from functools import cache
from pathlib import Path

from fersnet.project import CONFIG

QUOTED = CONFIG / "reported.csv"
RECOGNITION = "fer"
"""The table of recognition methods."""


@cache
def quoted_rows(path: Path = QUOTED) -> frozenset[tuple[str, str, str]]:
    """Table, dataset and method key of every quoted figure; none outside a checkout, where no table quotes anything."""
    if not path.is_file():
        return frozenset()
    with path.open(newline="", encoding="utf-8") as file:
        return frozenset((row["table"], row["dataset"], row["method_key"]) for row in csv.DictReader(file))


def quoted_keys() -> tuple[set[str], set[str]]:
    """Methods and datasets of which the paper has figures, whether or not anything here can run them."""
    rows = quoted_rows()
    return {row[2] for row in rows}, {row[1] for row in rows}
