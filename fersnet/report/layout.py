"""How a table is laid out where not every printed column has room: what comes first, what shares a cell, what heads a
group of rows."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fersnet.report.table import Column, Table

INTERVALS: dict[str, tuple[str, str]] = {
    "accuracy": ("ci_low", "ci_high"),
    "difference": ("difference_low", "difference_high"),
    "sequence_difference": ("sequence_low", "sequence_high"),
    "optimism": ("optimism_low", "optimism_high"),
    "person": ("person_low", "person_high"),
}
"""Columns that stand in one cell with the ends of their interval."""


def is_needed(table: Table, column: Column) -> bool:
    """Whether a column is among those that a reader needs first."""
    return not table.needed or column.key in table.needed


def interval_ends(table: Table) -> set[str]:
    """Columns that are the end of another one's interval."""
    return {end for key, pair in INTERVALS.items() if table.has(key, *pair) for end in pair}


def interval_words(row: Mapping[Any, Any], column: Column, ends: set[str]) -> str:
    """A cell's interval in brackets, where the column has one whose ends are not columns of their own."""
    low, high = INTERVALS.get(column.key, ("", ""))
    if low not in ends or pd.isna(row[low]) or pd.isna(row[column.key]):
        return ""
    return f" ({column.text_of(row[low])} to {column.text_of(row[high])})"


def group_column(table: Table) -> str:
    """Column whose value heads each group of rows; empty where there are none."""
    return "dataset_name" if table.group == "dataset" else table.group or ""
