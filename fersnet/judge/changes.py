"""What the fixed judge must put up with, and what must leave it unsure.

Images are float (B, 1, S, S) in [0, 1], and so is what comes back. All draws are made per image, from the torch global
RNG of the CPU.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Change = Callable[[Tensor], Tensor]


def light(images: Tensor) -> Tensor:
    """Another exposure, and another gamma of the camera."""
    gain, gamma = _drawn(images, -0.35, 0.35).exp(), _drawn(images, -0.4, 0.4).exp()
    return (gain * images.clamp(min=1e-4) ** gamma).clamp(0, 1)


def contrast(images: Tensor) -> Tensor:
    """Grey values drawn together about their mean, or apart."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (mean + _drawn(images, -0.7, 0.4).exp() * (images - mean)).clamp(0, 1)


def shading(images: Tensor) -> Tensor:
    """A light from one side: brightness that falls across the face."""
    ramp = torch.linspace(-1, 1, images.shape[-1])
    angle, depth = _drawn(images, 0, 2 * math.pi), _drawn(images, 0.1, 0.6)
    across = angle.cos() * ramp + angle.sin() * ramp[:, None]
    return (images * (1 + depth * across)).clamp(0, 1)


def blur(images: Tensor) -> Tensor:
    """Out of focus by up to one pixel (standard deviation)."""
    steps = torch.arange(-3, 4.0)
    kernel = torch.exp(-0.5 * (steps / _drawn(images, 0.3, 1.0).view(-1, 1)) ** 2)
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    rows = functional.pad(images.transpose(0, 1), (3, 3, 3, 3), mode="replicate")
    rows = functional.conv2d(rows, kernel[:, None, None, :], groups=len(images))
    return functional.conv2d(rows, kernel[:, None, :, None], groups=len(images)).transpose(0, 1)


def coarseness(images: Tensor) -> Tensor:
    """Fewer pixels: two thirds of the side, as in the smallest runs, and enlarged again."""
    side = images.shape[-1]
    small = functional.interpolate(images, size=round(side * 2 / 3), mode="bilinear", antialias=True)
    return functional.interpolate(small, size=side, mode="bilinear")


def noise(images: Tensor) -> Tensor:
    """The noise of a sensor."""
    return (images + _drawn(images, 0.01, 0.05) * torch.randn_like(images)).clamp(0, 1)


CHANGES: dict[str, Change] = {
    "light": light,
    "contrast": contrast,
    "shading": shading,
    "blur": blur,
    "coarseness": coarseness,
    "noise": noise,
}
"""In the order in which they happen to a picture. What a face shows stays the same under them."""


def changed(images: Tensor, chance: float = 0.4) -> Tensor:
    """Every change with the same chance."""
    for change in CHANGES.values():
        chosen = torch.rand(len(images)) < chance
        if chosen.any():
            images = images.clone()
            images[chosen] = change(images[chosen])
    return images


_EYES = (0.12, 0.36, 0.14, 0.86)
_MOUTH = (0.49, 0.79, 0.26, 0.74)
"""Brows and eyes, and the mouth down to a dropped jaw: top, bottom, left and right in an aligned crop."""


def without_eyes(images: Tensor) -> Tensor:
    """Eyes and brows painted over."""
    return _painted(images, _EYES)


def without_mouth(images: Tensor) -> Tensor:
    """The mouth painted over."""
    return _painted(images, _MOUTH)


def noise_images(count: int, side: int) -> Tensor:
    """Pictures of nothing: noise of any grain, brightness and contrast, down to an even grey."""
    grain = torch.tensor([3, 6, 12, 24, side])[torch.randint(5, (count,))]
    even = torch.randn(count, 1, side, side)
    for cells in (3, 6, 12, 24):
        here = grain == cells
        if here.any():
            coarse = torch.randn(int(here.sum()), 1, cells, cells)
            even[here] = functional.interpolate(coarse, size=side, mode="bicubic")
    return (_drawn(even, 0.1, 0.9) + _drawn(even, 0.0, 0.4) * even).clamp(0, 1)


BLINDING: dict[str, Change] = {"without eyes": without_eyes, "without mouth": without_mouth}
"""What takes away so much of a face that nobody could tell its expression."""


def _painted(images: Tensor, box: tuple[float, float, float, float]) -> Tensor:
    """A box, somewhat moved, filled with the face's own mean, an even grey, noise, or a smear of what was there."""
    side = images.shape[-1]
    top, bottom, left, right = (side * edge + _drawn(images, -1.5, 1.5) for edge in box)
    at = torch.arange(side) + 0.5
    down, across = at[:, None], at[None, :]
    ellipse = ((down - (top + bottom) / 2) / (bottom - top)) ** 2 + (
        (across - (left + right) / 2) / (right - left)
    ) ** 2
    square = (down > top) & (down < bottom) & (across > left) & (across < right)
    cover = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, square, ellipse < 0.3)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    smear = functional.interpolate(functional.adaptive_avg_pool2d(images, 4), size=side, mode="bilinear")
    fills = torch.stack(
        (
            mean.expand_as(images),
            _drawn(images, 0, 1).expand_as(images),
            (mean + 0.2 * torch.randn_like(images)).clamp(0, 1),
            smear,
        )
    )
    fill = fills[torch.randint(len(fills), (len(images),)), torch.arange(len(images))]
    return torch.where(cover, fill, images)


def _drawn(images: Tensor, low: float, high: float) -> Tensor:
    """A uniform draw per image, (B, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(images), 1, 1, 1)
