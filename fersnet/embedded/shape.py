"""The shape of a face at one moment: 68 landmarks in millimetres and the strength of every action unit on each side.

x points to the right of the image, y down; the eye centres of the average face lie at (-32, 0) and (32, 0).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fersnet.embedded.action_units import Unit, side_strengths
from fersnet.embedded.identity import Identity
from fersnet.embedded.landmarks import BASE, MIRROR, UNIT_MOVES

Points = NDArray[np.float32]

EYE_DISTANCE = 64.0
"""Distance between the eye centres of the average face in millimetres."""


@dataclass(frozen=True, eq=False)
class Side:
    """One half of a face. Points are named by the left half of the image; `sign` is -1 there and +1 on the right."""

    sign: float
    points: Points
    """(68, 2) in face millimetres, with mirrored names on the right: `points[48]` is this side's mouth corner."""
    rest: Points
    """The same points at rest."""
    strengths: Mapping[int, float]

    def unit(self, number: int) -> float:
        """Strength of an action unit on this side; 0 where it is at rest."""
        return self.strengths.get(number, 0.0)


@dataclass(frozen=True, eq=False)
class Face:
    """A person at one moment."""

    identity: Identity
    points: Points
    rest: Points
    left: Side
    right: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.left, self.right

    def unit(self, number: int) -> float:
        """Mean strength of an action unit over both sides."""
        return (self.left.unit(number) + self.right.unit(number)) / 2


def _full(half: Mapping[int, tuple[float, float]]) -> Points:
    points = np.zeros((68, 2), np.float32)
    for index, (x, y) in half.items():
        points[index] = (x, y)
        points[MIRROR[index]] = (-x, y)
    return points


def _unit_matrices() -> dict[int, tuple[Points, Points]]:
    matrices = {}
    for unit, moves in UNIT_MOVES.items():
        left, right = np.zeros((68, 2), np.float32), np.zeros((68, 2), np.float32)
        for index, (x, y) in moves.items():
            if MIRROR[index] == index:
                left[index], right[index] = (0, y / 2), (0, y / 2)
            else:
                left[index], right[MIRROR[index]] = (x, y), (-x, y)
        matrices[unit] = (left, right)
    return matrices


_BASE_POINTS = _full(BASE)
_UNIT_MATRICES = _unit_matrices()
_HALF = np.array(sorted(BASE))
_MIRROR = np.array(MIRROR)


