"""Writing the files of embedded datasets: images and text, with the folders they need."""

from pathlib import Path

import cv2
import numpy as np

from fersnet.embedded.mark import RENDERED, marked

JPEG_QUALITY = 95
PNG_COMPRESSION = 3


def write_image(path: Path, image: np.ndarray, grey: bool = False, remark: str = RENDERED) -> None:
    """Writes an RGB uint8 (H, W, 3) picture as PNG or JPEG by the file's ending, with one channel if `grey`, and with a
    remark of where it comes from.

    Raises:
        OSError: if the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY if grey else cv2.COLOR_RGB2BGR)
    options = (
        [cv2.IMWRITE_PNG_COMPRESSION, PNG_COMPRESSION]
        if path.suffix == ".png"
        else [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    encoded, data = cv2.imencode(path.suffix, pixels, options)
    if not encoded:
        raise OSError(f"{path}: the picture cannot be encoded")
    path.write_bytes(marked(data.tobytes(), remark))


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text file with the line ends as given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def write_litter(path: Path) -> None:
    """Writes a small binary file of the kind that file managers leave behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x00\x00\x00\x01Bud1\x00\x00\x10\x00")
