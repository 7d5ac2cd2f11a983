"""The height field of a head in millimetres: the skull, the soft forms of the face, the nose, the ears."""

import numpy as np

from fersnet.embedded.canvas import ANGLES, Canvas, Field, add_bump, bell, polar_table, ramp, smooth_curve
from fersnet.embedded.shape import Face, Points, Side

DEPTH = 84.0
"""Height of the plain head above its outline, millimetres."""


def skull_points(face: Face) -> Points:
    """The outline above the ears, right to left over the top, (11, 2) millimetres."""
    p = face.identity.proportion
    high = 1 + 0.025 * p("forehead_height")
    wide = 1 + 0.022 * p("face_width") + 0.02 * p("forehead_width")
    temple = 1 + 0.02 * p("temple_width")
    right = np.array(
        [(74.5 * temple, -16), (73 * temple, -40), (67, -66), (54.5, -88), (34, -104), (0, -110.5)], np.float32
    )
    right *= (wide, high)
    return np.concatenate([right, right[4::-1] * (-1, 1)]).astype(np.float32)


def head_outline(face: Face) -> Field:
    """Radius of the bare head by angle, a table of `ANGLES` entries."""
    # The drawn jaw lies a little outside of the landmarks, which people place on the visible edge.
    return polar_table(np.concatenate([face.points[:17], skull_points(face)])) + np.float32(1.3)


def plain_head(canvas: Canvas, outline: Field) -> tuple[Field, Field]:
    """Height of the featureless head, and the signed distance to its outline (positive inside), both (H, W)."""
    limit = outline[canvas.turn]
    share = np.minimum(canvas.radius / limit, np.float32(1.0))
    cubed = share * share * np.sqrt(share)
    height = np.float32(DEPTH * 1.14) * (np.sqrt(1.06 - cubed) - np.float32(np.sqrt(0.06)))
    return height, limit - canvas.radius


def add_features(canvas: Canvas, height: Field, face: Face) -> None:
    """Adds everything between the plain head and the creases, in place."""
    _add_nose(canvas, height, face)
    for side in face.sides:
        _add_side(canvas, height, face, side)
    _add_middle(canvas, height, face)


def _add_middle(canvas: Canvas, height: Field, face: Face) -> None:
    p, points = face.identity.proportion, face.points
    add_bump(canvas, height, 0, -19, 1.0 + 0.9 * p("brow_ridge") + 1.2 * face.unit(4), 9, 6)
    add_bump(canvas, height, 0, -62, 3.0, 40, 20)
    lip_top, lip_bottom, chin = float(points[51, 1]), float(points[57, 1]), float(points[8, 1])
    nose_base = float(points[33, 1]) - 1.0
    add_bump(canvas, height, 0, (lip_top + lip_bottom) / 2 - 2, 7.0 + 0.8 * p("lip_projection"), 24, 19)
    middle = (lip_top + nose_base) / 2
    add_bump(canvas, height, 0, middle + 1, -1.5, 2.4, 5.5)
    for x in (-4.6, 4.6):
        add_bump(canvas, height, x, middle + 1.5, 0.9, 1.8, 5.5)
    sulcus = lip_bottom + 5.5 - 1.5 * face.unit(17)
    add_bump(canvas, height, 0, sulcus, -3.2 - 1.6 * face.unit(17), 15, 4.0)
    add_bump(canvas, height, 0, chin - 15 - 2 * face.unit(17), 6.0 + 1.2 * p("chin_projection"), 15, 9.5)
    add_bump(canvas, height, 0, sulcus + 7, 3.0 * face.unit(17), 10, 5)


def _add_nose(canvas: Canvas, height: Field, face: Face) -> None:
    p, points = face.identity.proportion, face.points
    tip, base, root = float(points[30, 1]), float(points[33, 1]) - 1.0, float(points[27, 1])
    project = 1 + 0.07 * p("nose_projection")
    window = canvas.window(-30, 30, root - 16, base + 6)
    y, x = canvas.y[window[0]], canvas.x[window[1]] - np.float32(points[30, 0])
    bridge = 1.0 * p("nose_bridge")
    profile = smooth_curve(
        np.array(
            [
                (root - 15, 0),
                (root - 4, 2.4 + bridge),
                (root + 6, 5.2 + bridge),
                (root + 15, 8.0 + bridge),
                (tip - 9, 13.5 * project),
                (tip, 17.0 * project),
                (base - 5.5, 15.5 * project),
                (base - 1.5, 8),
                (base + 2.5, 0),
            ]
        ),
        y,
    )
    wide = 1 + 0.05 * p("nose_width")
    width = smooth_curve(
        np.array(
            [
                (root - 15, 8.5),
                (root - 3, 6.2),
                (root + 9, 6.4),
                (tip - 9, 8.2 * wide),
                (tip, 9.6 * wide),
                (base, 10 * wide),
            ]
        ),
        y,
    )
    height[window] += profile[:, None] * np.exp(-0.5 * (x[None, :] / width[:, None]) ** 2)
    # The flanks spread into the cheeks.
    add_bump(canvas, height, float(points[30, 0]), root + 14, 4.0, 12, 11)
    add_bump(canvas, height, float(points[30, 0]), tip - 3, 4.5, 16, 9)
    add_bump(canvas, height, float(points[30, 0]), tip + 0.5, 4.2, 5.6, 5.2)
    for side in face.sides:
        wing, flare = side.points[31], 1.4 * side.unit(9)
        wing_x, wing_y = float(wing[0]), float(wing[1]) - 1.5
        add_bump(canvas, height, wing_x, wing_y - 4.0, 8.0 + flare, 4.2, 4.6)
        add_bump(canvas, height, wing_x + side.sign * 6.5, wing_y - 3.0, -2.4, 2.6, 6.5)
        add_bump(canvas, height, float(side.points[32, 0]) * 0.85, base - 3.0, -5.0, 2.9, 1.6)


