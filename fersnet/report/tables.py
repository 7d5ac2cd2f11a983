"""The recognition tables of the paper, re-run figures beside the quoted ones: sequence counts, methods, ablation.

Each function takes data frames and returns a `Table`. Every figure can be recomputed from `predictions/`. Figures of
accuracy are percent; a method that has not been re-run keeps its row with an empty `accuracy`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fersnet.expressions import SEVEN
from fersnet.report.description import RunDescription
from fersnet.report.files import training_cost
from fersnet.report.statistics import RecognitionScores, paired_difference, paired_mcnemar, recognition_scores
from fersnet.report.writing import Table
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

REFERENCE_METHOD = "fersnet"
"""The method that every other one is tested against."""
COUNTS = {"n_sequences": "Int64", "n_frames": "Int64", "repeats": "Int64"}
"""Columns that are whole numbers, or empty where a method was not re-run."""
ABLATION_METHODS = ("fersnet_without_mtl", "fersnet_without_convflu", "fersnet", "fersnet_fes_da")


def percent(fraction: float) -> float:
    """A fraction as percent, to four decimals."""
    return round(100 * fraction, 4)


def datasets_table(indexes: Mapping[str, pd.DataFrame], published: pd.DataFrame, description: RunDescription) -> Table:
    """The paper's table of sequence counts, with the published count and the difference from it.

    Args:
        indexes: By dataset, the rows of `index.parquet`.
        published: Counts of the paper by dataset, as `read_published_counts` returns them.
    """
    rows = []
    for dataset, index in indexes.items():
        counts = index["expression"].value_counts()
        row: dict[str, object] = {"method": "", "name": description.name_of(dataset), "dataset": dataset}
        known = published.loc[dataset] if dataset in published.index else pd.Series(dtype=float)
        for expression in SEVEN:
            # An expression that neither this copy nor the paper's has is a dash in the paper: empty here.
            absent = expression not in counts and pd.isna(known.get(expression, np.nan))
            row[expression] = pd.NA if absent else int(counts.get(expression, 0))
        row |= {"total": len(index), "subjects": index["subject"].nunique()}
        for column in (*SEVEN, "total"):
            count = known.get(column, np.nan)
            row[f"published_{column}"] = pd.NA if pd.isna(count) else int(count)
        total = known.get("total", np.nan)
        row["difference"] = pd.NA if pd.isna(total) else len(index) - int(total)
        row |= {"reported": row["published_total"], "accuracy": np.nan, "ci_low": np.nan, "ci_high": np.nan}
        rows.append(row | {"n_sequences": len(index)} | description.columns(dataset))
    frame = pd.DataFrame(rows)
    integers = [*SEVEN, "total", "subjects", *(f"published_{c}" for c in (*SEVEN, "total")), "difference", "reported"]
    frame = frame.astype(dict.fromkeys(integers, "Int64"))
    total = int(frame["total"].sum())
    return Table(
        "datasets",
        frame,
        "Number of sequences by expression",
        description.words(indexes, f"n = {total} sequences", selection=""),
        (
            "`published` is the count in the paper, `difference` this run's total minus it. Embedded data are smaller "
            "by design; a licensed copy that is complete has the difference 0.",
        ),
        display=("name", *SEVEN, "total", "subjects", "published_total", "difference"),
    )


def recognition_table(
    dataset: str,
    predictions: pd.DataFrame,
    quoted: pd.DataFrame,
    jobs: pd.DataFrame,
    description: RunDescription,
    settings: ReportSettings,
) -> Table:
    """The recognition table of one dataset: the paper's rows in its order, then methods that only this run has.

    Args:
        predictions: All methods' predictions as `read_predictions` returns them; other datasets' rows are ignored.
        quoted: As `read_quoted` returns them.
        jobs: As `read_jobs` returns them; the source of the training cost.
    """
    by_method = _by_method(predictions, dataset)
    rows = []
    for method, row in _paper_rows("fer", dataset, quoted, list(by_method), description).items():
        own = by_method.get(method)
        if own is not None:
            row["setting"] = row["setting"] or _setting(own)
        started = "yes" if method in description.pretrained_on else "no"
        row["rerun_pretrained"] = "" if own is None else started
        scores = _scores(own, dataset, method, description, settings)
        row |= _score_columns(scores, image_setting=row["setting"] != "image sequence")
        row |= _against_reference(by_method, dataset, method, description, settings)
        # A method that is quoted here may have been trained as a synthesis system only.
        cost = (np.nan, np.nan) if own is None else training_cost(jobs, dataset, method)
        row["core_hours"], row["gpu_hours"] = cost
        rows.append(row | description.columns(dataset))
    frame = pd.DataFrame(rows).astype(COUNTS)
    n = frame["n_sequences"].max()
    return Table(
        f"fer_{dataset}",
        frame,
        f"Recognition accuracy (%) on {description.name_of(dataset)}",
        description.words([dataset], f"n = {0 if pd.isna(n) else int(n)} sequences"),
        (
            "`reported` is quoted from the paper, `accuracy` this run's sequence accuracy pooled over folds with a "
            f"{100 * settings.confidence:g} % bootstrap interval over subjects; empty where the method was not re-run. "
            "`difference`: accuracy minus FERSNet's, with the interval of the paired bootstrap. `mcnemar_p`: exact "
            "paired test against FERSNet, not corrected for the number of methods.",
            "Quoted figures follow different protocols (column `protocol` of the csv file) and are not comparable "
            "with each other or with the re-run ones without it. `pretrained` is what the paper says of the quoted "
            "figure, `rerun_pretrained` whether this run trained the method on another dataset first.",
        ),
        display=(
            *("name", "setting", "pretrained", "reported", "rerun_pretrained", "accuracy", "ci_low", "ci_high"),
            *("frame_accuracy", "uar", "macro_f1", "difference", "mcnemar_p", "core_hours", "n_sequences"),
        ),
        best=("reported", "accuracy"),
    )


def ablation_table(
    predictions: pd.DataFrame,
    quoted: pd.DataFrame,
    jobs: pd.DataFrame,
    description: RunDescription,
    settings: ReportSettings,
    datasets: tuple[str, ...],
    methods: tuple[str, ...] = ABLATION_METHODS,
) -> Table:
    """The ablation: FERSNet's variants on every recognition dataset, each tested against plain FERSNet.

    Args:
        datasets: Recognition datasets in the order of the table.
        methods: Rows of the table besides the paper's; those of the paper that were not run stay, empty.
    """
    rows = []
    for dataset in datasets:
        by_method = _by_method(predictions, dataset)
        here = [method for method in methods if method in by_method]
        for method, row in _paper_rows("ablation", dataset, quoted, here, description).items():
            scores = _scores(by_method.get(method), dataset, method, description, settings)
            row |= _score_columns(scores, image_setting=True)
            row |= _against_reference(by_method, dataset, method, description, settings)
            row["core_hours"], row["gpu_hours"] = training_cost(jobs, dataset, method)
            rows.append(row | description.columns(dataset))
    frame = pd.DataFrame(rows).astype(COUNTS)
    counts = frame.groupby("dataset", sort=False)["n_sequences"].max().dropna()
    n = ", ".join(f"{int(count)} sequences ({description.name_of(dataset)})" for dataset, count in counts.items())
    return Table(
        "ablation",
        frame,
        "Ablation study: recognition accuracy (%)",
        description.words(datasets, f"n = {n or '0 sequences'}"),
        (
            "`reported` is the paper's figure, `accuracy` this run's sequence accuracy pooled over folds with a "
            f"{100 * settings.confidence:g} % bootstrap interval over subjects. `difference`: accuracy minus "
            "FERSNet's, with the interval of the paired bootstrap. `mcnemar_p`: exact paired test against FERSNet.",
        ),
        display=(
            *("dataset_name", "name", "reported", "accuracy", "ci_low", "ci_high", "frame_accuracy", "uar"),
            *("macro_f1", "difference", "mcnemar_p", "core_hours", "n_sequences"),
        ),
        best=("reported", "accuracy"),
        group="dataset",
    )


def scores_by_method(
    predictions: pd.DataFrame, dataset: str, description: RunDescription, settings: ReportSettings
) -> dict[str, RecognitionScores]:
    """Figures of every method that was run on a dataset; the source of the ranking and ablation figures, too."""
    by_method = _by_method(predictions, dataset)
    return {method: _scores(frame, dataset, method, description, settings) for method, frame in by_method.items()}


def _by_method(predictions: pd.DataFrame, dataset: str) -> dict[str, pd.DataFrame]:
    here = predictions[predictions["dataset"] == dataset]
    # Classes that another dataset has and this one lacks leave columns without a value.
    return {str(method): frame.dropna(axis=1, how="all") for method, frame in here.groupby("method", sort=True)}


def _scores(
    frame: pd.DataFrame | None, dataset: str, method: str, description: RunDescription, settings: ReportSettings
) -> RecognitionScores | None:
    if frame is None:
        return None
    seed = derive_seed(description.seed, "bootstrap", dataset, method)
    return recognition_scores(frame, settings.bootstrap_samples, settings.confidence, seed)


def _paper_rows(
    table: str, dataset: str, quoted: pd.DataFrame, run: list[str], description: RunDescription
) -> dict[str, dict[str, object]]:
    """The first columns of each row by method: the paper's rows in its order, then the run's own."""
    rows: dict[str, dict[str, object]] = {}
    for row in quoted[(quoted["table"] == table) & (quoted["dataset"] == dataset)].to_dict("records"):
        rows[row["method"]] = {key: row[key] for key in ("name", "reported", "pretrained", "setting", "protocol")}
    own = "not in the paper's table"
    for method in run:
        name = description.name_of(method)
        rows.setdefault(method, {"name": name, "reported": np.nan, "pretrained": "", "setting": "", "protocol": own})
    order = ("method", "name", "dataset", "dataset_name")
    return {
        method: dict(zip(order, (method, row["name"], dataset, description.name_of(dataset)), strict=True)) | row
        for method, row in rows.items()
    }


def _setting(frame: pd.DataFrame) -> str:
    """Whether a method read frames or, for which `frame` is -1, whole sequences."""
    return "image sequence" if (frame["frame"] == -1).all() else "single image"


def _score_columns(scores: RecognitionScores | None, image_setting: bool) -> dict[str, object]:
    columns = ("accuracy", "ci_low", "ci_high", "frame_accuracy", "uar", "macro_f1")
    if scores is None:
        return dict.fromkeys(columns, np.nan) | dict.fromkeys(COUNTS, pd.NA)
    figures = (scores.accuracy, scores.interval.low, scores.interval.high, scores.frame_accuracy, scores.uar)
    row: dict[str, object] = dict(zip(columns, map(percent, (*figures, scores.macro_f1)), strict=True))
    if not image_setting:
        row["frame_accuracy"] = np.nan  # One answer per sequence: there is no frame to judge.
    return row | {"n_sequences": scores.n_sequences, "n_frames": scores.n_frames, "repeats": scores.repeats}


def _against_reference(
    by_method: Mapping[str, pd.DataFrame],
    dataset: str,
    method: str,
    description: RunDescription,
    settings: ReportSettings,
) -> dict[str, float]:
    columns = ("difference", "difference_low", "difference_high", "mcnemar_p")
    if method == REFERENCE_METHOD or method not in by_method or REFERENCE_METHOD not in by_method:
        return dict.fromkeys(columns, float("nan"))
    pair = by_method[method], by_method[REFERENCE_METHOD]
    seed = derive_seed(description.seed, "bootstrap", "difference", dataset, method)
    difference, interval = paired_difference(*pair, settings.bootstrap_samples, settings.confidence, seed)
    p = float(f"{paired_mcnemar(*pair):.6g}")
    return dict(zip(columns, (*map(percent, (difference, interval.low, interval.high)), p), strict=True))
