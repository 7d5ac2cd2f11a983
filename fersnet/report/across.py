"""The table of trainings across datasets: each set is tested by networks that have seen the other sets alone."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from fersnet.report.description import RunDescription
from fersnet.report.files import read_predictions
from fersnet.report.rows import (
    PLACE,
    SCORE,
    Row,
    count_words,
    difference_columns,
    frame_of,
    percent,
    place_of,
    recognition_columns,
)
from fersnet.report.statistics import paired_difference, recognition_scores, sequence_predictions
from fersnet.report.table import Table, columns
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings
from fersnet.settings.tree import CROSS

_JUDGED = ("frame_accuracy", "uar", "macro_f1", "n_sequences", "n_frames", "repeats")
_WITHIN = ("within", "difference", "difference_low", "difference_high")


def read_across(paths: Iterable[Path]) -> pd.DataFrame:
    """Files `predictions/cross/{method}/fold{k}.parquet` in one frame, `dataset` being the one that was tested."""
    frame = read_predictions(paths)
    # The joined faces are named <dataset>/<name>.
    return frame.assign(dataset=frame["sequence_id"].astype(str).str.partition("/")[0])


def cross_table(
    across: pd.DataFrame,
    predictions: pd.DataFrame,
    description: RunDescription,
    settings: ReportSettings,
    methods: Sequence[str],
) -> Table:
    """A row for every method on every set, and on all of them together.

    Args:
        across: As `read_across` returns them.
        predictions: Those of the subject-wise folds, as `read_predictions` returns them.
        methods: In the order of the rows.
    """
    sets = tuple(description.folds)
    told = replace(
        description,
        folds=dict.fromkeys((*sets, CROSS), len(sets)),
        fold_scheme="leave_one_set_out",
        listed=(),
        embedded={**description.embedded, CROSS: all(description.embedded[key] for key in sets)},
        names={**description.names, CROSS: "All sets"},
    )
    within = predictions.assign(
        **{column: predictions["dataset"] + "/" + predictions[column] for column in ("sequence_id", "subject")}
    )
    rows = []
    for dataset in (*sets, CROSS):
        for method in methods:
            pair = [_part(frame, dataset, method) for frame in (across, within)]
            if not pair[0].empty:
                trained_on = ", ".join(told.name_of(key) for key in sets if key != dataset) if dataset in sets else ""
                row = place_of(method, dataset, told) | {"trained_on": trained_on}
                rows.append(row | _judged(pair[0], pair[1], (dataset, method), told, settings))
    frame = frame_of(rows, [*PLACE, "trained_on", "reported", *SCORE, *_JUDGED, *_WITHIN], told)
    own = frame[frame["dataset"] != CROSS]
    return Table(
        CROSS,
        frame,
        "Recognition accuracy (%) on a dataset of which the network has seen no face",
        told.words(sets, f"n = {count_words(own, 'n_sequences', 'sequences', told)}"),
        (
            "Each network is trained on all sets but the one that it is tested on, in the expressions that all sets "
            f"have. `accuracy`: sequence accuracy with a {100 * settings.confidence:g} % bootstrap interval over "
            "subjects. `within`: what the same method reads of the same sequences where it is trained on other people "
            "of the set itself, in all of that set's classes; `difference`: accuracy minus that, with the interval of "
            "the paired bootstrap.",
        ),
        columns=columns(
            *("dataset_name", "name", "accuracy", "ci_low", "ci_high", "frame_accuracy", "uar", "macro_f1", "within"),
            *("difference", "difference_low", "difference_high", "n_sequences"),
        ),
        best=("accuracy",),
        group="dataset",
        needed=("name", "accuracy", "within", "difference", "n_sequences"),
    )


def _part(frame: pd.DataFrame, dataset: str, method: str) -> pd.DataFrame:
    chosen = frame[(frame["method"] == method) & ((frame["dataset"] == dataset) | (dataset == CROSS))]
    # A class that a network does not know has no probability.
    return chosen.fillna({column: 0.0 for column in chosen if column.startswith("p_")})


def _judged(
    across: pd.DataFrame,
    within: pd.DataFrame,
    place: tuple[str, str],
    description: RunDescription,
    settings: ReportSettings,
) -> Row:
    options = (settings.bootstrap_samples, settings.confidence)
    scores = recognition_scores(across, *options, derive_seed(description.seed, "bootstrap", CROSS, *place))
    row = recognition_columns(scores)
    same = within[within["sequence_id"].isin(across["sequence_id"])]
    if same.empty:
        return row
    seed = derive_seed(description.seed, "bootstrap", "difference", CROSS, *place)
    row["within"] = percent(sequence_predictions(same)["correct"].mean())
    return row | difference_columns(*paired_difference(across, same, *options, seed))
