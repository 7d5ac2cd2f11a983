"""The people from whom the fixed judge learns what expressions look like: rendered for it alone, aligned as runs do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from fersnet.embedded.takes import Take, render_take
from fersnet.expressions import SEVEN
from fersnet.faces.alignment import align, alignment_matrix
from fersnet.faces.images import Rejection, to_grey
from fersnet.faces.landmarks import LandmarkBackend
from fersnet.seeds import derive_seed

TAKES = 2
"""Recordings of each expression a person."""
STORED = 52
"""Side of a stored face in pixels: a crop of the judge's input, and two pixels around it to shift it in."""
FRAMINGS = (49.0, 56.0)
"""Range of `faces.size` that a crop of 48 pixels is cut from: 48 of 50 and 96 of 110 lie well inside."""
_FRAMES = (((240, 200), 0.5), ((200, 240), 0.1), ((120, 200), 0.25), ((160, 160), 0.15))
_INTENSITY = (0.45, 1.05)
_AMOUNT = (0.85, 1.0)
_NEUTRAL = "neutral"
NOTHING = len(SEVEN)
"""The label of a face that shows no expression."""


@dataclass(frozen=True)
class Portraits:
    """Aligned grey faces, and what they show."""

    images: np.ndarray
    """uint8 (N, S, S), S being `STORED`."""
    labels: np.ndarray
    """int64 (N,): positions in `SEVEN`, or `NOTHING`."""


def person_seed(cast: str, number: int) -> int:
    """The seed of a person's identity. A run's begin with its number, these with a word: they never meet."""
    return derive_seed("judge", cast, number)


def takes_of(cast: str, number: int) -> list[Take]:
    """One peak frame of every recording of a person: each expression several times, and the neutral face."""
    person = person_seed(cast, number)
    rng = np.random.default_rng(derive_seed(person, "takes"))
    sizes, shares = zip(*_FRAMES, strict=True)
    size = sizes[int(rng.choice(len(sizes), p=shares))]
    return [
        Take(
            person,
            expression,
            derive_seed(person, expression, take),
            float(rng.uniform(*_INTENSITY)),
            (float(rng.uniform(*_AMOUNT)),),
            size,
        )
        for expression in (*SEVEN, _NEUTRAL)
        for take in range(1 if expression == _NEUTRAL else TAKES)
    ]


def portraits(cast: str, people: range, workers: int = 1) -> Portraits:
    """The faces of those people; a picture in which no face is found is left out."""
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        found = Parallel(n_jobs=workers)(delayed(_faces_of)(cast, number) for number in people)
    faces = [face for one in found for face in one]
    return Portraits(np.stack([image for image, _ in faces]), np.array([label for _, label in faces], dtype=np.int64))


def _faces_of(cast: str, number: int) -> list[tuple[np.ndarray, int]]:
    return list(_aligned(takes_of(cast, number), _backend()))


@cache
def _backend() -> LandmarkBackend:
    from fersnet.faces.dlib_backend import DlibBackend

    return DlibBackend()


def _aligned(takes: list[Take], backend: LandmarkBackend) -> Iterator[tuple[np.ndarray, int]]:
    for take in takes:
        picture = render_take(take)[0].image
        try:
            points = backend.locate(picture, Path()).points
        except Rejection:
            continue
        framing = np.random.default_rng(derive_seed(take.seed, "framing")).uniform(*FRAMINGS)
        matrix = alignment_matrix(points, framing)
        matrix[:, 2] += (STORED - framing) / 2
        yield (
            align(to_grey(picture), matrix, STORED),
            SEVEN.index(take.expression) if take.expression in SEVEN else NOTHING,
        )
