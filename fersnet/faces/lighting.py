"""Optional lighting normalisation of aligned faces."""

import numpy as np


def normalise_lighting(face: np.ndarray, method: str) -> np.ndarray:
    """Normalise the lighting of an aligned face; colour faces keep their chroma.

    Args:
        face: uint8 (S, S) or RGB (S, S, 3).
        method: `none`, `equalize` (histogram equalisation) or `clahe` (contrast-limited adaptive equalisation,
            Zuiderveld 1994, clip limit 2, 4x4 tiles).

    Returns:
        uint8, the same shape.

    Raises:
        ValueError: for another method.
    """
    import cv2

    if method == "none":
        return face
    if method == "equalize":
        operation = cv2.equalizeHist
    elif method == "clahe":
        operation = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4)).apply
    else:
        raise ValueError(f"unknown lighting normalisation {method!r}; known are none, equalize, clahe")
    if face.ndim == 2:
        return operation(face)
    channels = cv2.cvtColor(face, cv2.COLOR_RGB2YCrCb)
    channels[..., 0] = operation(np.ascontiguousarray(channels[..., 0]))
    return cv2.cvtColor(channels, cv2.COLOR_YCrCb2RGB)
