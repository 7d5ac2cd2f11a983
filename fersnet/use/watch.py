"""What a model sees in a film or before a camera: a row per frame and face."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fersnet.errors import UserError
from fersnet.faces.find import Face, find_in_each, workers_for
from fersnet.faces.images import Rejection
from fersnet.training.device import one_core
from fersnet.use.film import AnnotatedFilm, Film, Frame
from fersnet.use.follow import Follower
from fersnet.use.model import TrainedModel
from fersnet.use.table import BOX, face_rows, table_of

BATCH = 8
"""Frames that are held at a time."""


@dataclass(frozen=True)
class Seen:
    """What came of a film."""

    frames: int
    """That were looked at."""
    faces: int
    """That were followed."""
    rows: int
    """A face in a frame each."""


def watch(
    model: TrainedModel,
    source: str,
    out: Path,
    *,
    every: int = 1,
    annotated: Path | None = None,
    on_progress: Callable[[int, int | None], None] = lambda _done, _all: None,
) -> Seen:
    """Write what is seen in a film or before a camera to a CSV file, while it is seen; memory does not grow.

    The columns are those of `TrainedModel.predict`, with `frame` (number, from 0) and `seconds` in the place of
    `picture`; `face` is a number that a face keeps from frame to frame. A frame without faces has no row. A camera is
    watched until the user interrupts it (Ctrl-C), which ends a film in good order, too.

    Args:
        model: From `load_model`.
        source: Path of a film, or the number of a camera.
        out: CSV file.
        every: Look at each so many-th frame.
        annotated: MP4 file to write, with the faces drawn into the frames that were looked at.
        on_progress: Called with the frames that are done, and with all to be done, where this is known.

    Raises:
        UserError: if the film or camera cannot be read, or a file cannot be written.
    """
    follower = Follower()
    done = rows = 0
    with ExitStack() as stack:
        film = stack.enter_context(Film(source, every))
        drawn = None if annotated is None else stack.enter_context(AnnotatedFilm(annotated, film.rate))
        file = None
        try:
            for frames, found in _looked_at(model, film):
                rows_now = _rows(model, source, frames, found, follower)
                if file is None:
                    out.parent.mkdir(parents=True, exist_ok=True)
                    file = stack.enter_context(out.open("w", encoding="utf-8", newline=""))
                table = table_of(rows_now, model.expressions, model.trained_on, ("frame", "seconds"))
                table.to_csv(file, index=False, header=done == 0)
                if drawn is not None:
                    for frame in frames:
                        drawn.write(
                            frame.image, [_label(model, row) for row in rows_now if row["frame"] == frame.number]
                        )
                done, rows = done + len(frames), rows + len(rows_now)
                on_progress(done, film.length)
        except KeyboardInterrupt:
            pass
    return Seen(done, follower.count, rows)


def _looked_at(model: TrainedModel, film: Film) -> Iterator[tuple[list[Frame], list[list[Face] | Rejection]]]:
    """Frames and their faces, a batch at a time."""
    waiting: deque[Frame] = deque()

    def images() -> Iterator[NDArray[np.uint8]]:
        for frame in film.frames():
            waiting.append(frame)
            yield frame.image

    workers = workers_for(film.length)
    with one_core(workers > 1):
        for batch, found in find_in_each(images(), model.faces, workers, BATCH):
            yield [waiting.popleft() for _ in batch], found


def _rows(
    model: TrainedModel, source: str, frames: list[Frame], found: list[list[Face] | Rejection], follower: Follower
) -> list[dict[str, Any]]:
    rows = []
    model.tell([frame.image for frame, faces in zip(frames, found, strict=True) if faces])
    probabilities = model.probabilities([face for faces in found if isinstance(faces, list) for face in faces])
    for frame, faces in zip(frames, found, strict=True):
        if isinstance(faces, Rejection):
            raise UserError(f"{source}: {faces}; give a film of another size")
        numbers = follower.follow([face.box for face in faces])
        for number, row in zip(numbers, face_rows(source, faces, probabilities), strict=True):
            rows.append(row | {"face": number, "frame": frame.number, "seconds": round(frame.seconds, 3)})
    return rows


def _label(model: TrainedModel, row: dict[str, Any]) -> tuple[int, tuple[float, ...], str]:
    text = str(row["face"])
    if "probabilities" in row:
        best = int(row["probabilities"].argmax())
        text += f" {model.expressions[best]} {row['probabilities'][best]:.0%}"
    return row["face"], tuple(row[side] for side in BOX), text
