"""Eyes: the opening between the lids, eyeball, iris, lashes, and the crease of the upper lid."""

import numpy as np

from fersnet.embedded.canvas import Canvas, Field, Window, bell, ramp
from fersnet.embedded.shape import Face, Points, Side

IRIS_RADIUS = 6.1
_SCLERA = np.array((0.63, 0.59, 0.57), np.float32)
_CARUNCLE = np.array((0.55, 0.26, 0.22), np.float32)


def _lid(points: Points, x: Field) -> Field:
    """The cubic through four lid points, evaluated between its ends."""
    knots, heights = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
    centre = knots.mean()
    a, b, c, d = np.linalg.solve(np.vander(knots - centre, 4), heights)
    t = np.minimum(np.maximum(x, knots.min()), knots.max()) - centre
    return (((a * t + b) * t + c) * t + d).astype(np.float32)


def draw_eye(
    canvas: Canvas, height: Field, albedo: Field, face: Face, side: Side, gaze: tuple[float, float]
) -> tuple[Window, Field, Field]:
    """Shapes the lids in `height` and paints lashes on `albedo`, in place.

    Returns:
        The window of the eye, the colour (h, w, 3) of the eyeball in it, and the soft mask (h, w) of the opening.
    """
    identity, points, rest, s = face.identity, side.points, side.rest, side.sign
    outer, inner = float(points[36, 0]), float(points[39, 0])
    outer += 0.9 * s
    left, right = min(outer, inner), max(outer, inner)
    window = canvas.window(left - 9, right + 9, float(rest[37, 1]) - 15, float(rest[41, 1]) + 11)
    x, y = canvas.x[window[1]], canvas.y[window[0]][:, None]
    order = slice(None) if s < 0 else slice(None, None, -1)
    top = _lid(points[[36, 37, 38, 39]][order], x)
    bottom = _lid(points[[36, 41, 40, 39]][order], x)
    bottom = np.maximum(bottom, top)
    along = np.clip((x - outer) / (inner - outer), 0, 1)
    ends = ramp(x - np.float32(left + 0.4), 1.6) * ramp(np.float32(right - 0.4) - x, 1.6)
    soft = max(0.7, 1.3 / canvas.scale)
    opened = np.clip((bottom - top) / 1.2, 0, 1)
    mask = ramp(y - top, soft) * ramp(bottom - y, soft) * (ends * opened)

    # Lid margin, lashes and crease; beyond the corners everything fades.
    span = ramp(x - np.float32(left - 2.0), 5) * ramp(np.float32(right + 2.0) - x, 5)
    female = identity.sex == "female"
    lash = (0.75 if female else 0.55) + 0.25 * (1 - along)
    upper_line = bell(y - top + 0.3, 0.75 if female else 0.62) * (lash * ends)
    lower_line = bell(y - bottom - 0.2, 0.55) * ((0.42 if female else 0.34) * ends)
    rest_top = _lid(rest[[36, 37, 38, 39]][order], x)
    gap = (3.6 + 0.55 * identity.proportion("lid_fold") - 0.8 * max(0.0, side.unit(4) - side.unit(1))) * (
        0.35 + 0.65 * np.sin(np.pi * np.clip(0.1 + 0.8 * along, 0, 1))
    )
    # The crease moves a third as far as the margin: a widened eye hides its lid, a closed one shows it.
    crease = np.minimum(rest_top - gap + 0.33 * (top - rest_top), top - 0.9)
    fold = bell(y - crease, 0.95) * span
    height[window] += -1.15 * fold + 0.75 * bell(y - crease + 2.6, 1.8) * span
    height[window] += 0.55 * bell(y - bottom - 1.6, 1.0) * ends
    dark = np.clip(np.maximum(upper_line, lower_line) + 0.30 * fold, 0, 1)[..., None]
    lid_colour = albedo[window] * (1 - dark) + dark * np.array((0.02, 0.012, 0.01), np.float32)
    between = ramp(y - crease, 1.5) * ramp(top - y, 1.5) * span
    shadow = np.float32(0.16 if female else 0.08) * between
    albedo[window] = lid_colour * (1 - shadow[..., None] * np.array((0.8, 1.0, 0.9), np.float32))
    return window, _eyeball(canvas, window, face, side, gaze, top, along), mask


def _eyeball(
    canvas: Canvas, window: Window, face: Face, side: Side, gaze: tuple[float, float], top: Field, along: Field
) -> Field:
    identity, rest = face.identity, side.rest
    x, y = canvas.x[window[1]], canvas.y[window[0]][:, None]
    centre_x = float(rest[36:42, 0].mean()) - side.sign * 0.4 + gaze[0]
    centre_y = float(rest[36:42, 1].mean()) - 0.3 + gaze[1]
    distance = np.hypot(x[None, :] - np.float32(centre_x), y - np.float32(centre_y))
    angle = np.arctan2(y - np.float32(centre_y), x[None, :] - np.float32(centre_x))
    # A sphere darkens towards the corners, and the upper lid throws a shadow.
    corner = 1 - 0.30 * (2 * along - 1) ** 2 - 0.05 * ramp(along - 0.9, 0.2)
    colour = _SCLERA * corner[None, :, None]
    caruncle = ramp(along - 0.92, 0.10)[None, :, None]
    colour = colour * (1 - caruncle) + _CARUNCLE * caruncle
    share = distance / IRIS_RADIUS
    fibres = 1 + 0.16 * np.sin(angle * 23 + identity.seed) * np.sin(angle * 9 + 2) + 0.35 * (share - 0.5)
    edge = 1 - 0.75 * ramp(share - 0.92, 0.28)
    iris = np.array(identity.iris, np.float32) * np.clip(fibres * edge, 0.05, 2)[..., None]
    inside = ramp(np.float32(IRIS_RADIUS) - distance, max(1.1, 1.5 / canvas.scale))[..., None]
    colour = colour * (1 - inside) + iris * inside
    pupil = ramp(np.float32(2.2) - distance, max(0.8, 1.4 / canvas.scale))[..., None]
    colour = colour * (1 - pupil) + 0.006 * pupil
    shadow = 0.42 + 0.58 * ramp(y - top - 1.6, 4.4)
    return (colour * shadow[..., None]).astype(np.float32)


def glint(canvas: Canvas, window: Window, side: Side, gaze: tuple[float, float], light: Field) -> Field:
    """The reflection of the key light on the cornea, (h, w), 0 to 1."""
    x = float(side.rest[36:42, 0].mean()) - side.sign * 0.4 + gaze[0] + 3.4 * float(light[0])
    y = float(side.rest[36:42, 1].mean()) - 0.3 + gaze[1] + 3.4 * float(light[1])
    distance = np.hypot(canvas.x[window[1]][None, :] - np.float32(x), canvas.y[window[0]][:, None] - np.float32(y))
    return bell(distance, max(0.75, 0.7 / canvas.scale))
