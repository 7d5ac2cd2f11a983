"""Similarity alignment of a face on its eyes and mouth."""

import numpy as np

from fersnet.faces.landmarks import anchors

TEMPLATE = np.array([[0.335, 0.27], [0.665, 0.27], [0.5, 0.605]])
"""Where the eye centres and the middle of the mouth corners come to lie, as fractions of the stored side (x, y).

The whole face, brows to chin, stays inside the central 96 of 110 pixels that a network sees, a dropped jaw included.
The published crop is not documented; this one follows the usual framing of the field.
"""


def alignment_matrix(points: np.ndarray, size: int) -> np.ndarray:
    """The similarity (rotation, uniform scale, shift; never a mirror image) that fits the anchors in least squares.

    Args:
        points: Landmarks (68, 2) in source pixels.
        size: Side of the aligned face in pixels.

    Returns:
        float64 (2, 3): source pixels to aligned pixels, pixel centres at whole numbers.
    """
    source = anchors(points)
    target = TEMPLATE * size - 0.5
    # In the complex plane a similarity is z -> a z + b, so least squares has a closed form.
    z, w = source[:, 0] + 1j * source[:, 1], target[:, 0] + 1j * target[:, 1]
    centred = z - z.mean()
    a = (np.conj(centred) @ (w - w.mean())) / (np.conj(centred) @ centred).real
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def transform_points(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply an affine matrix (2, 3) to points (N, 2)."""
    return np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]


def compose(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The affine matrix (2, 3) that applies `before`, then `after`."""
    return np.column_stack([after[:, :2] @ before[:, :2], after[:, :2] @ before[:, 2] + after[:, 2]])


def invert(matrix: np.ndarray) -> np.ndarray:
    """The inverse of an affine matrix (2, 3)."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def align(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Warp an image into the aligned square.

    A face that shrinks is sampled finely and averaged, so that detail does not turn into aliasing; beyond the border
    the image repeats its edge.

    Args:
        image: uint8 (H, W) or (H, W, 3).
        matrix: From `alignment_matrix`.
        size: Side of the square in pixels.

    Returns:
        uint8 (size, size) or (size, size, 3).
    """
    import cv2

    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    fine = int(min(16, max(1, np.ceil(1 / scale - 0.25))))
    finer = matrix * fine
    finer[:, 2] += (fine - 1) / 2
    warped = cv2.warpAffine(
        image, finer, (size * fine, size * fine), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA) if fine > 1 else warped
