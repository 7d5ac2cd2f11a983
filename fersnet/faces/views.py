"""The frontal face in a video frame: upright, lying on its side, or one half of a dual view."""

from dataclasses import dataclass

import numpy as np

from fersnet.faces.dlib_backend import detection_score
from fersnet.faces.images import to_grey

UPRIGHT = "upright"
ROTATED_RIGHT = "rotated 90 degrees clockwise"
ROTATED_LEFT = "rotated 90 degrees counterclockwise"
LEFT_HALF = "left half"
RIGHT_HALF = "right half"

PREFERENCE = 0.25
"""How much better, in detector score, a less expected view must be. A half frame shows the same face again, so its
score differs from the whole frame's by chance only."""

_ORDER = {
    "dual": (LEFT_HALF, RIGHT_HALF, UPRIGHT, ROTATED_RIGHT, ROTATED_LEFT),
    "frontal": (UPRIGHT, ROTATED_RIGHT, ROTATED_LEFT, LEFT_HALF, RIGHT_HALF),
}


@dataclass(frozen=True)
class Extract:
    """What a view shows of a frame, and the way back.

    `image` is uint8 (h, w, 3); `to_frame` is float64 (2, 3) and maps its pixels to the frame's.
    """

    image: np.ndarray
    to_frame: np.ndarray


def extract_view(image: np.ndarray, view: str) -> Extract:
    """Cut or rotate a frame (H, W, 3) as the view says; "" and `upright` leave it as it is.

    Raises:
        ValueError: for an unknown view.
    """
    height, width = image.shape[:2]
    if view in ("", UPRIGHT):
        return Extract(image, np.array([[1.0, 0, 0], [0, 1, 0]]))
    if view == ROTATED_RIGHT:
        return Extract(np.ascontiguousarray(np.rot90(image, -1)), np.array([[0.0, 1, 0], [-1, 0, height - 1]]))
    if view == ROTATED_LEFT:
        return Extract(np.ascontiguousarray(np.rot90(image, 1)), np.array([[0.0, -1, width - 1], [1, 0, 0]]))
    if view == LEFT_HALF:
        return Extract(np.ascontiguousarray(image[:, : width // 2]), np.array([[1.0, 0, 0], [0, 1, 0]]))
    if view == RIGHT_HALF:
        return Extract(np.ascontiguousarray(image[:, width // 2 :]), np.array([[1.0, 0, width // 2], [0, 1, 0]]))
    raise ValueError(f"unknown view {view!r}")


def choose_view(image: np.ndarray, hint: str) -> str | None:
    """The view that the frontal-face detector likes best.

    Args:
        image: uint8 RGB frame (H, W, 3).
        hint: `frontal`, `dual` or `unknown`; what is expected is tried first and wins near ties.

    Returns:
        A view for `extract_view`, or None if no view shows exactly one frontal face.
    """
    best: tuple[float, str] | None = None
    for view in _ORDER.get(hint, _ORDER["frontal"]):
        score = detection_score(to_grey(extract_view(image, view).image))
        if score is None:
            continue
        # Within one pair (both halves, both rotations) neither is more expected than the other.
        margin = 0.0 if best is not None and _paired(best[1], view) else PREFERENCE
        if best is None or score > best[0] + margin:
            best = (score, view)
    return None if best is None else best[1]


def _paired(one: str, other: str) -> bool:
    return {one, other} in ({LEFT_HALF, RIGHT_HALF}, {ROTATED_LEFT, ROTATED_RIGHT})
