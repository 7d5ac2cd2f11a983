"""A person seen from the side: a drawing, for the second camera of MMI's dual-view and profile recordings.

The renderer's faces are height fields seen from the front and cannot be turned to a profile. Readers only ever need to
tell this view from the frontal one and leave it out, so an outline with shading serves.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from fersnet.embedded.identity import Identity
from fersnet.embedded.view import View

EYE_DISTANCE = 64.0
"""Millimetres between the eye centres, which set the scale of a view."""
_SUPERSAMPLING = 2
_BACKGROUND = 0.22
# Millimetres from the middle of the head; x towards where the person looks, y down.
_FRONT = [(22, 265), (26, 108), (44, 98)]
_JAW = [(68, 94), (76, 84), (71, 72), (79, 63), (72, 57)]
_FACE = [(80, 48), (74, 36), (80, 32), (99, 22), (90, 6), (75, -20), (80, -36), (76, -62), (58, -96)]
_SKULL = [(10, -122), (-45, -116), (-84, -84), (-97, -40), (-88, 10), (-70, 40), (-66, 100), (-82, 265)]
_HAIR = [(66, -86), (52, -84), (36, -52), (24, -12), (6, -22), (-8, 8), (-24, 34), (-66, 52)]


def draw_profile(
    identity: Identity,
    action_units: Mapping[int | str, float],
    view: View,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> np.ndarray:
    """The person from the side, looking to the right of the image.

    Args:
        identity: gives colours, nose, chin and forehead.
        action_units: units 12, 15, 25, 26 and 27 move the mouth and the jaw.
        view: framing, exposure and noise.
        size: width and height in pixels.
        rng: draws the sensor noise.

    Returns:
        uint8 (height, width, 3) RGB.
    """
    unit = {int(str(key).rstrip("LR")): strength for key, strength in action_units.items()}
    opening = 5 * unit.get(25, 0.0) + 14 * unit.get(26, 0.0) + 24 * unit.get(27, 0.0)
    front = [(x, y + opening) for x, y in _FRONT[2:]] + [(x - opening / 4, y + opening) for x, y in _JAW]
    nose, chin = 3 * identity.proportion("nose_projection"), 3 * identity.proportion("chin_projection")
    face = [(x + nose * (x > 85), y) for x, y in _FACE]
    front = [(x + chin * (y - opening > 80), y) for x, y in front]
    outline = _smooth([*_FRONT[:2], *front, *face, *_SKULL])
    hair = _smooth([*_HAIR, *reversed([(x - 1, y - 3) for x, y in _SKULL[:6]])])
    width, height = (side * _SUPERSAMPLING for side in size)
    scale = view.interocular / EYE_DISTANCE * _SUPERSAMPLING
    centre = np.array(view.centre) * _SUPERSAMPLING

    def fill(points: np.ndarray) -> np.ndarray:
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.round((points * scale + centre) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return mask

    skin_mask = fill(outline)
    depth = np.clip(cv2.distanceTransform((skin_mask > 127).astype(np.uint8), cv2.DIST_L2, 3) / (30 * scale), 0, 1)
    shade = cv2.GaussianBlur(0.62 + 0.38 * np.sqrt(depth), (0, 0), max(1.0, 3 * scale))[..., None]
    picture = np.full((height, width, 3), _BACKGROUND, np.float32)
    unlit = np.ones_like(shade)
    corner = 58 + opening / 2 - 8 * unit.get(12, 0.0) + 6 * unit.get(15, 0.0)
    ear = cv2.ellipse2Poly((-14, 2), (11, 20), 12, 0, 360, 15).astype(np.float64)
    layers = [
        (skin_mask, identity.skin, shade),
        (fill(ear), tuple(0.8 * value for value in identity.skin), shade),
        (fill(np.array([(74.0, 56.0), (46.0, corner), (72.0, 58.0 + opening)])), (0.08, 0.02, 0.02), unlit),
        (fill(np.array([(66.0, -15.0), (52.0, -9.0), (65.0, -6.0)])), (0.75, 0.75, 0.72), unlit),
        (fill(np.array([(66.0, -14.0), (61.0, -13.0), (61.0, -7.0), (65.0, -6.0)])), identity.iris, unlit),
        (fill(np.array([(75.0, -31.0), (46.0, -36.0), (45.0, -32.0), (74.0, -26.0)])), identity.brow_colour, unlit),
    ]
    if identity.hair_style != "bald":
        layers.append((fill(hair), identity.hair_colour, shade))
    for mask, colour, light in layers:
        left, top, wide, high = cv2.boundingRect(mask)
        part = np.s_[top : top + high, left : left + wide]
        alpha = (mask[part].astype(np.float32) / 255)[..., None]
        picture[part] += alpha * (np.float32(colour) * light[part] - picture[part])
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) * view.exposure
    encoded = 255 * np.clip(small, 0, 1) ** (1 / 2.2) + rng.normal(0, view.noise, small.shape)
    return np.clip(encoded, 0, 255).astype(np.uint8)


def _smooth(points: list[tuple[float, float]]) -> np.ndarray:
    """The closed outline through corner cutting (Chaikin), two rounds."""
    outline = np.array(points, dtype=np.float64)
    for _ in range(2):
        following = np.roll(outline, -1, axis=0)
        outline = np.stack([0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following], 1).reshape(-1, 2)
    return outline
