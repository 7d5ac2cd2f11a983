"""The aligned faces of a run's dataset, as figures and pages take them."""

from pathlib import Path

import numpy as np

from fersnet.errors import UserError


def open_faces(path: Path, rows: int) -> np.ndarray:
    """The pictures of a `faces.npy`, uint8 (N, H, W, C), mapped into memory.

    Args:
        rows: those of the `faces.parquet` beside it.

    Raises:
        UserError: if the file cannot be read, or does not fit these rows.
    """
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({str(error).splitlines()[0]}); delete it and run again") from None
    if images.ndim != 4 or len(images) != rows:
        raise UserError(f"{path}: its {images.shape} does not fit the {rows} rows of faces.parquet; make it again")
    return images


def centre(image: np.ndarray, size: int) -> np.ndarray:
    """What a network sees of a stored face: the square of this size in its middle."""
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    return np.asarray(image[top : top + size, left : left + size])
