"""From a person, action units and a view to a picture with its ground-truth landmarks."""

from collections.abc import Mapping

import cv2
import numpy as np

from fersnet.embedded.action_units import Unit
from fersnet.embedded.identity import Identity
from fersnet.embedded.shape import EYE_DISTANCE, face_points
from fersnet.embedded.view import Render, View

__all__ = ["Render", "View", "render_face"]


def render_face(
    identity: Identity, action_units: Mapping[Unit, float], view: View, size: tuple[int, int], rng: np.random.Generator
) -> Render:
    """A frame of (width, height) pixels that shows the person with the given action units."""
    width, height = size
    points = face_points(identity, action_units)
    scale = view.interocular / EYE_DISTANCE
    landmarks = ((points - [0, 36.5]) * scale + view.centre).astype(np.float32)
    image = np.full((height, width, 3), 110, np.uint8)
    skin = tuple(int(255 * value ** (1 / 2.2)) for value in identity.skin)
    fixed = np.round(landmarks * 16).astype(np.int32)
    top = fixed[[0, 16]] - [0, int(90 * scale * 16)]
    cv2.fillPoly(image, [np.concatenate([fixed[:17], top[::-1]])], skin, cv2.LINE_AA, 4)
    for start, stop, colour in (
        (36, 42, (240, 240, 240)),
        (42, 48, (240, 240, 240)),
        (48, 60, (170, 80, 80)),
        (60, 68, (60, 20, 20)),
    ):
        cv2.fillPoly(image, [fixed[start:stop]], colour, cv2.LINE_AA, 4)
    for start, stop in ((17, 22), (22, 27), (31, 36)):
        cv2.polylines(image, [fixed[start:stop]], False, (50, 30, 20), 3, cv2.LINE_AA, 4)
    noisy = image + rng.normal(0, view.noise, image.shape)
    return Render(image=np.clip(noisy, 0, 255).astype(np.uint8), landmarks=landmarks)