@lru_cache(maxsize=256)
def neutral_points(identity: Identity) -> Points:
    """The person's landmarks at rest, float32 (68, 2), millimetres. Do not change the array: it is shared."""
    p = identity.proportion
    half = _BASE_POINTS.astype(np.float64)  # shaped as if symmetric; only the left half and the midline count

    def move(indices: tuple[int, ...], x: float = 0.0, y: float = 0.0) -> None:
        half[list(indices)] += (x, y)

    jaw = np.arange(9)
    half[jaw, 0] *= 1 + 0.022 * p("face_width")
    half[jaw, 0] *= 1 + 0.02 * p("cheek_width") * np.exp(-(((half[jaw, 1] - 25) / 25) ** 2))
    half[jaw, 0] *= 1 + 0.028 * p("jaw_width") * np.exp(-(((half[jaw, 1] - 80) / 22) ** 2))
    half[jaw, 0] *= 1 + 0.07 * p("chin_width") * np.exp(-(((half[jaw, 1] - 112) / 12) ** 2))
    half[jaw, 1] += 1.6 * p("jaw_angle") * np.exp(-(((half[jaw, 1] - 92) / 16) ** 2))
    half[jaw, 1] += (2.6 * p("chin_height") + 2.2 * p("face_height")) * np.clip((half[jaw, 1] - 20) / 100, 0, 1)

    eye, upper_lid = (36, 37, 38, 39, 40, 41), (37, 38)
    for index in eye:
        half[index, 0] = -32 + (half[index, 0] + 32) * (1 + 0.04 * p("eye_width"))
    move(upper_lid, y=-0.45 * p("eye_opening"))
    move((40, 41), y=0.15 * p("eye_opening"))
    move((36,), y=-0.9 * p("eye_slant"))
    move((37, 41), y=-0.3 * p("eye_slant"))
    move(eye, x=-0.9 * p("eye_distance"), y=0.5 * p("eye_height"))

    brow = (17, 18, 19, 20, 21)
    move(brow, x=-0.4 * p("eye_distance"), y=-1.15 * p("brow_height"))
    move((18, 19), y=-0.6 * p("brow_arch"))
    move((17, 21), y=0.4 * p("brow_arch"))
    move((21,), x=-0.7 * p("brow_distance"), y=0.4 * p("brow_slant"))
    move((20,), x=-0.3 * p("brow_distance"), y=0.2 * p("brow_slant"))
    move((17,), x=-0.9 * p("brow_length"), y=-0.6 * p("brow_slant"))

    move((28,), y=0.5 * p("nose_length"))
    move((29,), y=1.0 * p("nose_length"))
    move((30, 31, 32, 33), y=1.5 * p("nose_length"))
    move((30,), y=-0.7 * p("nose_tip"))
    half[[31, 32], 0] *= 1 + 0.06 * p("nose_width")

    mouth = (48, 49, 50, 51, 57, 58, 59, 60, 61, 62, 66, 67)
    for index in mouth:
        half[index, 0] *= 1 + 0.05 * p("mouth_width")
    move(mouth, y=0.9 * p("mouth_height") + 1.3 * p("nose_length") + 1.1 * p("face_height"))
    move((49, 50, 51), y=-0.65 * p("upper_lip"))
    move((57, 58), y=0.8 * p("lower_lip"))
    move((59,), y=0.4 * p("lower_lip"))
    move((50,), y=-0.3 * p("cupid_bow"))

    points = np.zeros((68, 2), np.float32)
    points[_MIRROR[_HALF]] = half[_HALF] * (-1, 1)
    points[_HALF] = half[_HALF]
    brow_shift, eye_shift, corner_shift, nose_shift = identity.asymmetry
    points[17:22, 1] += brow_shift
    points[22:27, 1] -= brow_shift
    points[37:39, 1] += 0.4 * eye_shift
    points[43:45, 1] -= 0.4 * eye_shift
    points[[48, 60], 1] += corner_shift
    points[[54, 64], 1] -= corner_shift
    points[28:36, 0] += nose_shift
    return points


def pose_face(identity: Identity, action_units: Mapping[Unit, float]) -> Face:
    """The person with action units at work.

    Raises:
        ValueError: if an action unit is unknown.
    """
    rest = neutral_points(identity)
    points = rest.copy()
    strengths = side_strengths(action_units)
    for unit, (left, right) in strengths.items():
        matrices = _UNIT_MATRICES[unit]
        points += left * matrices[0] + right * matrices[1]
    _raise_knitted_brows(points, strengths)
    _keep_apart(points)
    mirrored = _MIRROR
    return Face(
        identity=identity,
        points=points,
        rest=rest,
        left=Side(-1.0, points, rest, {unit: pair[0] for unit, pair in strengths.items()}),
        right=Side(1.0, points[mirrored], rest[mirrored], {unit: pair[1] for unit, pair in strengths.items()}),
    )


def _raise_knitted_brows(points: Points, strengths: Mapping[int, tuple[float, float]]) -> None:
    """Where 1 and 4 act together the inner brow goes up, not down: the frontal muscle wins over the corrugator."""
    inner, frown = strengths.get(1, (0.0, 0.0)), strengths.get(4, (0.0, 0.0))
    for side, indices in enumerate(((20, 21), (23, 22))):
        for index in indices:
            points[index, 1] -= (
                0.75 * min(1.0, 1.6 * inner[side]) * frown[side] * UNIT_MOVES[4][MIRROR[index] if side else index][1]
            )


def _keep_apart(points: Points) -> None:
    """Lids and lips touch, but never cross; lips keep a little height however hard they are pressed."""
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46), (61, 67), (62, 66), (63, 65)):
        if points[lower, 1] < points[upper, 1]:
            points[[upper, lower], 1] = points[[upper, lower], 1].mean()
    for outer, inner in ((50, 61), (51, 62), (52, 63)):
        points[outer, 1] = min(points[outer, 1], points[inner, 1] - 2.2)
    for inner, outer in ((67, 58), (66, 57), (65, 56)):
        points[outer, 1] = max(points[outer, 1], points[inner, 1] + 3.2)
