"""Reads the files of a run that the tables and figures are made of."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fersnet.csv_files import read_csv
from fersnet.errors import UserError
from fersnet.repeats import repeat_key, split_repeat
from fersnet.tracking import FINISHED, latest_records, read_records

PREDICTION_COLUMNS = ("sequence_id", "subject", "expression", "frame", "predicted")
EVALUATION_COLUMNS = (
    "method",
    "sequence_id",
    "subject",
    "source",
    "expression",
    "target",
    "predicted",
    "ssim",
    "psnr",
    "identity_cosine",
)
AUGMENTATION_COLUMNS = ("sequence_id", "subject", "target", "predicted", "kept")
SET_COLUMNS = ("method", "kid_fer", "identity_auc", "n")
JOB_COLUMNS = ("rule", "dataset", "method", "fold", "run_id", "status", "seconds", "peak_memory_mb", "device")
TRAINING_RULES = ("train", "pretrain", "fit")
"""How the names of the rules begin that train a method; their time is its training cost."""


def fold_of(path: Path) -> int:
    """The k of `.../fold{k}.parquet`, `.../fold{k}_sets.csv` or `.../fold{k}/history.csv`.

    Raises:
        UserError: if the path has another shape.
    """
    for part in (path.name, path.parent.name):
        digits = part.removeprefix("fold").split(".")[0].split("_")[0]
        if part.startswith("fold") and digits.isdigit():
            return int(digits)
    raise UserError(f"{path}: expected a file of the form fold<k>")


def read_predictions(paths: Iterable[Path]) -> pd.DataFrame:
    """Files `predictions/{dataset}/{method}/fold{k}.parquet` in one frame, with `dataset, method, repeat, fold`."""
    return _read_by_training(paths, PREDICTION_COLUMNS)


def read_augmentations(paths: Iterable[Path]) -> pd.DataFrame:
    """Files `augmentation/{dataset}/{method}/fold{k}.csv` in one frame, with `dataset, method, repeat, fold`."""
    return _read_by_training(paths, AUGMENTATION_COLUMNS)


def read_systems(paths: Iterable[Path], columns: Sequence[str]) -> pd.DataFrame:
    """Files `evaluation/{dataset}/fold{k}...` in one frame, `method` parted into `method, repeat`."""
    frame = read_by_dataset(paths, columns)
    keys = {key: split_repeat(str(key)) for key in frame["method"].unique()}
    repeat = frame["method"].map({key: repeat for key, (_, repeat) in keys.items()})
    return frame.assign(method=frame["method"].map({key: method for key, (method, _) in keys.items()}), repeat=repeat)


def read_by_dataset(paths: Iterable[Path], columns: Sequence[str]) -> pd.DataFrame:
    """Files `{evaluation,selection,augmentation}/{dataset}/fold{k}...` in one frame, with `dataset, fold` added."""
    parts = [
        read_table(path, columns).assign(dataset=path.parent.name, fold=fold_of(path)) for path in map(Path, paths)
    ]
    return _joined(parts, (*columns, "dataset", "fold"))


def read_histories(paths: Iterable[Path]) -> pd.DataFrame:
    """Files `models/{dataset}/{method}/fold{k}/history.csv` in one frame, with `dataset, method, fold` added."""
    parts = []
    for path in map(Path, paths):
        frame = read_table(path, ("stage", "epoch"))
        method = path.parent.parent
        parts.append(frame.assign(dataset=method.parent.name, method=method.name, fold=fold_of(path)))
    return _joined(parts, ("stage", "epoch", "dataset", "method", "fold"))


def read_jobs(path: Path) -> pd.DataFrame:
    """`jobs.csv`: one row per tracked job."""
    return read_table(path, JOB_COLUMNS, text=("fold",))


def read_training_jobs(results: Path, outcomes: pd.DataFrame) -> pd.DataFrame:
    """The finished trainings behind some outcomes, with columns of `jobs.csv`, from the run's job records, and with
    `parameters` where a job counted those of its network.

    They are known as soon as the outcomes are, whereas `jobs.csv` waits for the jobs of all datasets.

    Args:
        outcomes: Rows with `dataset, method, repeat, fold`, as `read_predictions` and `read_systems` return them.
    """
    places = _trained_places(outcomes)
    columns = (*(column for column in JOB_COLUMNS if column != "run_id"), "threads")
    rows = [
        [*(getattr(record, column) for column in columns), record.metrics.get("parameters")]
        for record in latest_records(read_records(results))
        if record.rule.startswith(TRAINING_RULES)
        and record.status == FINISHED
        and (record.dataset, record.method, record.fold) in places
    ]
    return pd.DataFrame(rows, columns=[*columns, "parameters"])


def trainings_behind(jobs: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Those of some trainings that are behind some outcomes; both as for `read_training_jobs`."""
    places, keys = (
        _trained_places(outcomes),
        zip(jobs["dataset"], jobs["method"], jobs["fold"].astype(str), strict=True),
    )
    return jobs[pd.Series([key in places for key in keys], index=jobs.index, dtype=bool)]


