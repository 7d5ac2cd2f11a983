"""The face store: all aligned faces of a dataset in one memory-mapped array, with a table of where they come from."""

import csv
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fersnet.errors import UserError
from fersnet.faces.backends import prepare_backend
from fersnet.faces.frames import frames_root
from fersnet.faces.landmarks import POINTS
from fersnet.faces.parts import PartJob, PartSummary, make_part, read_part
from fersnet.settings.data import FacesSettings

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: tuple[str, ...] = (
    "sequence_id",
    "subject",
    "expression",
    "frame",
    "role",
    "detector",
    "quality",
    "source",
    "matrix",
)
"""Columns of `faces.parquet`, a row per face in the order of `faces.npy`.

`frame` is the 0-based position in the sequence; `source` the entry of the index that it was read from; `matrix` the
six numbers of the 2x3 affine matrix, by rows, that maps the source's pixels to the stored face's; `quality` is in 0
to 1 and means what the landmark backend says.
"""

_PART_FOLDER = ".faces.parts"


@dataclass(frozen=True)
class FaceStore:
    """An opened store: `images` uint8 memory map (N, H, W, C), `table` with `COLUMNS`, `landmarks` float32 (N, 68, 2)
    in stored-face pixels."""

    images: np.ndarray
    table: "pd.DataFrame"
    landmarks: np.ndarray


def build_store(
    sequences: "pd.DataFrame",
    root: Path,
    folder: Path,
    settings: FacesSettings,
    backend: str,
    workers: int,
    *,
    index_rejected: "pd.DataFrame | None" = None,
    device: str = "cpu",
    backend_stamp: str = "",
) -> None:
    """Align every needed frame and write `faces.npy`, `faces.parquet`, `landmarks.npy` and `rejected.csv`.

    Rows are sorted by sequence, role and frame. A clip always has `settings.clip_frames` rows: an unusable frame is
    replaced by its nearest usable one, and a short sequence repeats frames. The bytes do not depend on the number of
    workers, nor on interruptions: finished sequences wait in a hidden folder beside the outputs, which is removed at
    the end, and each output appears complete or not at all.

    Args:
        sequences: The index, one row per sequence.
        root: Folder that the frames are relative to (a manifest stands for its folder).
        folder: Where the store goes.
        settings: Size, channels, lighting, frames per role, share of rejections.
        backend: `dlib`, `face_alignment` or `annotations`.
        workers: Number of processes.
        index_rejected: Rejections of the reader (`sequence_id, frame, reason`), put before those of the faces.
        device: `cpu` or `cuda`, for `face_alignment`.
        backend_stamp: tells that landmarks or weights of the user's have changed: what was made of others is not used.

    Raises:
        UserError: if there is no sequence, two share an id, the backend's weights are missing, or more than
            `settings.maximum_rejected` of the frames are unusable (naming the ten commonest reasons).
    """
    records = _records(sequences)
    prepare_backend(backend, settings.model_folder)
    parts = folder / _PART_FOLDER
    parts.mkdir(parents=True, exist_ok=True)
    job = PartJob(frames_root(root).absolute(), parts.absolute(), settings, backend, device, backend_stamp)
    summaries = list(_run(records, job, workers))
    _check_rejections(summaries, settings)
    _assemble(summaries, folder, settings, [] if index_rejected is None else _rejected_rows(index_rejected))
    shutil.rmtree(parts)


