"""Finished sequences on their way into the store, so that an interrupted build continues where it stopped."""

import functools
import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fersnet.faces.backends import open_backend
from fersnet.faces.frames import split_entry
from fersnet.faces.landmarks import LandmarkBackend
from fersnet.faces.sequence import AlignedSequence, align_sequence
from fersnet.settings.data import FacesSettings

_WITHOUT_EFFECT = {"maximum_rejected", "model_folder", "backend"}


@dataclass(frozen=True)
class PartJob:
    """What every sequence of one build has in common."""

    root: Path
    folder: Path
    settings: FacesSettings
    backend: str
    device: str
    backend_stamp: str = ""
    """What tells that the files of the user's that the backend reads have changed."""


@dataclass(frozen=True)
class PartSummary:
    """A finished part: its file, its rows, and how its frames fared."""

    path: Path
    rows: int
    wanted: int
    refused: int
    reasons: Counter


@functools.lru_cache(maxsize=1)
def _backend(name: str, root: Path, model_folder: str | None, device: str) -> LandmarkBackend:
    """One backend per process: loading takes longer than a sequence."""
    return open_backend(name, root, model_folder, device)


@functools.cache
def _code_key() -> str:
    """Checksum of this package's modules: parts of an older version are not taken up again."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def part_key(sequence: Mapping[str, Any], job: PartJob) -> str:
    """Name of a part: a checksum of everything that its content depends on, the frames by size and times."""
    files = []
    for path in sorted({split_entry(str(entry))[0] for entry in sequence["frames"]}):
        try:
            status = (job.root / path).stat()
        except (OSError, ValueError):
            files.append([path])
        else:
            files.append([path, status.st_size, status.st_mtime_ns, status.st_ctime_ns])
    content = {
        "sequence": {key: sequence[key] for key in ("sequence_id", "subject", "expression", "frames", "apex", "view")},
        "neutral": sequence["neutral"],
        "files": files,
        "settings": job.settings.model_dump(mode="json", exclude=_WITHOUT_EFFECT),
        "backend": [job.backend, job.backend_stamp, job.settings.model_folder, job.device],
        "code": _code_key(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def make_part(sequence: Mapping[str, Any], job: PartJob) -> PartSummary:
    """Align one sequence and write its part, unless an earlier build left it."""
    import cv2

    # One thread per process, whatever the number of processes: the same bytes, and no more cores than granted.
    cv2.setNumThreads(1)
    path = job.folder / f"{part_key(sequence, job)}.npz"
    if path.is_file():
        aligned = read_part(path)
    else:
        if job.backend == "face_alignment":
            import torch

            torch.set_num_threads(1)
        backend = _backend(job.backend, job.root, job.settings.model_folder, job.device)
        aligned = align_sequence(sequence, job.root, backend, job.settings)
        _write_part(path, aligned)
    reasons = Counter(reason.partition(":")[0] for frame, reason in aligned.rejected if frame != "")
    return PartSummary(path, len(aligned.rows), aligned.wanted, aligned.refused, reasons)


def _write_part(path: Path, aligned: AlignedSequence) -> None:
    text = json.dumps(
        {
            "sequence_id": aligned.sequence_id,
            "rows": aligned.rows,
            "rejected": aligned.rejected,
            "wanted": aligned.wanted,
            "refused": aligned.refused,
        }
    )
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        np.savez(
            stream, images=aligned.images, landmarks=aligned.landmarks, text=np.frombuffer(text.encode(), np.uint8)
        )
    temporary.replace(path)


def read_part(path: Path) -> AlignedSequence:
    """Read a part that `make_part` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        content = json.loads(arrays["text"].tobytes())
        return AlignedSequence(
            content["sequence_id"],
            arrays["images"],
            arrays["landmarks"],
            content["rows"],
            [(frame, reason) for frame, reason in content["rejected"]],
            content["wanted"],
            content["refused"],
        )