def _trained_places(outcomes: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Dataset, method (with its repeat) and fold of what was trained."""
    trained = outcomes[["dataset", "method", "repeat", "fold"]].drop_duplicates().itertuples(index=False)
    return {(row.dataset, repeat_key(row.method, row.repeat), str(row.fold)) for row in trained}


def training_cost(jobs: pd.DataFrame, dataset: str, method: str) -> tuple[float, float]:
    """Core-hours and GPU-hours of all trainings of a method on one dataset; NaN where there is no such job.

    Core-hours are wall time times the job's threads; GPU-hours the wall time of jobs on a CUDA device.
    """
    chosen = jobs[
        (jobs["dataset"].astype(str) == dataset)
        & (jobs["method"].astype(str).map(lambda key: split_repeat(key)[0]) == method)
        & jobs["rule"].astype(str).str.startswith(TRAINING_RULES)
        & (jobs["status"].astype(str).str.upper() == "FINISHED")
    ]
    if chosen.empty:
        return float("nan"), float("nan")
    seconds = pd.to_numeric(chosen["seconds"])
    threads = pd.to_numeric(chosen["threads"]) if "threads" in chosen else 1
    on_gpu = chosen["device"].astype(str).str.startswith(("cuda", "gpu"))
    return float((seconds * threads).sum() / 3600), float(seconds[on_gpu].sum() / 3600)


def trained_parameters(jobs: pd.DataFrame, dataset: str, method: str) -> float:
    """Parameters of the network that a method's trainings on a dataset counted; NaN where none did."""
    if "parameters" not in jobs:
        return float("nan")
    methods = jobs["method"].astype(str).map(lambda key: split_repeat(key)[0])
    chosen = jobs[(jobs["dataset"].astype(str) == dataset) & (methods == method)]
    return float(pd.to_numeric(chosen["parameters"]).max())


def read_table(path: Path, columns: Sequence[str], text: Sequence[str] = ()) -> pd.DataFrame:
    """A parquet or csv file that has at least `columns`; `text` are columns of text beside those of `read_csv`.

    Raises:
        UserError: if it is missing, unreadable or lacks a column.
    """
    path = Path(path)
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else read_csv(path, text)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the workflow to make it") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({str(error).splitlines()[0]}); delete it and run again") from None
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: column {missing[0]!r} is missing; delete the file and run again")
    return frame


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """All arrays of an npz file that holds at least `names`; pickled objects are refused.

    Raises:
        UserError: if it is missing, unreadable, or lacks an array.
    """
    import zipfile

    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the workflow to make it") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: cannot be read ({str(error).splitlines()[0]}); delete it and run again") from None
    missing = [name for name in names if name not in found]
    if missing:
        raise UserError(f"{path}: array {missing[0]!r} is missing; delete the file and run again")
    return found


def _read_by_training(paths: Iterable[Path], columns: Sequence[str]) -> pd.DataFrame:
    """Files `{kind}/{dataset}/{method}/fold{k}...` in one frame, with `dataset, method, repeat, fold`."""
    parts = []
    for path in map(Path, paths):
        frame = read_table(path, columns)
        method, repeat = split_repeat(path.parent.name)
        place = {"dataset": path.parent.parent.name, "method": method, "repeat": repeat, "fold": fold_of(path)}
        parts.append(frame.assign(**place))
    return _joined(parts, (*columns, "dataset", "method", "repeat", "fold"))


def _joined(parts: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    # A part without rows has columns without types, which must not spoil those of the others.
    filled = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))
