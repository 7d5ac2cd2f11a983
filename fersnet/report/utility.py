"""The table of what synthetic faces are worth: one recogniser trained with none, and with those of each system."""

import numpy as np
import pandas as pd

from fersnet.report.description import RunDescription
from fersnet.report.files import training_cost
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
from fersnet.report.statistics import paired_difference, recognition_scores
from fersnet.report.table import Column, Table, columns
from fersnet.seeds import derive_seed
from fersnet.settings.quoted import RECOGNITION
from fersnet.settings.report import ReportSettings
from fersnet.settings.utility import PREFIX

NONE = "none"
"""Printed in the place of a system, of the recogniser that is trained on real faces alone."""


def by_system(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of recognisers that are trained with a system's faces, under the system's own key in `method`."""
    return frame.assign(method=frame["method"].astype(str).str.removeprefix(PREFIX))


def recogniser_notes(predictions: pd.DataFrame, description: RunDescription) -> tuple[str, ...]:
    """What is to be said of such rows in a recognition table.

    Args:
        predictions: As `read_predictions` returns them, before `by_system`.
    """
    keys = [key for key in predictions["method"].astype(str).unique() if key.startswith(PREFIX)]
    return tuple(
        f"{description.name_of(key.removeprefix(PREFIX))} draws faces; its re-run row is a recogniser that is trained "
        f"with them, too: {description.name_of(key)}, as in the table `utility`."
        for key in keys
    )


def utility_table(
    predictions: pd.DataFrame,
    made: pd.DataFrame,
    quoted: pd.DataFrame,
    jobs: pd.DataFrame,
    description: RunDescription,
    settings: ReportSettings,
    datasets: tuple[str, ...],
    method: str,
) -> Table:
    """A row for no synthetic faces and for those of every system, each system compared with none.

    Args:
        predictions: Of the recogniser and of those that are trained with synthetic faces, in the folds in which these
            are, as `read_predictions` returns them.
        made: Rows of the latter's `augmentation/{dataset}/{method}/fold{k}.csv`, as `read_augmentations` returns them.
        quoted: As `read_quoted` returns them.
        jobs: As `read_training_jobs` returns them.
        datasets: In the order of the table.
        method: Key of the recogniser.
    """
    # Of FERSNet and its variants the paper quotes what they recognise themselves.
    systems = quoted[(quoted["table"] == RECOGNITION) & ~quoted["method"].str.startswith("fersnet")]
    paper = systems.set_index(["dataset", "method"])["reported"].to_dict()
    rows = []
    for dataset in datasets:
        here = predictions[predictions["dataset"] == dataset].dropna(axis=1, how="all")
        trained = {str(key): frame for key, frame in here.groupby("method", sort=False)}
        for key, frame in trained.items():
            row = place_of(key.removeprefix(PREFIX), dataset, description)
            row |= {"name": NONE} if key == method else {}
            row |= _read(frame, trained[method], key, dataset, description, settings)
            row |= _drawn(made[(made["dataset"] == dataset) & (made["method"] == key)]) if key != method else {}
            row["reported"] = paper.get((dataset, row["method"]), np.nan)
            row["core_hours"], row["gpu_hours"] = training_cost(jobs, dataset, key)
            rows.append(row)
    measures = (*SCORE, "frame_accuracy", "uar", "macro_f1", "difference", "difference_low", "difference_high")
    measures += ("n_synthetic", "read_as_target", "n_sequences", "n_frames", "n_subjects", "tested_folds", "repeats")
    frame = frame_of(rows, [*PLACE, "reported", *measures, "core_hours", "gpu_hours"], description)
    return Table(
        "utility",
        frame,
        f"Utility of synthetic faces: recognition accuracy (%) of {description.name_of(method)} trained with them",
        description.words(datasets, f"n = {count_words(frame, 'n_sequences', 'sequences', description)}"),
        (
            "One and the same recogniser, trained on the real faces of the training subjects alone (`none`), and on "
            "these and a system's synthetic ones, which it made of them. All take the same number of steps and are "
            "tested on the same sequences. `difference`: accuracy minus that of `none`, with a "
            f"{100 * settings.confidence:g} % interval of the paired bootstrap over subjects.",
            "`n synthetic`: faces per training; contempt is drawn by no system. `Read as target`: share of them in "
            "which the recogniser of `none` reads what they are to show; the others are noise in the labels, unless it "
            "errs. `reported` is quoted from the paper, and has another recogniser, split and amount.",
        ),
        columns=(
            *columns("dataset_name"),
            Column("name", "Synthetic faces of", "text"),
            *columns("reported", "accuracy", "ci_low", "ci_high", "difference", "difference_low", "difference_high"),
            *columns("frame_accuracy", "uar", "n_synthetic", "read_as_target", "core_hours", "n_sequences"),
        ),
        best=("accuracy",),
        group="dataset",
        needed=("name", "accuracy", "difference", "n_synthetic", "read_as_target"),
    )


def _read(
    frame: pd.DataFrame,
    without: pd.DataFrame,
    key: str,
    dataset: str,
    description: RunDescription,
    settings: ReportSettings,
) -> Row:
    """What a recogniser reads, and how that differs from what the one without synthetic faces does."""
    options = (settings.bootstrap_samples, settings.confidence)
    seed = derive_seed(description.seed, "bootstrap", "utility", dataset, key)
    row = recognition_columns(recognition_scores(frame, *options, seed))
    row["n_subjects"] = frame["subject"].nunique()
    row["tested_folds"] = " ".join(map(str, sorted(frame["fold"].unique())))
    if frame is not without:
        row |= difference_columns(*paired_difference(frame, without, *options, seed))
    return row


def _drawn(made: pd.DataFrame) -> Row:
    """How many faces a system gave a training, and what share of all that it drew shows the target."""
    trainings = made[["repeat", "fold"]].drop_duplicates()
    if trainings.empty:
        return {"n_synthetic": 0}
    kept = made["kept"].astype(str) == "True"
    return {
        "n_synthetic": round(float(kept.sum() / len(trainings))),
        "read_as_target": percent(float((made["predicted"] == made["target"]).mean())),
    }
