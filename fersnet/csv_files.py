"""Reading the CSV files that a run writes, in which names are text whatever they look like."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

TEXT = frozenset(
    {
        *("sequence_id", "subject", "expression", "source_expression", "target", "predicted", "stage", "rule"),
        *("method", "name", "dataset", "dataset_name", "run", "run_id", "job_key", "status", "device", "reason"),
        *("data", "selection", "fold_scheme", "setting", "pretrained", "rerun_pretrained", "protocol"),
    }
)
"""Columns of text, in whichever file they stand. A subject called `NA`, `null` or `007` is a subject of that name."""


def read_csv(path: Path, text: Collection[str] = ()) -> "DataFrame":
    """A CSV file as a data frame; empty cells are empty text in columns of text, and missing values in all others.

    Args:
        path: the file.
        text: further columns of text, beside `TEXT`.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no CSV.
    """
    import pandas as pd

    columns = pd.read_csv(path, nrows=0).columns
    words = [column for column in columns if column in TEXT or column in text]
    empty = {column: [""] for column in columns if column not in words}
    return pd.read_csv(path, dtype=dict.fromkeys(words, str), keep_default_na=False, na_values=empty)
