"""The figures as a page carries them: at the size of a screen, so that a whole report can be sent by mail."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from fersnet.errors import UserError

LARGEST_BYTES = 2_300_000
"""Of all pictures of a page, before base64 makes four bytes of three."""
SHRINKING = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3)
"""Scales that are tried until the pictures fit."""
_QUALITY = 85
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Picture:
    """A picture that a page carries."""

    width: int
    height: int
    data: str
    """A WebP file, base64."""


def read_pictures(paths: Sequence[Path], widths: Sequence[int], largest: int = LARGEST_BYTES) -> list[Picture]:
    """Pictures at these widths, or all of them smaller where they would exceed `largest` bytes together.

    Raises:
        UserError: if a file is missing or no PNG picture.
    """
    pictures: list[Picture] = []
    images = [_read_png(path) for path in paths]
    for scale in SHRINKING:
        encoded = [_encoded(image, round(scale * width)) for image, width in zip(images, widths, strict=True)]
        pictures = [Picture(*size, base64.b64encode(content).decode()) for size, content in encoded]
        if sum(len(content) for _, content in encoded) <= largest:
            break
    return pictures


def _read_png(path: Path) -> Image.Image:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the workflow to make it") from None
    try:
        if not content.startswith(_PNG):
            raise UnidentifiedImageError
        return Image.open(io.BytesIO(content)).convert("RGB")
    except (OSError, SyntaxError, ValueError):
        raise UserError(f"{path}: not a PNG file; delete it and run again") from None


def _encoded(image: Image.Image, width: int) -> tuple[tuple[int, int], bytes]:
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, method=4)
    return image.size, file.getvalue()
