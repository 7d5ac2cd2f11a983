"""Safe reading of image files: one pixel format comes out, and every refusal has a short reason."""

import stat
import struct
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

    Picture = str | Path | bytes | Image | np.ndarray
    """What a user has of a picture: a file, the content of one, Pillow's image, or pixels."""

FORMATS: tuple[str, ...] = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "PPM", "WEBP", "AVIF", "JPEG2000")
"""Decoders that are tried; the content decides, not the file name."""

MAXIMUM_PIXELS = 210_000_000
"""Larger images are refused before they are decoded: a few bytes on disk can unfold to gigabytes.

Telephones take up to 16384 x 12288 pixels; reading such a picture and finding the face in it takes 2 GB.
"""

MAXIMUM_SIDE = 32_766
"""Images with a longer side are refused: OpenCV cannot warp them."""

MINIMUM_SIDE = 32
"""Images with a shorter side hold no face that a detector could find."""

_BAND = 256
"""Rows of an image that are converted at a time."""

_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
)


class Rejection(Exception):
    """One frame cannot be used. The message is the reason; what stands before a colon names the kind of reason."""


def check_readable(path: Path) -> None:
    """Check that `path` is a regular file with content.

    Raises:
        Rejection: if the file is missing, empty, not readable, or not a regular file (a pipe would block for ever).
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise Rejection("file is missing") from None
    except OSError as error:
        raise Rejection(f"file cannot be read: {error.strerror or error}") from None
    if not stat.S_ISREG(status.st_mode):
        raise Rejection("not a regular file")
    if status.st_size == 0:
        raise Rejection("file is empty")


def check_size(width: int, height: int) -> None:
    """Raise `Rejection` for an image with too many pixels, or too small to hold a face."""
    if width * height > MAXIMUM_PIXELS or max(width, height) > MAXIMUM_SIDE:
        raise Rejection(f"image is too large: {width}x{height} pixels")
    if min(width, height) < MINIMUM_SIDE:
        raise Rejection(f"image is too small: {width}x{height} pixels")


def read_image(path: Path) -> np.ndarray:
    """Read an image file as 8-bit RGB.

    Palettes, CMYK and other colour spaces are converted; 16-bit grey is scaled to 8 bits; transparent pixels are
    laid over mid-grey; of several images in one file the first counts; the EXIF orientation is applied.

    Returns:
        uint8 array (height, width, 3), RGB, 0 to 255.

    Raises:
        Rejection: with the reason, if the file is missing, empty, truncated, in none of `FORMATS`, or of a size
            that is refused.
    """
    check_readable(path)
    return decode_image(path)


def as_picture(picture: "Picture") -> np.ndarray:
    """A picture in whatever form a user has it, as 8-bit RGB; files are read as `read_image` says.

    Args:
        picture: Path of a file, its content as bytes, Pillow's image, or pixels: uint8 (H, W), (H, W, 1) or (H, W, 3),
            RGB.

    Returns:
        uint8 array (height, width, 3), RGB, 0 to 255.

    Raises:
        Rejection: as `read_image`, or if it is none of these.
    """
    from PIL.Image import Image

    if isinstance(picture, str | Path):
        return read_image(Path(picture))
    if isinstance(picture, bytes):
        return decode_image(BytesIO(picture))
    if isinstance(picture, Image):
        return _decoded(lambda: _loaded(picture.copy()))
    if not isinstance(picture, np.ndarray):
        raise Rejection(f"no picture but {type(picture).__name__}: give a path, bytes, Pillow's image or an array")
    pixels = picture[..., None] if picture.ndim == 2 else picture
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise Rejection(f"array of {picture.dtype} {picture.shape}: give uint8 (H, W) or (H, W, 3), RGB")
    check_size(pixels.shape[1], pixels.shape[0])
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def decode_image(source: Path | BinaryIO) -> np.ndarray:
    """What `read_image` says, for a file that is known to be readable, or for the content of one.

    Raises:
        Rejection: with the reason, if the content is truncated, in none of `FORMATS`, or of a size that is refused.
    """
    from PIL import Image

    def opened() -> np.ndarray:
        with Image.open(source, formats=FORMATS) as image:
            return _loaded(image)

    return _decoded(opened)


def _loaded(image: "Image") -> np.ndarray:
    from PIL import ImageOps

    check_size(*image.size)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return _as_rgb(image)


def _decoded(decode: Callable[[], np.ndarray]) -> np.ndarray:
    """What Pillow makes of a picture; what it finds wrong is a `Rejection`."""
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # Pillow's own limit is lower than that of `check_size`, which sees every picture before it is decoded.
            Image.MAX_IMAGE_PIXELS = MAXIMUM_PIXELS
            return decode()
        except UnidentifiedImageError:
            raise Rejection("not an image file") from None
        except Image.DecompressionBombError:
            raise Rejection("image is too large") from None
        except MemoryError:
            raise Rejection("image does not fit in memory") from None
        except _DECODER_ERRORS as error:
            # Pillow's decoders report damage with any of these types, and truncation in several wordings.
            text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            kind = "image is truncated" if "truncated" in text.lower() else "image is damaged"
            raise Rejection(f"{kind}: {text}") from None


def _as_rgb(image) -> np.ndarray:
    """A loaded Pillow image of any mode as uint8 (H, W, 3), in bands, since each step of a conversion copies."""
    if image.mode == "F":
        raise Rejection("floating-point image")
    width, height = image.size
    result = np.empty((height, width, 3), dtype=np.uint8)
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        result[top:bottom] = _band_as_rgb(image.crop((0, top, width, bottom)))
    return result


def _band_as_rgb(image) -> np.ndarray:
    from PIL import Image

    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise Rejection("grey values beyond 16 bits")
        return ((values + 128) // 257).astype(np.uint8)[..., None]
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        opaque = Image.new("RGBA", image.size, (128, 128, 128, 255))
        image = Image.alpha_composite(opaque, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def to_grey(image: np.ndarray) -> np.ndarray:
    """Luma (ITU-R BT.601) of a uint8 RGB image (H, W, 3): uint8 (H, W)."""
    import cv2

    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def shrunk(image: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """A copy of an image (H, W, ...) with that longer side, and its scale; a smaller one keeps its size."""
    import cv2

    scale = min(1.0, side / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), scale
