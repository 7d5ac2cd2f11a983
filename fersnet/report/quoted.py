"""The figures that the paper quotes or reports, read from `config/reported.csv` and `config/sequence_counts.csv`.

They stand beside the re-run figures and are never overwritten by one, nor do they fill in for one.
"""

from pathlib import Path

import pandas as pd

from fersnet.errors import UserError
from fersnet.expressions import SEVEN
from fersnet.report.units import read_unit

COLUMNS = ("table", "dataset", "method", "pretrained", "setting", "accuracy", "unit", "method_key", "protocol")
_ROUNDING = 0.0101
"""How far a share may lie from the quoted figure: some of the paper's are rounded, some cut off."""


def read_quoted(path: Path) -> pd.DataFrame:
    """The paper's tables of accuracies, a row per table (`fer`, `synthesis`, `ablation`), dataset and method.

    Returns:
        `table, dataset, name` (as printed in the paper)`, pretrained, setting, reported` (percent)`, unit` (what it is
        a share of, see `read_unit`; empty where that is not known)`, method` (key)`, protocol` (how the quoted figure
        came about).

    Raises:
        UserError: if the file is missing, lacks a column, holds no percentage, names a method twice, or has a unit in
            another form or one whose share is another figure.
    """
    frame = _read(path, COLUMNS, dtype=str)
    accuracy = pd.to_numeric(frame["accuracy"], errors="coerce")
    if not accuracy.between(0, 100).all():
        row = frame.index[~accuracy.between(0, 100)][0]
        raise UserError(f"{path}: line {row + 2}: accuracy {frame.at[row, 'accuracy']!r} is not a percentage")
    twice = frame.duplicated(["table", "dataset", "method_key"])
    if twice.any():
        row = frame.index[twice][0]
        raise UserError(f"{path}: line {row + 2}: {frame.at[row, 'method_key']} is already quoted in this table")
    for row, (text, figure) in enumerate(zip(frame["unit"], accuracy, strict=True), start=2):
        try:
            share = read_unit(text).share if text else None
        except ValueError as error:
            raise UserError(f"{path}: line {row}: unit {error}") from None
        if share is not None and abs(share - figure) > _ROUNDING:
            raise UserError(f"{path}: line {row}: unit {text!r} is {share:.2f} %, the accuracy is {figure:g}")
    frame = frame.rename(columns={"method": "name", "method_key": "method"})
    frame["reported"] = accuracy
    return frame.drop(columns="accuracy")


def read_published_counts(path: Path) -> pd.DataFrame:
    """The paper's sequence counts: index `dataset`, a column per expression and `total`; NaN where the set has none.

    Raises:
        UserError: if the file is missing or lacks a column.
    """
    frame = _read(path, ("dataset", *SEVEN, "total")).set_index("dataset")
    return frame.apply(pd.to_numeric, errors="coerce")


def _read(path: Path, columns: tuple[str, ...], dtype: type | None = None) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype=dtype, keep_default_na=dtype is None)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; restore it from the repository") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a readable CSV file ({error})") from None
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: column {missing[0]!r} is missing; restore the file from the repository")
    return frame
