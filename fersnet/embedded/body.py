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
    height, width = image.shape[:2]
    male = identity.sex == "male"
    scale, (cx, cy) = placement.scale, placement.centre

    def pixels(points: list[tuple[float, float]]) -> np.ndarray:
        moved = (np.array(points, np.float64) - PIVOT[:2]) * scale + (cx, cy)
        return np.round(np.clip(moved, -4000, 8000) * 16).astype(np.int32)

    neck, low = (53.0, 168.0) if male else (43.0, 172.0)
    shoulder = 215.0 if male else 185.0
    top = int(np.clip((40 - PIVOT[1]) * scale + cy, 0, height))
    if top >= height:
        return
    v = ((np.arange(top, height, dtype=np.float32) - cy) / scale + PIVOT[1])[:, None]
    u = ((np.arange(width, dtype=np.float32) - cx) / scale)[None, :]
    # Neck: a cylinder in the shadow of the jaw, with the two muscles that run to the collarbones.
    across = np.clip(u / (neck + 4), -1, 1)
    facing = across * view.light[0] + np.sqrt(np.maximum(1 - across**2, 0)) * view.light[2] * 0.9
    under = 0.42 + 0.58 * np.clip((v - chin - 2) / 48, 0, 1) ** 0.8
    muscle = 1 - 0.10 * np.exp(-(((np.abs(u) - 16 - 0.18 * (low - v)) / 5) ** 2)) * np.clip((v - chin) / 30, 0, 1)
    light = (1.1 * (1 - view.ambient) * np.clip((facing + 0.3) / 1.3, 0.05, 1) + 0.75 * view.ambient) * under * muscle
    skin = tone(np.array(identity.skin, np.float32) * 0.92 * light[..., None], view.exposure)
    shape = np.zeros((height - top, width), np.uint8)
    offset = np.array([0, top * 16], np.int32)
    outline = [(-neck, 40), (-neck, 120), (-neck - 3, 150), (-neck - 14, low - 8), (-120, low + 30), (-120, 330)]
    cv2.fillPoly(shape, [pixels(outline + [(-x, y) for x, y in reversed(outline)]) - offset], 255, cv2.LINE_AA, 4)
    cover = shape.astype(np.float32)[..., None] / 255
    region = image[top:]
    region += (skin - region) * cover
    # Shirt: sloping shoulders with a round neckline.
    line = 20.0 if male else 34.0
    cloth = np.zeros((height - top, width), np.uint8)
    arc = [(neck * np.cos(t) * 1.06, low - 14 + line * np.sin(t)) for t in np.linspace(0, np.pi, 13)]
    rim = [(neck * 1.06 + 4, low - 17), *arc, (-neck * 1.06 - 4, low - 17)]
    edge = [(-84, low - 9), (-120, low + 2), (-shoulder * 0.86, low + 28), (-shoulder, low + 62), (-shoulder - 12, 420)]
    cv2.fillPoly(cloth, [pixels(rim + edge + [(-x, y) for x, y in reversed(edge)]) - offset], 255, cv2.LINE_AA, 4)
    slope = np.clip(0.95 - 0.0022 * np.abs(u) + 0.002 * u * view.light[0], 0.3, 1.2)
    folds = 1 + 0.05 * np.sin(u / 17 + v / 23 + identity.seed % 7) + 0.03 * np.sin(u / 7 - v / 11)
    brightness = (slope * folds * np.clip(0.65 + 0.006 * (v - low), 0.55, 1.0))[..., None]
    shirt = tone(np.array(identity.clothes, np.float32) * brightness, view.exposure)
    region += (shirt - region) * (cloth.astype(np.float32)[..., None] / 255)
