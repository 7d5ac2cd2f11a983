"""Turning the head: rotation, the inverse warp through the height field, and the projection of landmarks."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fersnet.embedded.canvas import BOTTOM, LEFT, RIGHT, TOP, Canvas, Field
from fersnet.embedded.shape import EYE_DISTANCE, Points
from fersnet.embedded.view import View

PIVOT = (0.0, 36.5, 45.0)
"""The point in millimetres that stays at the view's centre when the head turns: inside the head, behind the nose."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the head lands in a frame."""

    rotation: NDArray[np.float64]
    """(3, 3), from the head's axes (right, down, towards the camera) to the camera's."""
    scale: float
    """Pixels per millimetre."""
    centre: tuple[float, float]

    def project(self, points: Points, depth: Field) -> Points:
        """Pixels of points (K, 2) in face millimetres at heights (K,)."""
        solid = np.column_stack([points, depth]) - PIVOT
        return ((solid @ self.rotation.T)[:, :2] * self.scale + self.centre).astype(np.float32)


def place(view: View) -> Placement:
    """The placement of a view."""
    yaw, pitch, roll = np.radians((view.yaw, view.pitch, view.roll))
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return Placement(tilt @ nod @ turn, view.interocular / EYE_DISTANCE, view.centre)


def head_box(placement: Placement, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom pixel bounds (right and bottom excluded) of the warped canvas inside the frame."""
    corners = np.array([(x, y) for x in (LEFT, RIGHT) for y in (TOP, BOTTOM)], np.float32)
    corners = placement.project(corners, np.full(4, PIVOT[2], np.float32))
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0)) + 1
    return (
        int(np.clip(low[0], 0, size[0])),
        int(np.clip(low[1], 0, size[1])),
        int(np.clip(high[0], 0, size[0])),
        int(np.clip(high[1], 0, size[1])),
    )


def warp_maps(
    canvas: Canvas, depth: Field, placement: Placement, box: tuple[int, int, int, int]
) -> tuple[Field, Field]:
    """For every pixel of the box the canvas column and row that it shows, float32, by fixed-point iteration."""
    left, top, right, bottom = box
    u = (np.arange(left, right, dtype=np.float32) - np.float32(placement.centre[0]))[None, :] / np.float32(
        placement.scale
    )
    v = (np.arange(top, bottom, dtype=np.float32) - np.float32(placement.centre[1]))[:, None] / np.float32(
        placement.scale
    )
    inverse = np.linalg.inv(placement.rotation[:2, :2]).astype(np.float32)
    shift = (inverse @ placement.rotation[:2, 2]).astype(np.float32)
    base_x = inverse[0, 0] * u + inverse[0, 1] * v + np.float32(PIVOT[0] - LEFT)
    base_y = inverse[1, 0] * u + inverse[1, 1] * v + np.float32(PIVOT[1] - TOP)
    base_x, base_y = base_x * np.float32(canvas.scale), base_y * np.float32(canvas.scale)
    if abs(shift).max() < 1e-4:
        return base_x, base_y
    rise = (depth - np.float32(PIVOT[2])) * np.float32(canvas.scale)
    map_x, map_y = base_x, base_y
    for _ in range(4):
        z = cv2.remap(rise, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        map_x, map_y = base_x - shift[0] * z, base_y - shift[1] * z
    return map_x, map_y


def sample(canvas: Canvas, field: Field, points: Points) -> Field:
    """Bilinear values of a canvas field at points (K, 2) in millimetres."""
    columns = ((points[:, 0] - LEFT) * canvas.scale).astype(np.float32)[:, None]
    rows = ((points[:, 1] - TOP) * canvas.scale).astype(np.float32)[:, None]
    return cv2.remap(field, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
