"""Landmarks behind one interface: what a backend is and returns, and when a fit is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from fersnet.faces.images import Rejection

POINTS = 68
"""The iBUG 68-point scheme: 0-16 contour, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67 mouth."""

MINIMUM_EYE_DISTANCE = 8.0
"""Smallest distance of the eye centres in pixels that is worth aligning."""

RIVAL_AREA = 0.5
"""A second face at least this large, relative to the largest, makes a frame ambiguous."""


@dataclass(frozen=True)
class Fit:
    """The landmarks of one face.

    `points` is float32 (68, 2), pixel x and y, with pixel centres at whole numbers. `quality` is in 0 to 1 and
    documented by each backend. `detector` names what found the face.
    """

    points: np.ndarray
    quality: float
    detector: str


class LandmarkBackend(Protocol):
    """Finds the 68 landmarks of the one face in a frame.

    `searches` tells whether it looks into the picture, so that a rotated or halved view makes sense to it; landmarks
    read from files are in the frame's own coordinates.
    """

    searches: bool

    def locate(self, image: np.ndarray, file: Path) -> Fit:
        """Landmarks in a uint8 RGB image (H, W, 3) that was read from `file`.

        Raises:
            Rejection: with the reason, if there is not exactly one usable face.
        """
        ...


class SearchingBackend(LandmarkBackend, Protocol):
    """A backend that looks into the picture, and so can find every face of it."""

    def locate_all(self, image: np.ndarray) -> list[tuple[np.ndarray, Fit | Rejection]]:
        """Every face in a uint8 RGB image (H, W, 3), largest first: its box, float64 (left, top, right, bottom), and
        its landmarks or the reason why it cannot be used."""
        ...


def fit_each(
    boxes: Sequence[tuple[np.ndarray, float]], fit: Callable[[np.ndarray, float], Fit]
) -> list[tuple[np.ndarray, Fit | Rejection]]:
    """What `locate_all` says of the boxes of a picture: (box, score) pairs, and what fits landmarks to one."""
    found: list[tuple[np.ndarray, Fit | Rejection]] = []
    for box, score in sorted(boxes, key=lambda face: (-box_area(face[0]), *face[0])):
        try:
            found.append((box, fit(box, score)))
        except Rejection as rejection:
            found.append((box, rejection))
    return found


def largest(boxes: Sequence[np.ndarray]) -> int:
    """Position of the largest of several faces' boxes.

    Raises:
        Rejection: if there is none, or if a second one is nearly as large, so that the subject is not certain.
    """
    if not boxes:
        raise Rejection("no face found")
    areas = np.array([box_area(box) for box in boxes])
    first, *others = np.argsort(-areas, kind="stable")
    if others and areas[others[0]] >= RIVAL_AREA * areas[first]:
        raise Rejection("several faces found")
    return int(first)


def box_area(box: np.ndarray) -> float:
    """Pixels in a box (left, top, right, bottom)."""
    return float((box[2] - box[0]) * (box[3] - box[1]))


def box_overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection of two boxes over their union."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(np.prod(np.maximum(sides, 0.0)))
    return shared / max(box_area(one) + box_area(other) - shared, 1e-9)


def anchors(points: np.ndarray) -> np.ndarray:
    """Centres of the left-hand eye, the right-hand eye and the mouth corners: float64 (3, 2).

    Left and right are the image's. The mouth counts by its corners, which a dropped jaw moves least.
    """
    points = np.asarray(points, dtype=np.float64)
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[[48, 54]].mean(axis=0)])


def check_points(points: np.ndarray, width: int, height: int) -> None:
    """Refuse landmarks that no whole face can have.

    Raises:
        Rejection: if points are not finite; if the eyes nearly coincide; if the mouth does not lie below the eyes
            (in the face's own frame) at 0.4 to 2.5 eye distances; or if the image border cuts the face: an eye,
            nose or mouth point outside the image, or more than eight contour and brow points.
    """
    if points.shape != (POINTS, 2) or not np.isfinite(points).all():
        raise Rejection("landmarks are not 68 finite points")
    left, right, mouth = anchors(points)
    across = right - left
    distance = float(np.hypot(*across))
    if distance < MINIMUM_EYE_DISTANCE:
        raise Rejection("face is too small")
    middle = (left + right) / 2
    below = float((across[0] * (mouth - middle)[1] - across[1] * (mouth - middle)[0]) / distance**2)
    aside = float(across @ (mouth - middle) / distance**2)
    if not 0.4 <= below <= 2.5 or abs(aside) > 0.8:
        raise Rejection("landmarks do not form a face")
    outside = ((points < 0) | (points > (width - 1, height - 1))).any(axis=1)
    if outside[27:].any() or outside[:27].sum() > 8:
        raise Rejection("face is cut by the image border")
