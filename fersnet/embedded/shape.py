"""The 68 landmarks of a frontal face in millimetres: base shape, proportions of a person, displacements by action units.

x points to the right of the image, y down; the eye centres of the average face lie at (-32, 0) and (32, 0).
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fersnet.embedded.action_units import Unit, side_strengths
from fersnet.embedded.identity import Identity

Points = NDArray[np.float32]

MIRROR: tuple[int, ...] = (
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41,
    40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
)  # fmt: skip
"""Index of the mirror image of every landmark (iBUG order)."""

EYE_DISTANCE = 64.0
"""Distance between the eye centres of the average face in millimetres."""

# Left half of the image and midline; the right half mirrors it.
_BASE: dict[int, tuple[float, float]] = {
    0: (-74, 3), 1: (-73.5, 22), 2: (-71.5, 41), 3: (-67.5, 60), 4: (-60, 78), 5: (-49, 94), 6: (-35, 107.5),
    7: (-18.5, 116.5), 8: (0, 119.5),
    17: (-58, -13.5), 18: (-49, -21), 19: (-36.5, -23.5), 20: (-23, -21), 21: (-11, -16.5),
    27: (0, -1), 28: (0, 11.5), 29: (0, 24), 30: (0, 36.5), 31: (-16, 44.5), 32: (-8.5, 47.5), 33: (0, 49.5),
    36: (-45, 0.5), 37: (-36.8, -4.8), 38: (-27.8, -5.0), 39: (-19, 1.5), 40: (-28, 3.8), 41: (-37, 3.6),
    48: (-26, 71), 49: (-17, 67), 50: (-7, 65), 51: (0, 66.3), 57: (0, 82), 58: (-7.5, 81.3), 59: (-16.5, 77.5),
    60: (-23.5, 71.2), 61: (-8, 71.2), 62: (0, 71.8), 66: (0, 72.2), 67: (-8, 71.8),
}  # fmt: skip

# Displacement in millimetres at strength 1 of the left half; positive x is towards the midline.
UNIT_MOVES: dict[int, dict[int, tuple[float, float]]] = {
    1: {21: (0.8, -8), 20: (0.4, -5.5), 19: (0, -2), 38: (0, -0.5)},
    2: {17: (0, -5.5), 18: (0, -7.5), 19: (0, -6.5), 20: (0, -3), 21: (0, -0.5), 37: (0, -0.6)},
    4: {21: (4, 6), 20: (4, 5.5), 19: (3, 4), 18: (1.5, 2.5), 17: (0.5, 1), 37: (0, 0.6), 38: (0, 1.2)},
    5: {37: (0, -3.2), 38: (0, -3.2), 41: (0, 0.3), 40: (0, 0.3)},
    6: {41: (0, -2), 40: (0, -1.6), 36: (0.6, -0.4), 37: (0, 0.8), 17: (0, 0.8), 18: (0, 0.6)},
    7: {40: (0, -2), 41: (0, -2), 37: (0, 1.6), 38: (0, 1.6)},
    9: {31: (-0.8, -3.5), 32: (0, -3), 33: (0, -2), 30: (0, -1.8), 29: (0, -0.8), 49: (0, -3), 50: (0, -3.5), 51: (0, -3),
        61: (0, -2.5), 62: (0, -2.5), 21: (2, 4.5), 20: (1.5, 4), 19: (0.8, 2.5), 18: (0, 1), 37: (0, 1.2), 38: (0, 1.6),
        40: (0, -1.6), 41: (0, -1.4)},
    10: {49: (0, -3.5), 50: (0, -5), 51: (0, -4.2), 61: (0, -4.2), 62: (0, -4.2), 31: (-0.5, -1.5), 48: (0.3, -0.8)},
    12: {48: (-9, -7), 60: (-9, -7), 49: (-5.5, -3.5), 50: (-2, -0.8), 59: (-6, -2.5), 58: (-2.5, -0.5), 61: (-3.5, -1.6),
         67: (-3.5, -1.2), 3: (-1, 0), 4: (-1.5, 0), 5: (-1, 0), 31: (-1, -0.5)},
    14: {48: (-4, -1.2), 60: (-4, -1.2), 49: (-2, -0.3), 59: (-2, -0.3)},
    15: {48: (-1, 7), 60: (-1, 7), 49: (-0.5, 2.4), 59: (-0.5, 5), 58: (0, 1.2), 61: (0, 1.0), 67: (0, 1.2)},
    16: {57: (0, 4.5), 58: (0, 4.2), 59: (-0.5, 2), 66: (0, 5), 67: (0, 4.2)},
    17: {57: (0, -3), 58: (0, -3), 59: (0, -1.5), 66: (0, -2.2), 67: (0, -2.2), 61: (0, -2.2), 62: (0, -2.2), 50: (0, -2),
         51: (0, -2), 8: (0, -2), 7: (0, -1.5)},
    18: {48: (5, 0), 60: (5, 0), 49: (3, -0.5), 59: (3, 0.5), 58: (0.8, 1), 50: (0.8, -1), 57: (0, 1), 51: (0, -1)},
    20: {48: (-8, 2), 60: (-8, 2), 49: (-4, 0.3), 59: (-4, 1), 58: (-1.5, 0.5), 61: (-3, 0), 67: (-3, 0.5), 50: (-1, 0.5)},
    23: {48: (2.5, 0), 60: (2.5, 0), 49: (1, 1), 50: (0, 1.6), 51: (0, 1.4), 57: (0, -2.2), 58: (0, -2), 59: (1, -1)},
    24: {48: (1.5, 0), 60: (1.5, 0), 49: (0.5, 1.2), 50: (0, 2), 51: (0, 1.8), 57: (0, -2.2), 58: (0, -2), 59: (0.5, -1.2)},
    25: {61: (0, -1.8), 62: (0, -1.8), 50: (0, -1.2), 51: (0, -1.2), 66: (0, 3.4), 67: (0, 3), 57: (0, 2.6), 58: (0, 2.4),
         59: (0, 1)},
    26: {8: (0, 11), 7: (0, 10), 6: (0, 8), 5: (0.5, 5), 4: (0.5, 2), 57: (0, 12), 58: (0, 11), 59: (1, 6), 66: (0, 12),
         67: (0, 10.5), 48: (2.5, 3.5), 60: (2.5, 3.5), 61: (0, -0.5), 62: (0, -0.5), 49: (1, 0)},
    27: {8: (0, 20), 7: (0.5, 18.5), 6: (1, 15), 5: (1.5, 9), 4: (1, 4), 57: (0, 21), 58: (0, 19), 59: (2, 12), 66: (0, 21),
         67: (0, 18.5), 48: (5, 7), 60: (5, 7), 61: (0, -1), 62: (0, -1), 49: (2, 0.5)},
    43: {37: (0, 6.5), 38: (0, 6.8), 40: (0, -0.8), 41: (0, -0.8)},
}  # fmt: skip


def _full(half: Mapping[int, tuple[float, float]]) -> Points:
    points = np.zeros((68, 2), np.float32)
    for index, (x, y) in half.items():
        points[index] = (x, y)
        points[MIRROR[index]] = (-x, y)
    return points


_BASE_POINTS = _full(_BASE)


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


_UNIT_MATRICES = _unit_matrices()


@lru_cache(maxsize=256)
def neutral_points(identity: Identity) -> Points:
    """The person's landmarks at rest, float32 (68, 2), millimetres."""
    p = identity.proportion
    points = _BASE_POINTS.copy()
    side = np.sign(points[:, 0])
    jaw = slice(0, 17)
    points[jaw, 0] *= 1 + 0.03 * p("face_width")
    points[:, 1] *= 1 + 0.018 * p("face_height")
    points[4:13, 0] *= 1 + 0.02 * p("jaw_width")
    brows, eyes, mouth = slice(17, 27), slice(36, 48), slice(48, 68)
    points[eyes, 0] += side[eyes] * 0.8 * p("eye_distance")
    points[brows, 1] -= 1.3 * p("brow_height")
    points[31:36, 0] *= 1 + 0.06 * p("nose_width")
    points[mouth, 0] *= 1 + 0.05 * p("mouth_width")
    return points


def face_points(identity: Identity, action_units: Mapping[Unit, float]) -> Points:
    """The person's landmarks with action units at work, float32 (68, 2), millimetres."""
    points = neutral_points(identity).copy()
    for unit, (left, right) in side_strengths(action_units).items():
        matrices = _UNIT_MATRICES[unit]
        points += left * matrices[0] + right * matrices[1]
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        if points[lower, 1] < points[upper, 1]:
            points[[upper, lower], 1] = points[[upper, lower], 1].mean()
    return points