def open_store(folder: Path) -> FaceStore:
    """Open a store without reading its images.

    Raises:
        UserError: if a file is missing, damaged, or does not belong to the others.
    """
    import pandas as pd

    try:
        images = np.load(folder / "faces.npy", mmap_mode="r", allow_pickle=False)
        landmarks = np.load(folder / "landmarks.npy", allow_pickle=False)
        table = pd.read_parquet(folder / "faces.parquet")
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: missing; run the data stage to build the face store") from None
    except (OSError, ValueError, EOFError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{folder}: the face store is damaged ({reason}); delete it and run the data stage") from None
    fits = images.ndim == 4 and images.dtype == np.uint8 and landmarks.shape == (len(images), POINTS, 2)
    if not fits or len(table) != len(images) or list(table.columns) != list(COLUMNS):
        raise UserError(f"{folder}: faces.npy, landmarks.npy and faces.parquet do not fit; delete them and build anew")
    return FaceStore(images, table, landmarks)


def _records(sequences: "pd.DataFrame") -> list[dict[str, Any]]:
    """Rows of the index as plain Python values, sorted by sequence."""
    if len(sequences) == 0:
        raise UserError("index.parquet: no labelled sequence; check the dataset's root and rejected.csv")
    twice = sequences["sequence_id"][sequences["sequence_id"].duplicated()]
    if len(twice):
        raise UserError(f"index.parquet: two sequences with the id {twice.iloc[0]}; rename one of them")
    records = [
        {
            "sequence_id": str(row["sequence_id"]),
            "subject": str(row["subject"]),
            "expression": str(row["expression"]),
            "frames": [str(entry) for entry in row["frames"]],
            "apex": [int(position) for position in row["apex"]],
            "neutral": int(row["neutral"]),
            "view": str(row["view"]),
        }
        for row in sequences.to_dict("records")
    ]
    return sorted(records, key=lambda record: record["sequence_id"])


def _run(records: list[dict[str, Any]], job: PartJob, workers: int) -> Iterator[PartSummary]:
    """Make all parts, in the order of the records."""
    if workers <= 1 or len(records) == 1:
        for record in records:
            yield make_part(record, job)
        return
    from joblib import Parallel, delayed, parallel_config

    # loky starts clean interpreters and never imports the calling script again, so this works from any script.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        run = Parallel(n_jobs=min(workers, len(records)), return_as="generator")
        yield from run(delayed(make_part)(record, job) for record in records)


def _check_rejections(summaries: list[PartSummary], settings: FacesSettings) -> None:
    wanted = sum(summary.wanted for summary in summaries)
    refused = sum(summary.refused for summary in summaries)
    rows = sum(summary.rows for summary in summaries)
    if rows and refused <= settings.maximum_rejected * wanted:
        return
    reasons = sum((summary.reasons for summary in summaries), Counter())
    commonest = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:10]
    listed = "; ".join(f"{reason} ({count})" for reason, count in commonest)
    raise UserError(
        f"{refused} of {wanted} frames are unusable, more than faces.maximum_rejected = {settings.maximum_rejected:g} "
        f"allows. Commonest reasons: {listed}. Mend the files, choose another faces.backend, or raise the limit"
    )


def _rejected_rows(rejected: "pd.DataFrame") -> list[tuple[str, str, str]]:
    columns = [rejected[name].astype(str) for name in ("sequence_id", "frame", "reason")]
    return list(zip(*columns, strict=True))


def _assemble(
    summaries: list[PartSummary], folder: Path, settings: FacesSettings, rejected: list[tuple[str, str, str]]
) -> None:
    """Copy the parts one by one into temporary files, then give all of them their names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = sum(summary.rows for summary in summaries)
    types = {"frame": pa.int64(), "quality": pa.float64(), "matrix": pa.list_(pa.float64())}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    names = ("faces.npy", "landmarks.npy", "faces.parquet", "rejected.csv")
    temporary = [folder / f".{name}.tmp" for name in names]
    with (
        temporary[0].open("wb") as images,
        temporary[1].open("wb") as landmarks,
        pq.ParquetWriter(temporary[2], schema, compression="zstd") as table,
        temporary[3].open("w", newline="", encoding="utf-8") as text,
    ):
        _write_header(images, np.dtype(np.uint8), (count, settings.size, settings.size, settings.channels))
        _write_header(landmarks, np.dtype(np.float32), (count, POINTS, 2))
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["sequence_id", "frame", "reason"])
        lines.writerows(rejected)
        waiting: list[dict[str, Any]] = []
        for summary in summaries:
            part = read_part(summary.path)
            images.write(part.images.tobytes())
            landmarks.write(part.landmarks.tobytes())
            waiting += part.rows
            if len(waiting) >= 4096:
                table.write_table(pa.Table.from_pylist(waiting, schema=schema))
                waiting = []
            lines.writerows([part.sequence_id, frame, reason] for frame, reason in part.rejected)
        table.write_table(pa.Table.from_pylist(waiting, schema=schema))
    for path, name in zip(temporary, names, strict=True):
        path.replace(folder / name)


def _write_header(stream: Any, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, description)
