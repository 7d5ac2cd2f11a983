"""The frontal drawing plane: a grid in millimetres, and the few ways to put something on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Window = tuple[slice, slice]

LEFT, RIGHT, TOP, BOTTOM = -108.0, 108.0, -150.0, 168.0
"""Bounds of the plane in millimetres; x to the right of the image, y down, the eyes at y = 0."""
POLE = (0.0, 12.0)
"""Centre of the polar coordinates in which the outline of the head is a function of the angle."""
ANGLES = 2048
"""Number of table entries over a full turn."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """A pixel grid over the plane with the coordinates that do not depend on who is drawn."""

    scale: float
    """Pixels per millimetre."""
    x: Field
    """(W,) millimetres."""
    y: Field
    """(H,) millimetres."""
    radius: Field
    """(H, W) distance from the pole in millimetres."""
    turn: NDArray[np.int32]
    """(H, W) angle about the pole as an index into a table of `ANGLES` entries."""

    @property
    def shape(self) -> tuple[int, int]:
        return (len(self.y), len(self.x))

    def window(self, left: float, right: float, top: float, bottom: float) -> Window:
        """The rows and columns that cover a rectangle given in millimetres; may be empty."""
        first, last = int((left - LEFT) * self.scale), int((right - LEFT) * self.scale) + 2
        high, low = int((top - TOP) * self.scale), int((bottom - TOP) * self.scale) + 2
        rows, columns = self.shape
        return slice(min(max(high, 0), rows), min(max(low, 0), rows)), slice(
            min(max(first, 0), columns), min(max(last, 0), columns)
        )


@lru_cache(maxsize=8)
def canvas_at(scale: float) -> Canvas:
    """The canvas with that many pixels per millimetre."""
    x = (LEFT + np.arange(int((RIGHT - LEFT) * scale) + 1) / scale).astype(np.float32)
    y = (TOP + np.arange(int((BOTTOM - TOP) * scale) + 1) / scale).astype(np.float32)
    dx, dy = x[None, :] - POLE[0], y[:, None] - POLE[1]
    angle = np.arctan2(dy, dx) % (2 * np.pi)
    turn = np.round(angle * (ANGLES / (2 * np.pi))).astype(np.int32) % ANGLES
    return Canvas(scale, x, y, np.hypot(dx, dy).astype(np.float32), turn)


def polar_table(points: NDArray[np.floating]) -> Field:
    """Radius by angle, (ANGLES,) float32, of a smooth closed outline through points (K, 2) around the pole."""
    dx, dy = points[:, 0] - POLE[0], points[:, 1] - POLE[1]
    angle = np.arctan2(dy, dx) % (2 * np.pi)
    order = np.argsort(angle)
    angle, radius = angle[order], np.hypot(dx, dy)[order]
    return _periodic_spline(angle, radius)


def _periodic_spline(angle: NDArray[np.floating], radius: NDArray[np.floating]) -> Field:
    """The periodic cubic spline through values at ascending angles in [0, 2 pi), at `ANGLES` even angles."""
    count = len(angle)
    gaps = np.diff(np.append(angle, angle[0] + 2 * np.pi))
    before = np.roll(gaps, 1)
    rises = (np.roll(radius, -1) - radius) / gaps
    rows = np.arange(count)
    system = np.zeros((count, count))
    system[rows, rows] = 2 * (before + gaps)
    system[rows, (rows + 1) % count] = gaps
    system[rows, (rows - 1) % count] = before
    bends = np.linalg.solve(system, 6 * (rises - np.roll(rises, 1)))  # second derivatives
    at = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    index = np.searchsorted(angle, at, side="right") - 1  # -1 is the last knot, one turn earlier
    t = (at - angle[index]) % (2 * np.pi)
    gap, bend, following = gaps[index], bends[index], bends[(index + 1) % count]
    slope = rises[index] - gap * (2 * bend + following) / 6
    return (radius[index] + t * (slope + t * (bend / 2 + t * (following - bend) / (6 * gap)))).astype(np.float32)


def ramp(values: Field, width: float) -> Field:
    """A smooth step from 0 at -width/2 to 1 at +width/2."""
    t = np.minimum(np.maximum(values * np.float32(1.0 / width) + np.float32(0.5), 0), 1)
    return t * t * (3 - 2 * t)


def bell(values: Field, sigma: float) -> Field:
    """exp(-v^2 / 2 sigma^2)."""
    return np.exp(values * values * np.float32(-0.5 / (sigma * sigma)))


def add_bump(canvas: Canvas, field: Field, x: float, y: float, height: float, sigma_x: float, sigma_y: float) -> None:
    """Adds a Gaussian of the given height to the field, in place."""
    window = canvas.window(x - 3 * sigma_x, x + 3 * sigma_x, y - 3 * sigma_y, y + 3 * sigma_y)
    field[window] += np.outer(
        bell(canvas.y[window[0]] - np.float32(y), sigma_y) * np.float32(height),
        bell(canvas.x[window[1]] - np.float32(x), sigma_x),
    )


def smooth_curve(points: NDArray[np.floating], at: Field) -> Field:
    """Values at `at` of a smooth function through points (K, 2) with ascending first coordinate; constant outside.

    A cubic Hermite curve whose slopes are harmonic means (Fritsch and Butland, 1984), so it never overshoots.
    """
    knots, values = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
    gaps = np.maximum(np.diff(knots), 1e-3)
    knots = knots[0] + np.concatenate([[0.0], np.cumsum(gaps)])
    rises = np.diff(values) / gaps
    slopes = np.concatenate([rises[:1], np.zeros(len(knots) - 2), rises[-1:]])
    product = rises[:-1] * rises[1:]
    same = product > 0
    weight = (gaps[:-1] + 2 * gaps[1:]) / (3 * (gaps[:-1] + gaps[1:]))
    mixed = weight * rises[1:] + (1 - weight) * rises[:-1]
    slopes[1:-1][same] = product[same] / mixed[same]
    inside = np.minimum(np.maximum(at, knots[0]), knots[-1])
    index = np.minimum(np.maximum(np.searchsorted(knots, inside, side="right") - 1, 0), len(gaps) - 1)
    gap, first, rise = gaps[index], slopes[index], rises[index]
    t = (inside - knots[index]) / gap
    bend = 3 * rise - 2 * first - slopes[index + 1]
    curve = values[index] + gap * t * (first + t * (bend + t * (first + slopes[index + 1] - 2 * rise)))
    return curve.astype(np.float32)


def slope_factor(curve: Field, scale: float) -> Field:
    """By how much the distance to a curve is shorter than the distance along the axis; from samples one pixel apart."""
    steps = np.diff(curve, append=2 * curve[-1] - curve[-2]) * np.float32(scale)
    return 1 / np.sqrt(1 + steps * steps)


@dataclass(frozen=True)
class Stroke:
    """A crease along a curve: a groove with a bulge on one side, and the darker skin in it."""

    points: Sequence[tuple[float, float]]
    """At least two points (x, y) in millimetres, monotone in the coordinate of larger extent."""
    depth: float
    """Millimetres."""
    sigma: float = 1.2
    """Half width of the groove, millimetres."""
    bulge: float = 0.0
    """Height of the bulge relative to the depth; negative puts it on the other side (towards smaller x or y)."""
    bulge_offset: float = 4.0
    bulge_sigma: float = 3.0
    taper: float = 0.6
    """Exponent of the fading towards the two ends."""


def add_stroke(canvas: Canvas, height: Field, shade: Field, stroke: Stroke) -> None:
    """Carves a stroke into the height field and adds its darkness to `shade` (0 none, 1 black), both in place."""
    points = np.asarray(stroke.points, np.float64)
    extent = np.ptp(points, axis=0)
    along = 1 if extent[1] >= extent[0] else 0
    points = points[np.argsort(points[:, along], kind="stable")]
    reach = 3 * stroke.sigma + (stroke.bulge_offset + 2.5 * stroke.bulge_sigma if stroke.bulge else 0)
    low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
    low[along], high[along] = points[0, along], points[-1, along]
    window = canvas.window(low[0], high[0], low[1], high[1])
    run = canvas.y[window[0]] if along == 1 else canvas.x[window[1]]
    cross = canvas.x[window[1]] if along == 1 else canvas.y[window[0]]
    if len(run) < 2 or len(cross) == 0:
        return
    centre = smooth_curve(points[:, [along, 1 - along]], run)
    lean = slope_factor(centre, canvas.scale)
    t = np.minimum(np.maximum((run - points[0, along]) / max(points[-1, along] - points[0, along], 1e-3), 0), 1)
    fade = (np.sin(np.pi * t) ** stroke.taper).astype(np.float32)
    distance = (cross[:, None] - centre[None, :]) * lean[None, :]
    groove = bell(distance, stroke.sigma) * fade
    change = -stroke.depth * groove
    if stroke.bulge:
        offset = np.float32(np.copysign(stroke.bulge_offset, stroke.bulge))
        change += abs(stroke.bulge) * stroke.depth * bell(distance - offset, stroke.bulge_sigma) * fade
    darkness = np.minimum(0.22 * stroke.depth, 0.4) * groove
    if along == 1:
        change, darkness = change.T, darkness.T
    height[window] += change
    shade[window] += darkness
