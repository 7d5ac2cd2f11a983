"""The faces of any picture: found, and aligned as those of a training are."""

import functools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fersnet.errors import UserError
from fersnet.faces.backends import open_backend
from fersnet.faces.images import Rejection, as_picture
from fersnet.faces.landmarks import SearchingBackend, largest
from fersnet.faces.sequence import align_fit
from fersnet.settings.data import FacesSettings

if TYPE_CHECKING:
    from concurrent.futures import Future

    from fersnet.faces.images import Picture

BATCH = 32
"""Pictures that are looked at before their faces go on; only memory depends on it."""

PARALLEL_FROM = 100
"""Pictures from which on further processes pay: starting them takes as long as some fifty pictures."""


@dataclass(frozen=True)
class Face:
    """One face of a picture."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom in pixels of the picture."""
    image: NDArray[np.uint8] | None
    """The aligned face (S, S, C); None where the face cannot be used."""
    landmarks: NDArray[np.float32] | None
    """(68, 2), x and y in pixels of the picture, in the iBUG order."""
    quality: float | None
    """Of the landmarks, in 0 to 1."""
    error: str | None = None
    """Why the face cannot be used."""


def find_faces(picture: "Picture", settings: FacesSettings | None = None) -> list[Face]:
    """Every face of a picture, largest first; a picture without any gives an empty list.

    Args:
        picture: Path of a file, its content as bytes, Pillow's image, or pixels: uint8 (H, W) or (H, W, 3), RGB.
        settings: Backend, size, channels and lighting; None takes the defaults of the config.

    Raises:
        UserError: if the picture cannot be read, or the backend cannot look into pictures or has no weights.
    """
    found = _look(picture, searching(settings or FacesSettings()))
    if isinstance(found, Rejection):
        name = picture if isinstance(picture, str | Path) else "picture"
        raise UserError(f"{name}: {found}")
    return found


def the_one_face(faces: Sequence[Face]) -> Face:
    """The face of a picture that shows one, or one before others that are much smaller.

    Raises:
        Rejection: if there is none, if the subject is not certain, or if the face cannot be used.
    """
    face = faces[largest([np.array(face.box) for face in faces])]
    if face.error is not None:
        raise Rejection(face.error)
    return face


def find_in_each(
    pictures: Iterable["Picture"], settings: FacesSettings, workers: int, batch: int = BATCH
) -> Iterator[tuple[list["Picture"], list[list[Face] | Rejection]]]:
    """The faces of pictures, in batches, in the pictures' order; about two batches are held, however many there are.

    Several processes go on with the next pictures while the caller has a batch.

    Args:
        pictures: As of `find_faces`; any number, read one batch at a time.
        settings: Of the faces.
        workers: Processes; 1 is this one.
        batch: Pictures of a batch.

    Yields:
        The pictures of a batch, and for each of them its faces, or the reason why it cannot be read.

    Raises:
        UserError: as `find_faces`, for the backend.
    """
    searching(settings)
    stream = iter(pictures)
    if workers == 1:
        while taken := list(islice(stream, batch)):
            yield taken, [_look(picture, settings) for picture in taken]
        return
    from joblib.externals.loky import ProcessPoolExecutor

    ahead: deque[tuple[Picture, Future]] = deque()

    def submit() -> None:
        """As many pictures as keep the processes busy while the caller has a batch."""
        for picture in islice(stream, batch + 2 * workers - len(ahead)):
            ahead.append((picture, executor.submit(_look_alone, picture, settings)))

    # Processes of its own: joblib takes the ones that loky shares for its own.
    with ProcessPoolExecutor(workers) as executor:
        try:
            submit()
            while ahead:
                taken, found = [], []
                while ahead and len(taken) < batch:
                    picture, future = ahead.popleft()
                    taken.append(picture)
                    found.append(future.result())
                    submit()
                yield taken, found
        finally:
            for _, future in ahead:
                future.cancel()


def with_workers(pictures: Iterable["Picture"], workers: int | None) -> tuple[Iterable["Picture"], int]:
    """Pictures, and the processes that look for their faces: None takes all cores for many of them, and 1 for few."""
    if workers is not None:
        return pictures, workers
    stream = iter(pictures)
    first = list(islice(stream, PARALLEL_FROM))
    return chain(first, stream), workers_for(len(first))


def workers_for(pictures: int | None) -> int:
    """Processes that pay for so many pictures; None stands for a number that is not known."""
    return len(os.sched_getaffinity(0)) if pictures is None or pictures >= PARALLEL_FROM else 1


def searching(settings: FacesSettings) -> FacesSettings:
    """The settings, after making sure that their backend is there and looks into pictures.

    Raises:
        UserError: if it is not, or does not.
    """
    if settings.backend == "annotations":
        raise UserError("faces.backend annotations: a new picture has no landmark files; choose dlib or face_alignment")
    _backend(settings.backend, settings.model_folder)
    return settings


@functools.lru_cache(maxsize=2)
def _backend(name: str, model_folder: str | None) -> SearchingBackend:
    """One backend per process: loading takes longer than a picture."""
    return open_backend(name, Path(), model_folder)  # type: ignore[return-value]


def _look(picture: "Picture", settings: FacesSettings) -> list[Face] | Rejection:
    try:
        image = as_picture(picture)
    except Rejection as rejection:
        return rejection
    faces = []
    for box, fit in _backend(settings.backend, settings.model_folder).locate_all(image):
        place = tuple(float(value) for value in box)
        if isinstance(fit, Rejection):
            faces.append(Face(place, None, None, None, str(fit)))
        else:
            faces.append(Face(place, align_fit(image, fit, settings).image, fit.points, fit.quality))
    return faces


def _look_alone(picture: "Picture", settings: FacesSettings) -> list[Face] | Rejection:
    """In a process of several, which has one core."""
    import cv2

    cv2.setNumThreads(1)
    if settings.backend == "face_alignment":
        import torch

        torch.set_num_threads(1)
    return _look(picture, settings)
