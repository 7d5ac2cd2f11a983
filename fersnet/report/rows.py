"""What the rows of all tables share: where they stand, the paper's figures, and how they become a frame."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from fersnet.report.description import RUN_COLUMNS, RunDescription
from fersnet.report.statistics import Interval, RecognitionScores

Row = dict[str, object]

PLACE = ("method", "name", "dataset", "dataset_name")
"""The first columns of every row."""
SCORE = ("accuracy", "ci_low", "ci_high")
_COUNTS = ("n_sequences", "n_frames", "n_images", "n_subjects", "n_synthetic", "repeats", "parameters")
"""Columns that are whole numbers, or empty where a method was not re-run."""


def percent(fraction: float) -> float:
    """A fraction as percent, to four decimals."""
    return round(100 * fraction, 4)


def score_columns(accuracy: float, interval: Interval) -> Row:
    """An accuracy with its interval, in percent."""
    return dict(zip(SCORE, map(percent, (accuracy, interval.low, interval.high)), strict=True))


def recognition_columns(scores: RecognitionScores) -> Row:
    """What a method reached on one dataset: figures in percent, and counts."""
    row = score_columns(scores.accuracy, scores.interval)
    row |= {name: percent(getattr(scores, name)) for name in ("frame_accuracy", "uar", "macro_f1")}
    return row | {name: getattr(scores, name) for name in ("n_sequences", "n_frames", "repeats")}


def difference_columns(difference: float, interval: Interval) -> Row:
    """A difference of two accuracies with its interval, in points of percent."""
    names = ("difference", "difference_low", "difference_high")
    return dict(zip(names, map(percent, (difference, interval.low, interval.high)), strict=True))


def place_of(method: str, dataset: str, description: RunDescription) -> Row:
    """The first columns of a row."""
    names = (method, description.name_of(method), dataset, description.name_of(dataset))
    return dict(zip(PLACE, names, strict=True))


def paper_rows(
    table: str, dataset: str, quoted: pd.DataFrame, run: Iterable[str], description: RunDescription
) -> dict[str, Row]:
    """The beginning of each row by method: the paper's rows in its order, then those of the run's other methods."""
    here = quoted[(quoted["table"] == table) & (quoted["dataset"] == dataset)]
    paper: Mapping[str, Row] = here.drop(columns=["table", "dataset"]).set_index("method").to_dict("index")
    methods = dict.fromkeys((*paper, *run))
    return {method: place_of(method, dataset, description) | paper.get(method, {}) for method in methods}


def frame_of(rows: Iterable[Row], columns: Sequence[str], description: RunDescription) -> pd.DataFrame:
    """Rows under these columns and those that state the run; empty where a row has no such value."""
    told = [description.columns(str(row["dataset"])) | row for row in rows]
    frame = pd.DataFrame(told, columns=[*columns, *RUN_COLUMNS])
    return frame.astype({column: "Int64" for column in _COUNTS if column in frame})


def count_words(frame: pd.DataFrame, column: str, unit: str, description: RunDescription) -> str:
    """The largest count of each dataset in words, e.g. `30 sequences (CK+), 24 sequences (MMI)`."""
    counts = frame.groupby("dataset", sort=False)[column].max().dropna()
    words = [f"{int(count)} {unit} ({description.name_of(dataset)})" for dataset, count in counts.items()]
    return ", ".join(words) or f"0 {unit}"
