"""How a face is seen (pose, light, framing) and what a rendering returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class View:
    """Camera, light and framing of one frame."""

    yaw: float = 0.0
    """Degrees; positive turns the face towards the right of the image."""
    pitch: float = 0.0
    """Degrees; positive makes the face look down."""
    roll: float = 0.0
    """Degrees; positive tilts the head clockwise in the image."""
    light: tuple[float, float, float] = (-0.35, -0.45, 0.82)
    """Direction towards the key light: image right, image down, towards the camera. Any length but zero."""
    ambient: float = 0.35
    """Share of the light that comes from everywhere, 0 to 1."""
    exposure: float = 1.0
    """Factor on the linear image."""
    noise: float = 1.0
    """Standard deviation of the sensor noise, in grey levels of 255."""
    interocular: float = 60.0
    """Distance between the eye centres of a frontal face, in pixels of the output."""
    centre: tuple[float, float] = (128.0, 136.0)
    """Pixel (x, y) at which the middle of the face (the tip of a frontal nose) lies."""
    backdrop: float = 0.45
    """Brightness of the wall behind, 0 to 1, display values."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Shift of the irises in millimetres, right and down."""


@dataclass(frozen=True)
class Render:
    """A rendered frame and its ground truth."""

    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    landmarks: NDArray[np.float32]
    """(68, 2) pixel positions x, y in the iBUG order; pixel centres have integer coordinates."""
