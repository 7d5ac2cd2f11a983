"""From a person, action units and a view to a picture with its ground-truth landmarks.

A head is drawn from the front as a height field with soft masks, lit, and then turned by an inverse warp (2.5D). What
belongs to the person alone is cached; the canvas scale moves in small steps so that the cache survives a zoom.
"""

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np

from fersnet.embedded.action_units import Unit
from fersnet.embedded.body import backdrop, draw_body
from fersnet.embedded.canvas import ANGLES, Canvas, Field, canvas_at, ramp
from fersnet.embedded.creases import add_creases, add_nostrils
from fersnet.embedded.eyes import draw_eye, glint
from fersnet.embedded.geometry import add_features, ear_field, head_outline, plain_head
from fersnet.embedded.hair import Hair, draw_brow, hair_of
from fersnet.embedded.identity import Identity
from fersnet.embedded.mouth import draw_mouth
from fersnet.embedded.pose import head_box, place, sample, warp_maps
from fersnet.embedded.shading import cast_shadow, normals, occlusion, shade_hair, shade_skin, tone
from fersnet.embedded.shape import Face, pose_face
from fersnet.embedded.skin import skin_of
from fersnet.embedded.view import Render, View

_STEP = 1.08
_RIM = np.float32(24.0)
_WARP_BLUR = 2.5
"""Millimetres by which the height field is smoothed before it steers the warp; keeps steep flanks from tearing."""


def render_face(
    identity: Identity, action_units: Mapping[Unit, float], view: View, size: tuple[int, int], rng: np.random.Generator
) -> Render:
    """A frame that shows the person with the given action units.

    Args:
        identity: who.
        action_units: strength per unit, 0 to about 1.2; `12` moves both sides, `"12L"` the left of the image.
        view: pose, light and framing.
        size: width and height of the frame in pixels.
        rng: draws the sensor noise, and nothing else.

    Raises:
        ValueError: if an action unit is unknown or the view's scale is not positive.
    """
    width, height = size
    if not view.interocular > 0 or width < 1 or height < 1:
        raise ValueError(f"nothing to draw: interocular {view.interocular}, size {size}")
    face = pose_face(identity, action_units)
    placement = place(view)
    steps = np.ceil(np.log(np.clip(placement.scale, 0.3, 4.0)) / np.log(_STEP))
    canvas = canvas_at(float(round(_STEP**steps, 6)))
    light = placement.rotation.T @ (np.array(view.light) / np.linalg.norm(view.light))
    head, behind, depth = _draw_head(canvas, face, view, light.astype(np.float32))

    image = backdrop(view, size)
    box = head_box(placement, size)
    left, top, right, bottom = box
    maps = warp_maps(canvas, depth, placement, box) if right > left and bottom > top else None
    if maps is not None and behind is not None:
        _paste(image[top:bottom, left:right], cv2.remap(behind, *maps, cv2.INTER_LINEAR))
    draw_body(image, identity, view, placement, float(face.points[8, 1]))
    if maps is not None:
        _paste(image[top:bottom, left:right], cv2.remap(head, *maps, cv2.INTER_LINEAR))
    if view.noise > 0:
        image += (rng.standard_normal((height, width), dtype=np.float32) * np.float32(view.noise))[..., None]
    pixels = np.clip(image + np.float32(0.5), 0, 255).astype(np.uint8)
    return Render(image=pixels, landmarks=placement.project(face.points, sample(canvas, depth, face.points)))


