"""Folds and wrinkles: which lines the action units and age draw into the skin."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fersnet.embedded.canvas import Canvas, Field, Stroke, add_bump, add_stroke
from fersnet.embedded.shape import Face, Side

_RELIEF = 1.5
"""Factor on the depth of every fold: soft light and a few pixels per millimetre swallow shallower ones."""


def add_creases(canvas: Canvas, height: Field, shade: Field, face: Face) -> None:
    """Carves all folds into the height field and darkens `shade` along them, in place."""
    for stroke in _middle_strokes(face):
        if stroke.depth > 0.03:
            add_stroke(canvas, height, shade, replace(stroke, depth=_RELIEF * stroke.depth))
    for side in face.sides:
        for stroke in (*_upper_strokes(face, side), *_lower_strokes(face, side)):
            if stroke.depth > 0.03:
                add_stroke(canvas, height, shade, replace(stroke, depth=_RELIEF * stroke.depth))


def add_nostrils(canvas: Canvas, albedo: Field, face: Face) -> None:
    """Darkens the nostrils, in place."""
    base = float(face.points[33, 1]) - 1.0
    for side in face.sides:
        dark = np.zeros(canvas.shape, np.float32)
        window = canvas.window(-24, 24, base - 9, base + 5)
        add_bump(canvas, dark, float(side.points[32, 0]) * 0.86, base - 2.2, 0.95, 2.7 + 0.5 * side.unit(9), 1.35)
        add_bump(canvas, dark, float(side.points[31, 0]) * 1.06, float(side.points[31, 1]) - 3.0, 0.35, 1.4, 3.2)
        albedo[window] *= 1 - np.minimum(dark[window], 0.95)[..., None] * np.array((0.82, 0.92, 0.94), np.float32)


def _age(face: Face) -> float:
    return float(np.clip((face.identity.age - 22) / 40, 0, 1.1))


def _middle_strokes(face: Face) -> Iterator[Stroke]:
    """Lines that cross the middle of the face."""
    age = _age(face)
    inner, outer, frown, wrinkle = face.unit(1), face.unit(2), face.unit(4), face.unit(9)
    brow_y = float(face.points[[20, 23], 1].mean())
    whole = max(0.0, 1.1 * min(inner, outer * 1.2) - 0.35 * frown)
    centre = max(0.0, inner - 0.6 * outer)
    for step, (lift, weight) in enumerate(((13.0, 0.8), (21.0, 1.0), (29.0, 0.8), (36.5, 0.45))):
        y = -20 - lift + 0.30 * (brow_y + 20)
        half = 40 - 4.0 * step
        wave = 1.2 * np.sin(step * 2.1 + face.identity.seed % 7)
        depth = weight * (0.75 * whole + 0.16 * age)
        yield Stroke(
            [
                (-half, y + 2.2),
                (-half * 0.55, y - 0.6 + wave),
                (0, y + 1.0),
                (half * 0.5, y - 0.8 - wave),
                (half, y + 2.2),
            ],
            depth,
            sigma=1.15,
            bulge=0.5,
            bulge_offset=4.2,
            bulge_sigma=2.4,
        )
        half = 19 - 2.0 * step
        yield Stroke(
            [(-half, y + 3.5), (-half * 0.5, y + 0.8), (0, y + 0.3), (half * 0.5, y + 0.8), (half, y + 3.5)],
            weight * 0.85 * centre,
            sigma=1.15,
            bulge=0.5,
            bulge_offset=4.0,
            bulge_sigma=2.4,
        )
    root = float(face.points[27, 1])
    for offset, weight in ((-5.5, 0.9), (-1.0, 1.0), (4.5, 0.7)):
        yield Stroke(
            [(-8.5, root + offset + 1.2), (0, root + offset - 0.6), (8.5, root + offset + 1.2)],
            weight * (1.15 * wrinkle + 0.35 * frown + 0.08 * age),
            sigma=1.1,
            bulge=0.5,
            bulge_offset=2.6,
            bulge_sigma=1.5,
        )
    lip = float(face.points[57, 1])
    yield Stroke([(-11, lip + 6.0), (0, lip + 4.6), (11, lip + 6.0)], 0.35 + 1.1 * face.unit(17), sigma=1.8)


def _upper_strokes(face: Face, side: Side) -> Iterator[Stroke]:
    """Brow, eye and nose of one side."""
    age, s, points, rest = _age(face), side.sign, side.points, side.rest
    frown, wrinkle, squint = side.unit(4), side.unit(9), side.unit(6)
    brow_x, brow_y = points[21]
    yield Stroke(
        [
            (brow_x - s * 2.0, brow_y - 13),
            (brow_x - s * 3.2, brow_y - 5),
            (brow_x - s * 3.0, brow_y + 3),
            (brow_x - s * 1.5, brow_y + 9),
        ],
        1.9 * frown + 1.1 * wrinkle + 0.22 * age,
        sigma=1.35,
        bulge=0.6 * s,
        bulge_offset=4.0,
        bulge_sigma=2.4,
    )
    # The oblique furrow over the inner brow when 1 and 4 work against each other.
    both = min(side.unit(1), 2.0 * frown) * max(0.0, 1 - side.unit(2))
    yield Stroke(
        [(brow_x - s * 4, brow_y - 8), (brow_x + s * 5, brow_y - 6.5), (brow_x + s * 17, brow_y - 1.5)],
        0.8 * both,
        sigma=1.5,
        bulge=-0.4,
        bulge_offset=4.0,
        bulge_sigma=2.5,
    )
    # Nose: wrinkles that fan down its flank.
    for offset, weight in ((0.0, 1.0), (5.0, 0.9), (10.0, 0.6)):
        yield Stroke(
            [(s * 5.5, 6 + offset), (s * 10.5, 9.5 + offset), (s * 14.5, 14.5 + offset)],
            weight * 1.9 * wrinkle,
            sigma=1.1,
            bulge=0.5,
            bulge_offset=2.8,
            bulge_sigma=1.5,
        )
    outer, lower = points[36], points[[40, 41]].mean(axis=0)
    crow = 0.85 * squint + 0.25 * side.unit(7) + 0.22 * age
    for angle, length in ((-0.42, 13), (-0.08, 15), (0.28, 14), (0.62, 11)):
        x0, y0 = outer[0] + s * 4.5, outer[1] + 6 * angle
        x1, y1 = x0 + s * length * np.cos(angle), y0 + length * np.sin(angle)
        yield Stroke(
            [(x0, y0), ((x0 + x1) / 2, (y0 + y1) / 2 - 0.6), (x1, y1)],
            crow,
            sigma=1.0,
            bulge=0.3,
            bulge_offset=2.3,
            bulge_sigma=1.3,
        )
    # Under the eye: the bag that 6, 7 and 9 push up, and the furrow below it.
    bag = 1.1 * squint + 0.7 * side.unit(7) + 0.7 * wrinkle + 0.35 * age + 0.15
    x_in, x_out = float(rest[39, 0]), float(rest[36, 0])
    y = float(lower[1])
    yield Stroke(
        [
            (x_in - s * 0.5, y + 2.0),
            (x_in * 0.65 + x_out * 0.35, y + 5.6),
            (x_in * 0.3 + x_out * 0.7, y + 6.2),
            (x_out, y + 3.4),
        ],
        0.8 * bag,
        sigma=1.3,
        bulge=-0.5,
        bulge_offset=3.0,
        bulge_sigma=1.8,
    )
    yield Stroke(
        [(x_in + s * 1, y + 7), (x_in * 0.6 + x_out * 0.4, y + 12.5), (x_in * 0.2 + x_out * 0.8, y + 14)],
        0.75 * squint + 0.5 * wrinkle + 0.3 * age + 0.1,
        sigma=1.7,
        bulge=0.5,
        bulge_offset=5.0,
        bulge_sigma=3.5,
    )


def _lower_strokes(face: Face, side: Side) -> Iterator[Stroke]:
    """Cheek, mouth and chin of one side."""
    age, s, points = _age(face), side.sign, side.points
    wing, corner = points[31] + (s * 1.2, -1.6), points[48]
    smile, upper = side.unit(12), side.unit(10)
    fold = (
        0.28
        + 0.75 * age
        + 1.55 * smile
        + 1.5 * upper
        + 2.0 * side.unit(9)
        + 0.35 * side.unit(20)
        + 0.3 * side.unit(15)
        + 0.25 * side.unit(6)
    )
    reach = abs(corner[0]) + 6.5 + 1.5 * smile
    end = corner[1] - 1 + 4 * max(0.0, 1 - 1.2 * smile)
    lift = 2.5 * upper + 2.0 * side.unit(9)
    yield Stroke(
        [
            (wing[0] + s * 1.5, wing[1] - 11 - lift),
            (wing[0] + s * 5.5, wing[1] - 3.5),
            (s * (abs(wing[0]) * 0.42 + reach * 0.58 + 2), (wing[1] + end) / 2 - 1.5),
            (s * reach, end),
        ],
        fold,
        sigma=1.75,
        bulge=0.95 * s,
        bulge_offset=6.0,
        bulge_sigma=4.2,
        taper=0.8,
    )
    # The arc behind the corner of the mouth.
    pulled = 0.8 * smile + 1.5 * side.unit(14) + 0.7 * side.unit(20)
    x = corner[0] + s * 4.2
    yield Stroke(
        [(x - s * 1.2, corner[1] - 7), (x, corner[1] - 0.5), (x - s * 1.6, corner[1] + 6)],
        pulled,
        sigma=1.3,
        bulge=0.7 * s,
        bulge_offset=3.6,
        bulge_sigma=2.2,
    )
    # The line that runs down from the corner.
    yield Stroke(
        [
            (corner[0] + s * 1.2, corner[1] + 1.0),
            (corner[0] + s * 3.8, corner[1] + 9),
            (corner[0] + s * 4.5, corner[1] + 19),
        ],
        0.12 + 0.45 * age + 1.25 * side.unit(15) + 0.35 * side.unit(20) + 0.3 * side.unit(17),
        sigma=1.6,
        bulge=0.5 * s,
        bulge_offset=4.0,
        bulge_sigma=3.0,
    )
    # Horizontal stretch lines beside the mouth.
    for offset in (4.0, 9.0):
        yield Stroke(
            [(corner[0] + s * 3, corner[1] + offset), (corner[0] + s * 16, corner[1] + offset + 2.5)],
            0.6 * side.unit(20),
            sigma=1.2,
        )
    # Dents of a bunched chin.
    chin = float(face.points[8, 1])
    for x, y in ((3.5, -18), (8.5, -15), (5.5, -11)):
        yield Stroke([(s * (x - 1.5), chin + y - 2), (s * (x + 1.0), chin + y + 2)], 0.8 * side.unit(17), sigma=1.3)