def _add_side(canvas: Canvas, height: Field, face: Face, side: Side) -> None:
    p, s, points, rest = face.identity.proportion, side.sign, side.points, side.rest
    age = (face.identity.age - 18) / 50
    eye_x, eye_y = float(rest[36:42, 0].mean()), float(rest[36:42, 1].mean())
    brow = points[17:22].mean(axis=0)
    # Orbit, deeper towards the nose, with the eyeball under the lids.
    add_bump(canvas, height, eye_x + s * 1.0, eye_y - 1.0, -8.5 - 0.9 * p("eye_depth"), 16, 10)
    add_bump(canvas, height, float(rest[39, 0]) - s * 1.0, eye_y - 1.5, -5.5 - 0.5 * p("eye_depth"), 5.5, 7)
    add_bump(canvas, height, eye_x, eye_y, 6.5, 9.5, 7.5)
    ridge = 3.2 + 0.8 * p("brow_ridge")
    add_bump(canvas, height, float(brow[0]), float(brow[1]) + 1.0, ridge + 0.8 * side.unit(4), 17, 5.5)
    add_bump(
        canvas, height, float(points[21, 0]), float(points[21, 1]) + 1.5, 1.6 * side.unit(4) + 0.9 * side.unit(1), 6, 4
    )
    # Cheekbone, and the cheek that 6 and 12 lift.
    raised = side.unit(6) + 0.8 * side.unit(12)
    add_bump(canvas, height, s * 48, 22, 4.2 + 1.0 * p("cheekbone"), 14, 10)
    add_bump(
        canvas,
        height,
        s * 37,
        31 - 3.5 * min(raised, 1.5),
        3.0 + 0.8 * p("cheek_fat") + 4.2 * raised + 3.5 * side.unit(9),
        12,
        10,
    )
    add_bump(
        canvas,
        height,
        s * 44,
        58,
        -1.2 + 1.4 * p("cheek_fat") - 1.4 * age - 1.2 * side.unit(26) - 2.0 * side.unit(27),
        12,
        16,
    )
    add_bump(canvas, height, s * 52, 84, 2.0 + 0.8 * p("jaw_width"), 12, 12)
    add_bump(canvas, height, s * 60, -24, -2.2 - 0.8 * age, 9, 16)
    # Corner of the mouth: a small pit, deeper when 14 or 12 pull it back.
    corner = points[48]
    add_bump(
        canvas,
        height,
        float(corner[0]) + s * 1.5,
        float(corner[1]),
        -1.6 - 1.4 * side.unit(14) - 0.8 * side.unit(12),
        3.0,
        3.4,
    )
    add_bump(
        canvas,
        height,
        float(corner[0]) + s * 7.5,
        float(corner[1]) + 1,
        1.4 * side.unit(14) + 1.2 * side.unit(12),
        4.5,
        6,
    )
    # The pouch beside the chin that 15 and 20 pull down.
    add_bump(
        canvas, height, float(corner[0]) + s * 4, float(corner[1]) + 13, 1.4 * side.unit(15) + 0.9 * side.unit(20), 7, 6
    )


def ear_field(canvas: Canvas, face: Face, outline: Field) -> tuple[Field, Field]:
    """Height of the ears and their soft mask, (H, W) each; they lie behind the head."""
    height, mask = np.zeros(canvas.shape, np.float32), np.zeros(canvas.shape, np.float32)
    size = 1 + 0.05 * face.identity.proportion("ear_size")
    for side, entry in ((face.left, ANGLES // 2), (face.right, 0)):
        reach, s = float(outline[entry]), side.sign
        x0, y0 = s * (reach + 2.0), 16.0
        window = canvas.window(x0 - 16, x0 + 16, y0 - 34, y0 + 34)
        y = (canvas.y[window[0]] - np.float32(y0))[:, None]
        # Leaning outwards at the top, narrower at the lobe.
        x = (canvas.x[window[1]] - np.float32(x0))[None, :] * np.float32(s) + 0.20 * y
        half = (8.6 - 0.11 * y) * size
        q = np.sqrt((x / half) ** 2 + (y / (27 * size)) ** 2)
        rim = bell(q - 0.80, 0.11) * 3.0
        bowl = -4.5 * bell(np.hypot((x + 1.5) / 5.0, (y - 3) / 12.0), 0.75)
        inner = 1.4 * bell(np.hypot((x - 0.8) / 4.4, (y + 1) / 15.0) - 0.95, 0.22)
        height[window] = np.maximum(height[window], 0) + np.where(q < 1.15, 14 + rim + bowl + inner, 0)
        mask[window] = np.maximum(mask[window], 1 - ramp((q - 1) * 8.0, 2.2))
    return height, mask