@lru_cache(maxsize=256)
def _rest_outline(identity: Identity) -> tuple[float, ...]:
    """Radius of the bare head at rest at 64 angles."""
    return tuple(float(value) for value in head_outline(pose_face(identity, {}))[:: ANGLES // 64])


def _paste(region: Field, layer: Field) -> None:
    """Lays a layer (h, w, 4) with premultiplied display values and alpha 0 to 1 over a region, in place."""
    region *= 1 - layer[..., 3:]
    region += layer[..., :3]


def _draw_head(canvas: Canvas, face: Face, view: View, light: Field) -> tuple[Field, Field | None, Field]:
    """The head from the front: premultiplied colours with alpha, hair behind the neck, heights for the warp."""
    identity, scale = face.identity, canvas.scale
    outline = head_outline(face)
    hair = hair_of(identity, scale, _rest_outline(identity))
    height, _ = plain_head(canvas, outline)
    haired, inside = plain_head(canvas, outline + hair.volume)
    height += (haired - height) * np.minimum(hair.mask + hair.outside, 1)
    skin_albedo, relief, skin_gloss = skin_of(identity, scale)
    albedo, gloss, folds = skin_albedo.copy(), skin_gloss.copy(), np.zeros(canvas.shape, np.float32)
    add_features(canvas, height, face)
    add_creases(canvas, height, folds, face)
    mouth_window, mouth_colour, mouth_mask = draw_mouth(canvas, height, albedo, gloss, face)
    eyes = [draw_eye(canvas, height, albedo, face, side, view.gaze) for side in face.sides]
    for side in face.sides:
        draw_brow(canvas, height, albedo, face, side)
    add_nostrils(canvas, albedo, face)
    albedo *= (1 - np.minimum(folds, 0.6))[..., None] ** np.array((0.8, 1.0, 1.05), np.float32)

    ear_height, ear_mask = ear_field(canvas, face, outline)
    edge = max(1.8, 1.6 / scale)
    alpha = ramp(inside - np.float32(0.1), edge)
    beyond = (1 - alpha) * ear_mask
    height = np.where(alpha > 0.5, height, np.where(ear_mask > 0.02, ear_height, height))
    cover = np.clip(hair.mask * ramp(inside + 2.0, 4.0) + hair.outside, 0, 1)
    cover = np.where((alpha < 0.5) & (hair.outside > 0.01), np.float32(1.0), cover)
    height += relief * (1 - cover) + cover * (np.float32(1.2) + hair.relief) + 5.0 * hair.outside

    normal = normals(canvas, height)
    sky = occlusion(canvas, height)
    lit = cast_shadow(canvas, height, light)
    radiance = shade_skin(albedo, normal, light, view.ambient, sky, lit, gloss * (1 - cover))
    hair_light = shade_hair(hair.albedo, hair.flow, normal, light, view.ambient, sky * (0.35 + 0.65 * lit))
    radiance += (hair_light - radiance) * cover[..., None]
    level = np.float32(1.1 * (1 - view.ambient) + view.ambient)
    for side, (window, colour, mask) in zip(face.sides, eyes, strict=True):
        shadow = (0.45 + 0.55 * lit[window])[..., None] * level
        spark = glint(canvas, window, side, view.gaze, light)[..., None] * np.float32(0.9)
        radiance[window] += (colour * shadow + spark - radiance[window]) * mask[..., None]
    radiance[mouth_window] += (mouth_colour * level * 0.9 - radiance[mouth_window]) * mouth_mask[..., None]

    total = np.maximum(np.maximum(alpha, beyond), hair.outside)
    layer = np.empty((*canvas.shape, 4), np.float32)
    layer[..., :3] = tone(radiance, view.exposure) * total[..., None]
    layer[..., 3] = total
    return layer, _hair_behind(hair, view), _warp_depth(canvas, height, inside)


def _hair_behind(hair: Hair, view: View) -> Field | None:
    if not hair.behind.any():
        return None
    dark = tone(hair.albedo * np.float32(0.35), view.exposure) * hair.behind[..., None]
    return np.concatenate([dark, hair.behind[..., None]], axis=2)


def _warp_depth(canvas: Canvas, height: Field, inside: Field) -> Field:
    """The smoothed height field for the warp; its rim is level, so that the ears turn with the head and do not tear."""
    level = np.where(inside > 0, np.maximum(height, _RIM), _RIM)
    small = cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), _WARP_BLUR * canvas.scale / 2)
    return cv2.resize(small, canvas.shape[::-1], interpolation=cv2.INTER_LINEAR)
