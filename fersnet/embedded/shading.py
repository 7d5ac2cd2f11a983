"""Light on a height field: normals, wrapped diffuse light, cast shadow, occlusion, gloss, and the tone curve."""

import cv2
import numpy as np

from fersnet.embedded.canvas import Canvas, Field

_WRAP = np.array((0.38, 0.24, 0.20), np.float32)
"""How far light creeps around the edge per colour: skin scatters red furthest."""


def normals(canvas: Canvas, height: Field) -> tuple[Field, Field, Field]:
    """Unit normals (x, y, z) of the surface z = height(x, y)."""
    step = np.float32(0.5 * canvas.scale)
    slope_x, slope_y = np.zeros_like(height), np.zeros_like(height)
    slope_x[:, 1:-1] = (height[:, 2:] - height[:, :-2]) * step
    slope_y[1:-1] = (height[2:] - height[:-2]) * step
    length = 1 / np.sqrt(slope_x * slope_x + slope_y * slope_y + 1)
    return -slope_x * length, -slope_y * length, length


def occlusion(canvas: Canvas, height: Field) -> Field:
    """Share of the sky that a point sees, 0 to 1, from its height relative to the surroundings at two scales."""
    total = np.ones_like(height)
    small = cv2.resize(height, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for sigma, weight, limit in ((2.6, 0.10, 0.38), (9.0, 0.030, 0.40)):
        blurred = cv2.GaussianBlur(small, (0, 0), sigma * canvas.scale / 2)
        depth = cv2.resize(blurred - small, height.shape[::-1], interpolation=cv2.INTER_LINEAR)
        total -= np.clip(depth * np.float32(weight), -0.06, limit)
    return np.clip(total, 0.2, 1.08)


def cast_shadow(canvas: Canvas, height: Field, light: Field) -> Field:
    """Share of the key light that arrives, 0 to 1, with a soft edge; marches along the light on a coarse grid."""
    factor = min(1.0, 0.55 / canvas.scale)
    small = cv2.resize(height, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    rows, columns = small.shape
    pixel = columns / (height.shape[1] / canvas.scale)
    blocked = np.zeros_like(small)
    rise = max(float(light[2]), 0.25)
    for distance in (4.0, 8.0, 13.0, 19.0, 26.0):
        dx, dy = (round(distance * float(light[axis]) / rise * pixel) for axis in (0, 1))
        if abs(dx) >= columns or abs(dy) >= rows or (dx == 0 and dy == 0):
            continue
        target = (slice(max(0, -dy), rows - max(0, dy)), slice(max(0, -dx), columns - max(0, dx)))
        source = (slice(max(0, dy), rows - max(0, -dy)), slice(max(0, dx), columns - max(0, -dx)))
        over = (small[source] - small[target] - np.float32(distance)) * np.float32(1 / (1.5 + 0.16 * distance))
        np.maximum(blocked[target], over, out=blocked[target])
    blocked = cv2.GaussianBlur(np.clip(blocked, 0, 1), (0, 0), max(0.6, 1.6 * pixel))
    return 1 - cv2.resize(blocked, height.shape[::-1], interpolation=cv2.INTER_LINEAR)


def shade_skin(
    albedo: Field,
    normal: tuple[Field, Field, Field],
    light: Field,
    ambient: float,
    sky: Field,
    lit: Field,
    gloss: Field,
) -> Field:
    """Linear radiance (H, W, 3) of skin under a key light and ambient light from above and in front."""
    facing = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2]
    key = np.float32(1.35 * (1 - ambient))
    fill = np.float32(ambient) * (0.78 - 0.22 * normal[1] + 0.12 * normal[2]) * sky
    half = light + np.array((0, 0, 1), np.float32)
    half /= np.linalg.norm(half)
    shine = np.clip(normal[0] * half[0] + normal[1] * half[1] + normal[2] * half[2], 0, 1)
    squared = shine * shine
    eighth = squared * squared
    eighth *= eighth
    narrow = eighth * eighth
    specular = (0.055 * eighth + 0.10 * narrow * narrow) * gloss * lit * key * sky
    bounce = np.sqrt(sky)
    out = np.empty_like(albedo)
    for channel in range(3):
        wrap = _WRAP[channel]
        diffuse = np.maximum((facing + wrap) * (1 / (1 + wrap)), 0)
        soft = lit if channel else np.minimum(lit * np.float32(0.88) + np.float32(0.12), 1)
        out[..., channel] = albedo[..., channel] * (key * diffuse * soft * bounce + fill) + specular
    return out


def shade_hair(
    albedo: Field,
    flow: tuple[Field, Field],
    normal: tuple[Field, Field, Field],
    light: Field,
    ambient: float,
    sky: Field,
) -> Field:
    """Linear radiance (H, W, 3) of hair: diffuse light and a highlight across the strands (Kajiya and Kay, 1989)."""
    rise = -(flow[0] * normal[0] + flow[1] * normal[1]) / np.maximum(normal[2], 0.15)
    length = 1 / np.sqrt(1 + rise * rise)
    facing = np.clip((normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2] + 0.35) / 1.35, 0, 1)
    half = light + np.array((0, -0.15, 1), np.float32)
    half /= np.linalg.norm(half)
    along = (flow[0] * half[0] + flow[1] * half[1] + rise * half[2]) * length
    across = np.clip(1 - along * along, 0, 1)
    fourth = across * across
    fourth *= fourth
    eighth = fourth * fourth
    key = np.float32(1.35 * (1 - ambient))
    base = (key * facing * (0.55 + 0.45 * across) + ambient) * sky
    shine = key * facing * sky * eighth * eighth
    return albedo * (base + 0.9 * shine)[..., None] + (0.045 * shine)[..., None]


_STEPS = 4096
_RANGE = 2.0
_TONE = np.power(np.clip(1 - np.exp(-1.45 * np.linspace(0, _RANGE, _STEPS)), 0, 1), 1 / 2.2).astype(np.float32) * 255


def tone(radiance: Field, exposure: float) -> Field:
    """Display values 0 to 255 (float32) of linear radiance: an exponential shoulder, then gamma 2.2."""
    index = np.clip(radiance * np.float32(exposure * (_STEPS - 1) / _RANGE), 0, _STEPS - 1).astype(np.uint16)
    return _TONE[index]
