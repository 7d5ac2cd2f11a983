"""What a picture file says of where it comes from: rendered and synthetic faces say it, photographs do not."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

RENDERED = "rendered face (FERSNet)"
"""The remark of a face that nobody has."""

SYNTHETIC = "synthetic face (FERSNet)"
"""The remark of what a network has drawn, of whoever's face."""

_PNG_BEGINNING = 33
"""Bytes of a PNG's signature and of its first chunk, after which others may come."""


def marked(content: bytes, remark: str) -> bytes:
    """The content of a PNG or JPEG file with a remark in it; its pixels stay what they are."""
    text = remark.encode("ascii")
    if content.startswith(b"\x89PNG"):
        chunk = b"tEXtSource\x00" + text
        added = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return content[:_PNG_BEGINNING] + added + content[_PNG_BEGINNING:]
    # After the segment that makes it a JFIF file.
    end = 4 + struct.unpack(">H", content[4:6])[0]
    return content[:end] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + content[end:]


def is_rendered(picture: object) -> bool:
    """Whether a picture says that it was rendered; no photograph does, and not every rendered face either.

    Args:
        picture: Path of a file, its content as bytes, Pillow's image, or anything else, of which nothing is known.
    """
    from PIL import Image

    if isinstance(picture, Image.Image):
        return _says(picture, RENDERED)
    if not isinstance(picture, str | Path | bytes):
        return False
    try:
        with Image.open(BytesIO(picture) if isinstance(picture, bytes) else picture, formats=("PNG", "JPEG")) as image:
            return _says(image, RENDERED)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _says(image: "PillowImage", remark: str) -> bool:
    said = (image.info.get("Source"), image.info.get("comment"))
    return remark in said or remark.encode("ascii") in said
