"""Mouth: lips, the line between them, teeth, tongue and the dark behind."""

import numpy as np

from fersnet.embedded.canvas import Canvas, Field, Window, bell, ramp, smooth_curve
from fersnet.embedded.shape import Face

_TEETH = np.array((0.60, 0.55, 0.46), np.float32)
_CAVITY = np.array((0.075, 0.018, 0.016), np.float32)
_TONGUE = np.array((0.42, 0.13, 0.12), np.float32)


def jaw_drop(face: Face) -> float:
    """How far the lower teeth have gone down, millimetres."""
    return 15.0 * face.unit(26) + 24.0 * face.unit(27) + 1.2 * face.unit(25)


def draw_mouth(canvas: Canvas, height: Field, albedo: Field, gloss: Field, face: Face) -> tuple[Window, Field, Field]:
    """Models and paints the lips, in place.

    Returns:
        The window of the mouth, the colour (h, w, 3) of what lies behind the lips, and its soft mask (h, w).
    """
    identity, points = face.identity, face.points
    left, right = float(points[48, 0]), float(points[54, 0])
    window = canvas.window(left - 8, right + 8, float(points[48:60, 1].min()) - 8, float(points[48:60, 1].max()) + 9)
    x, y = canvas.x[window[1]], canvas.y[window[0]][:, None]
    top = smooth_curve(points[48:55], x) - np.float32(1.0)
    bottom = smooth_curve(points[[48, 59, 58, 57, 56, 55, 54]], x)
    seam_top = smooth_curve(points[[48, 60, 61, 62, 63, 64, 54]], x)
    seam_bottom = np.maximum(smooth_curve(points[[48, 60, 67, 66, 65, 64, 54]], x), seam_top)
    soft = max(0.9, 1.5 / canvas.scale)
    ends = ramp(x - np.float32(left + 0.6), 2.4) * ramp(np.float32(right - 0.6) - x, 2.4)

    upper = np.clip((y - top) / np.maximum(seam_top - top, 0.8), 0, 1)
    lower = np.clip((y - seam_bottom) / np.maximum(bottom - seam_bottom, 0.8), 0, 1)
    project = 1 + 0.12 * identity.proportion("lip_projection")
    pressed = np.clip(1 - 0.55 * face.unit(24) - 0.4 * face.unit(23), 0.3, 1) * project
    full_upper = np.clip((seam_top - top) / 5.5, 0, 1.3)
    full_lower = np.clip((bottom - seam_bottom) / 8.5, 0, 1.3)
    height[window] += (2.6 * pressed) * np.sin(np.pi * upper**1.3) * full_upper
    height[window] += (3.6 * pressed) * np.sin(np.pi * lower**0.75) * full_lower
    height[window] -= 1.6 * bell(y - (seam_top + seam_bottom) / 2, 0.9) * ends

    lips = ramp(y - top + 0.2, 1.1 * soft) * ramp(bottom - y, 2.0 * soft) * ends
    colour = np.array(identity.lip_colour, np.float32)
    tint = (lips * np.float32(0.85))[..., None]
    darker = np.where(y < (seam_top + seam_bottom) / 2, np.float32(0.66), np.float32(0.86))[..., None]
    albedo[window] = albedo[window] * (1 - tint) + (colour * darker) * tint
    # Lines of the lips, and the dark seam that reaches a little past the corners.
    streak = 0.06 * np.sin(x * 3.1 + identity.seed % 11) * np.sin(x * 1.3)
    albedo[window] *= 1 - (lips * streak)[..., None]
    reach = ramp(x - np.float32(left - 0.8), 2.5) * ramp(np.float32(right + 0.8) - x, 2.5)
    opening = seam_bottom - seam_top
    seam = bell(y - (seam_top + seam_bottom) / 2, 0.75) * (reach * np.clip(1.2 - opening / 2.5, 0, 0.85))
    albedo[window] *= 1 - seam[..., None] * np.array((0.80, 0.92, 0.92), np.float32)
    gloss[window] += lips * 0.8

    mask = ramp(y - seam_top, soft) * ramp(seam_bottom - y, soft) * (ends * np.clip(opening / 1.4 - 0.15, 0, 1))
    return window, _inside(canvas, window, face, seam_top, seam_bottom), mask


def _inside(canvas: Canvas, window: Window, face: Face, seam_top: Field, seam_bottom: Field) -> Field:
    """Colours behind the lips: the teeth belong to skull and jaw, so the lips move over them."""
    rest = face.rest
    x, y = canvas.x[window[1]], canvas.y[window[0]][:, None]
    middle, drop = float(rest[62, 0]), jaw_drop(face)
    off = x - np.float32(middle)
    arc = 0.0052 * off**2
    edge = float(rest[62, 1]) + 2.6 - arc
    lower_edge = float(rest[62, 1]) + 2.2 + drop - 0.6 * arc
    colour = np.broadcast_to(_CAVITY, (*np.broadcast_shapes(y.shape, x.shape), 3)).copy()
    tongue = bell(np.hypot(off / 15, (y - (lower_edge + 3.5)) / 5.0), 0.8)[..., None] * min(1.0, drop / 8)
    colour = colour * (1 - 0.8 * tongue) + _TONGUE * 0.8 * tongue
    # Width of a tooth shrinks towards the sides as the arch turns away.
    turned = np.arcsin(np.clip(off / 30, -1, 1)) * 30
    gaps = 1 - 0.30 * bell((turned / 7.4 + 0.5) % 1 - 0.5, 0.055)
    far = np.clip(1 - (np.abs(off) / 27) ** 2.2, 0.0, 1)
    upper = ramp(edge - y, 1.2) * ramp(26 - np.abs(off), 5)
    lower = ramp(y - lower_edge, 1.2) * ramp(15 - np.abs(off), 8) * ramp(lower_edge + 9.5 - y, 4)
    depth = 0.45 + 0.55 * ramp(y - seam_top - 1.0, 3.4)
    low_gaps = 1 - 0.28 * bell((turned / 5.2) % 1 - 0.5, 0.06)
    teeth = _TEETH * (gaps * (0.35 + 0.65 * far) * depth)[..., None]
    low_teeth = (
        _TEETH * (low_gaps * (0.30 + 0.55 * far))[..., None] * (0.55 + 0.45 * ramp(seam_bottom - y, 3.0))[..., None]
    )
    colour = colour * (1 - lower[..., None]) + low_teeth * lower[..., None]
    return (colour * (1 - upper[..., None]) + teeth * upper[..., None]).astype(np.float32)
