"""Landmarks of a talking face, frame by frame: quick, for the motion in a video, not for alignment."""

from collections.abc import Iterator

import numpy as np

from fersnet.faces.dlib_backend import SEARCH_SIDE, choose_face, find_faces_at_once, find_predictor
from fersnet.faces.images import Rejection, shrunk
from fersnet.faces.landmarks import POINTS, check_points

SIDE = 800
"""Longer side, in pixels, of the frames that landmarks are found in."""

MARGIN = 0.6
"""How far beyond its last box a face is looked for first, in sides of the box."""

EVERY = 5
"""Frames from one detection to the next: a face that talks hardly leaves its box in a sixth of a second."""


class FaceTracker:
    """The 68 landmarks of one face in frame after frame, in whole pixels of a frame of `SIDE`.

    The box is detected in every fifth frame, and in every one while there is none.
    """

    def __init__(self) -> None:
        import dlib

        self._predictor = dlib.shape_predictor(str(find_predictor()))

    def follow(self, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Landmarks float32 (68, 2) for each uint8 BGR frame, as shares of its longer side; NaN where no face is.

        One frame is held at a time.
        """
        import cv2

        box: np.ndarray | None = None
        for number, frame in enumerate(frames):
            grey, _ = shrunk(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), SIDE)
            if box is None or number % EVERY == 0:
                box = _detected(grey, box)
            yield np.full((POINTS, 2), np.nan, np.float32) if box is None else self._points(grey, box)

    def _points(self, grey: np.ndarray, box: np.ndarray) -> np.ndarray:
        import dlib

        shape = self._predictor(grey, dlib.rectangle(*(round(float(value)) for value in box)))
        points = np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float64)
        try:
            check_points(points, grey.shape[1], grey.shape[0])
        except Rejection:
            points[:] = np.nan
        return (points / max(grey.shape)).astype(np.float32)


def _detected(grey: np.ndarray, last: np.ndarray | None) -> np.ndarray | None:
    """The box of the one face: where it was, or in the whole frame; where neither search finds it, that of the last
    one."""
    left, top = (0, 0) if last is None else np.maximum(0, last[:2] - MARGIN * (last[2:] - last[:2])).astype(int)
    right, bottom = grey.shape[::-1] if last is None else np.ceil(last[2:] + MARGIN * (last[2:] - last[:2])).astype(int)
    near = np.ascontiguousarray(grey[top:bottom, left:right])
    for searched, side, origin in ((near, SEARCH_SIDE, (left, top)), (grey, SIDE, (0, 0))):
        try:
            return choose_face(find_faces_at_once(searched, side))[0] + np.array([*origin, *origin])
        except Rejection:
            continue
    return last
