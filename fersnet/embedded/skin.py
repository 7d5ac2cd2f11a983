"""Skin: what of the surface belongs to the person alone, cached per person and scale."""

from functools import lru_cache

import cv2
import numpy as np

from fersnet.embedded.canvas import Canvas, Field, add_bump, canvas_at
from fersnet.embedded.identity import Identity
from fersnet.embedded.shape import neutral_points
from fersnet.seeds import derive_seed


def noise_field(canvas: Canvas, rng: np.random.Generator, sigma: float) -> Field:
    """Smooth noise of zero mean and unit deviation with features of about `sigma` millimetres, (H, W)."""
    spacing = max(1.0, sigma * canvas.scale)
    height, width = canvas.shape
    small = rng.standard_normal((int(height / spacing) + 3, int(width / spacing) + 3), dtype=np.float32)
    field = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / max(float(field.std()), 1e-6)


@lru_cache(maxsize=12)
def skin_of(identity: Identity, scale: float) -> tuple[Field, Field, Field]:
    """Reflectance (H, W, 3), relief in millimetres (H, W) and gloss (H, W) of bare skin. Shared: do not change."""
    canvas = canvas_at(scale)
    rng = np.random.default_rng(derive_seed("skin", identity.seed))
    points = neutral_points(identity)
    mottle = 0.022 * noise_field(canvas, rng, 9.0) + 0.016 * noise_field(canvas, rng, 2.2)
    pores = noise_field(canvas, rng, 1.2)
    relief = (0.035 + 0.02 * (identity.age > 45)) * pores

    red = np.zeros(canvas.shape, np.float32)
    tip, chin = points[30], float(points[8, 1])
    add_bump(canvas, red, float(tip[0]), float(tip[1]) + 2, 0.9, 10, 9)
    for s in (-1, 1):
        add_bump(canvas, red, s * 40, 34, 0.95, 15, 13)
        add_bump(canvas, red, s * 82, 16, 1.0, 9, 22)
        add_bump(canvas, red, s * 30, 6, 0.35, 15, 7)
    add_bump(canvas, red, 0, chin - 12, 0.4, 12, 9)
    red = red * np.float32(identity.blush) * (1 + 0.25 * noise_field(canvas, rng, 5.0))

    albedo = np.array(identity.skin, np.float32) * (1 + mottle)[..., None]
    albedo *= 1 - red[..., None] * np.array((0.02, 0.20, 0.17), np.float32)
    # Thin skin below the eyes is a little darker and cooler.
    shade = np.zeros(canvas.shape, np.float32)
    for s in (-1, 1):
        add_bump(canvas, shade, s * 28, 8.5, 0.5 + 0.3 * (identity.age - 18) / 50, 11, 4.0)
        add_bump(canvas, shade, s * 20, 1.0, 0.7, 5, 6)
    albedo *= 1 - shade[..., None] * np.array((0.16, 0.19, 0.15), np.float32)
    if identity.freckles > 0:
        spots = np.clip(noise_field(canvas, rng, 1.6) - 1.25, 0, 1)
        area = np.zeros(canvas.shape, np.float32)
        for s in (-1, 1):
            add_bump(canvas, area, s * 30, 24, 1.0, 18, 14)
        albedo *= 1 - (np.minimum(area, 1) * spots * np.float32(min(identity.freckles, 1.0)))[..., None] * np.array(
            (0.35, 0.55, 0.7), np.float32
        )
    _add_beard(canvas, albedo, relief, identity, rng)
    gloss = np.full(canvas.shape, 0.55, np.float32)
    add_bump(canvas, gloss, float(tip[0]), float(tip[1]) - 4, 0.55, 8, 16)
    add_bump(canvas, gloss, 0, -48, 0.45, 30, 16)
    for s in (-1, 1):
        add_bump(canvas, gloss, s * 42, 22, 0.35, 12, 9)
    return albedo.astype(np.float32), relief.astype(np.float32), gloss


def _beard_area(canvas: Canvas, identity: Identity) -> tuple[Field, Field]:
    """Where the beard grows and where the moustache and goatee do, (H, W) each, 0 to 1."""
    points = neutral_points(identity)
    x, y = np.abs(canvas.x)[None, :], canvas.y[:, None]
    lip, base = float(points[51, 1]), float(points[33, 1])
    corner = float(abs(points[[48, 54], 0]).mean())
    line = 22 + 40 * np.clip((76 - x) / 40, 0, 1) ** 1.4
    cheek = 1 / (1 + np.exp(-(y - line) / 3.0))
    moustache = np.exp(-(((y - (base + lip) / 2 - 0.10 * (x / 8) ** 2) / 5.5) ** 4)) * (x < corner + 8)
    inside = np.exp(-((x / (corner + 5)) ** 4) - ((y - lip - 4) / 13) ** 6)
    jaw = cheek * np.clip((y - base - 4) / 6, 0, 1) * (1 - inside * 0.9)
    side = cheek * (x > corner + 6)
    chin = np.exp(-((x / 21) ** 4)) * np.clip((y - float(points[57, 1]) - 1) / 4, 0, 1)
    full = np.maximum(np.maximum(jaw, side), moustache)
    ring = np.exp(-(((x - corner - 4) / 5) ** 2)) * (y > base + 4) * (y < float(points[8, 1]))
    goatee = np.maximum(np.maximum(moustache, chin), ring)
    smooth = max(1.0, 2.0 * canvas.scale)
    return tuple(cv2.GaussianBlur(area.astype(np.float32), (0, 0), smooth) for area in (full, goatee))


def _add_beard(canvas: Canvas, albedo: Field, relief: Field, identity: Identity, rng: np.random.Generator) -> None:
    if identity.sex != "male":
        return
    full, goatee = _beard_area(canvas, identity)
    grain = noise_field(canvas, rng, 0.9)
    cool = np.array((0.30, 0.26, 0.20), np.float32)
    albedo *= 1 - (full * np.clip(1 + 0.25 * grain, 0.3, 1.6))[..., None] * np.float32(identity.stubble) * cool
    if identity.beard == "none":
        return
    area = full if identity.beard == "full" else goatee
    if identity.beard == "moustache":
        area = goatee * (canvas.y[:, None] < float(neutral_points(identity)[51, 1]) + 3)
    hair = np.array(identity.hair_colour, np.float32) * 1.25
    stretched = cv2.GaussianBlur(
        rng.standard_normal(canvas.shape, dtype=np.float32), (0, 0), 0.6, sigmaY=2.2 * max(canvas.scale, 0.5)
    )
    stretched /= max(float(stretched.std()), 1e-6)
    cover = np.clip(area * (0.80 + 0.14 * stretched), 0, 0.93)[..., None]
    albedo[:] = albedo * (1 - cover) + hair * (1 + 0.28 * stretched)[..., None].clip(0.3, 2) * cover
    relief += (0.7 + 0.22 * stretched) * area
