"""Everything that does not turn with the head: backdrop, neck, shoulders and clothes."""

import cv2
import numpy as np

from fersnet.embedded.canvas import Field
from fersnet.embedded.identity import Identity
from fersnet.embedded.pose import PIVOT, Placement
from fersnet.embedded.shading import tone
from fersnet.embedded.view import View


def backdrop(view: View, size: tuple[int, int]) -> Field:
    """A wall that is a little brighter on the side of the light, (H, W, 3) display values."""
    width, height = size
    u = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    v = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    level = 255 * view.backdrop * (1 + 0.10 * (u * view.light[0] + v * view.light[1]) - 0.10 * (u * u + v * v))
    return level[..., None] * np.array((0.99, 1.0, 1.012), np.float32)


def draw_body(image: Field, identity: Identity, view: View, placement: Placement, chin: float) -> None:
    """Paints neck and shoulders into the display image (H, W, 3), in place; `chin`: its y in millimetres."""
    male = identity.sex == "male"
    neck, low = (53.0, 168.0) if male else (43.0, 172.0)
    _draw_neck(image, identity, view, placement, (neck, low, chin))
    _draw_shirt(image, identity, view, placement, (neck, low))


def _paint(
    image: Field, placement: Placement, outline: list[tuple[float, float]], top: float, half: float
) -> tuple[Field, Field, Field, Field]:
    """The part of the image below `top` and within `half` of the midline (millimetres): its view, x, y and the cover.

    `outline` is the left half of a shape that is symmetric about the midline.
    """
    height, width = image.shape[:2]
    scale, (cx, cy) = placement.scale, placement.centre
    first = int(np.clip((top - PIVOT[1]) * scale + cy, 0, height))
    left, right = (int(np.clip(cx + sign * half * scale + (sign > 0), 0, width)) for sign in (-1, 1))
    region = image[first:, left:right]
    y = ((np.arange(first, height, dtype=np.float32) - np.float32(cy)) / np.float32(scale) + np.float32(PIVOT[1]))[
        :, None
    ]
    x = ((np.arange(left, right, dtype=np.float32) - np.float32(cx)) / np.float32(scale))[None, :]
    points = np.array([*outline, *((-u, v) for u, v in reversed(outline))], np.float64)
    pixels = (points - PIVOT[:2]) * scale + (cx - left, cy - first)
    cover = np.zeros(region.shape[:2], np.uint8)
    if cover.size:
        corners = np.round(np.clip(pixels, -8000, 8000) * 16).astype(np.int32)
        cv2.fillPoly(cover, [corners], 255, cv2.LINE_AA, 4)
    return region, x, y, (cover * np.float32(1 / 255))[..., None]


def _draw_neck(
    image: Field, identity: Identity, view: View, placement: Placement, place: tuple[float, float, float]
) -> None:
    """A cylinder in the shadow of the jaw, with the two muscles that run to the collarbones."""
    neck, low, chin = place
    outline = [(-neck, 40), (-neck, 120), (-neck - 3, 150), (-neck - 10, low), (-neck - 10, low + 60)]
    region, x, y, cover = _paint(image, placement, outline, 40, neck + 12)
    if not cover.size:
        return
    across = np.clip(x / np.float32(neck + 4), -1, 1)
    facing = across * view.light[0] + np.sqrt(np.maximum(1 - across**2, 0)) * view.light[2] * 0.9
    under = 0.42 + 0.58 * np.clip((y - chin - 2) / 48, 0, 1) ** 0.8
    muscle = 1 - 0.10 * np.exp(-(((np.abs(x) - 16 - 0.18 * (low - y)) / 5) ** 2)) * np.clip((y - chin) / 30, 0, 1)
    light = (1.1 * (1 - view.ambient) * np.clip((facing + 0.3) / 1.3, 0.05, 1) + 0.75 * view.ambient) * under * muscle
    skin = tone(np.array(identity.skin, np.float32) * 0.92 * light[..., None], view.exposure)
    region += (skin - region) * cover


def _draw_shirt(image: Field, identity: Identity, view: View, placement: Placement, place: tuple[float, float]) -> None:
    """Sloping shoulders with a round neckline."""
    neck, low = place
    line, shoulder = (20.0, 215.0) if identity.sex == "male" else (34.0, 185.0)
    arc = [(-neck * np.cos(turn) * 1.06, low - 14 + line * np.sin(turn)) for turn in np.linspace(np.pi / 2, 0, 7)]
    edge = [(-84, low - 9), (-120, low + 2), (-shoulder * 0.86, low + 28), (-shoulder, low + 62), (-shoulder - 12, 420)]
    region, x, y, cover = _paint(image, placement, [*arc, (-neck * 1.06 - 4, low - 17), *edge], low - 18, shoulder + 14)
    if not cover.size:
        return
    slope = np.clip(0.95 - 0.0022 * np.abs(x) + 0.002 * x * view.light[0], 0.3, 1.2)
    folds = 1 + 0.05 * np.sin(x / 17 + y / 23 + identity.seed % 7) + 0.03 * np.sin(x / 7 - y / 11)
    brightness = (slope * folds * np.clip(0.65 + 0.006 * (y - low), 0.55, 1.0))[..., None]
    shirt = tone(np.array(identity.clothes, np.float32) * brightness, view.exposure)
    region += (shirt - region) * cover
