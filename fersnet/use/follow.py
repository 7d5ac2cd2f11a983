"""Faces of a film, followed from frame to frame by where they are."""

from collections.abc import Sequence

import numpy as np

from fersnet.faces.landmarks import box_overlap

SAME = 0.2
"""Overlap of two boxes, in frames that follow each other, from which they are of one face."""

PATIENCE = 12
"""Frames for which a face may be out of sight and keep its number."""


class Follower:
    """Numbers the faces of one frame after another, from 1; a face keeps its number for as long as it is followed.

    A face is where it was last seen: the pairs of boxes with the largest overlap in sum are of the same faces. One that
    was out of sight for longer than `PATIENCE` frames, or that moves by more than its own size between two, gets a new
    number.
    """

    def __init__(self) -> None:
        self._boxes: dict[int, np.ndarray] = {}
        self._unseen: dict[int, int] = {}
        self._count = 0

    @property
    def count(self) -> int:
        """Faces that were given a number."""
        return self._count

    def follow(self, boxes: Sequence[Sequence[float]]) -> list[int]:
        """The numbers of the faces in the next frame, in the order of their boxes (left, top, right, bottom)."""
        from scipy.optimize import linear_sum_assignment

        now = [np.asarray(box, dtype=np.float64) for box in boxes]
        known = list(self._boxes)
        overlaps = np.array([[box_overlap(box, self._boxes[number]) for number in known] for box in now])
        numbers = [0] * len(now)
        for face, place in zip(*linear_sum_assignment(overlaps.reshape(len(now), len(known)), True), strict=True):
            if overlaps[face, place] >= SAME:
                numbers[face] = known[place]
        for face, number in enumerate(numbers):
            if not number:
                self._count += 1
                numbers[face] = self._count
        for number in known:
            self._unseen[number] += 1
            if self._unseen[number] > PATIENCE:
                del self._boxes[number], self._unseen[number]
        for number, box in zip(numbers, now, strict=True):
            self._boxes[number], self._unseen[number] = box, 0
        return numbers
