"""Image files: what is read, what is refused and with which words."""

import contextlib
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from fersnet.datasets.walk import IMAGE_SUFFIXES
from fersnet.faces.images import FORMATS, Rejection, check_size, read_image


@pytest.fixture
def picture() -> np.ndarray:
    rows, columns = np.mgrid[0:48, 0:64]
    return np.stack([rows * 5, columns * 3, (rows + columns) * 2], axis=2).astype(np.uint8)


def reason(path) -> str:
    with pytest.raises(Rejection) as caught:
        read_image(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_rgb_png_is_read_exactly(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "a b é.png")
    assert np.array_equal(read_image(tmp_path / "a b é.png"), picture)


def test_grey_becomes_three_equal_channels(tmp_path, picture):
    Image.fromarray(picture[..., 0]).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.shape == (48, 64, 3)
    assert all(np.array_equal(image[..., channel], picture[..., 0]) for channel in range(3))


def test_sixteen_bits_are_scaled_not_clipped(tmp_path, picture):
    wide = picture[..., 0].astype(np.uint16) * 257
    Image.fromarray(wide).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png")[..., 1], picture[..., 0])


def test_cmyk_becomes_rgb(tmp_path, picture):
    Image.fromarray(picture).convert("CMYK").save(tmp_path / "a.tif")
    assert np.abs(read_image(tmp_path / "a.tif").astype(int) - picture).max() <= 2


def test_palette_becomes_rgb(tmp_path):
    image = Image.new("P", (64, 48), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == [200, 100, 50]).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_laid_over_mid_grey(tmp_path, mode):
    if mode == "P":
        image = Image.new("P", (64, 48), 0)
        image.putpalette([255, 0, 0])
        image.save(tmp_path / "a.png", transparency=0)
    else:
        Image.new(mode, (64, 48), (255,) * (len(mode) - 1) + (0,)).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == 128).all()


def test_one_bit_image(tmp_path):
    Image.new("1", (64, 48), 1).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == 255).all()


def test_the_content_decides_not_the_name(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "a.jpg", format="PNG")
    assert np.array_equal(read_image(tmp_path / "a.jpg"), picture)


def test_c4_every_ending_that_counts_as_a_frame_is_decoded(tmp_path, picture):
    Image.init()
    kinds = {ending: kind for ending, kind in Image.registered_extensions().items() if kind in FORMATS}
    # A .pfm holds floating-point values.
    assert set(IMAGE_SUFFIXES) == set(kinds) - {".pfm"}
    for ending in IMAGE_SUFFIXES:
        image = Image.fromarray(picture)
        (image.convert("1") if ending == ".pbm" else image).save(tmp_path / f"a{ending}", format=kinds[ending])
        assert read_image(tmp_path / f"a{ending}").shape == picture.shape


def test_exif_orientation_is_applied(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), np.rot90(picture, -1))


def test_text_under_an_image_name_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("<html>not found</html>")
    assert reason(tmp_path / "a.png") == "not an image file"


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "BMP", "TIFF"])
def test_truncated_file_is_refused(tmp_path, picture, format_name):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole", format=format_name)
    data = (tmp_path / "whole").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    assert reason(tmp_path / "a.png").startswith(("image is truncated", "image is damaged", "not an image file"))


def test_every_truncation_of_a_small_png_is_refused_or_read(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    for length in range(1, len(data), 37):
        (tmp_path / "a.png").write_bytes(data[:length])
        with contextlib.suppress(Rejection):
            assert read_image(tmp_path / "a.png").shape == picture.shape


def test_empty_missing_and_special_files(tmp_path):
    (tmp_path / "empty.png").touch()
    assert reason(tmp_path / "empty.png") == "file is empty"
    assert reason(tmp_path / "none.png") == "file is missing"
    assert reason(tmp_path) == "not a regular file"
    os.mkfifo(tmp_path / "pipe.png")
    assert reason(tmp_path / "pipe.png") == "not a regular file"
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert reason(tmp_path / "loop.png").startswith("file cannot be read")


def test_one_pixel_is_refused(tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    assert reason(tmp_path / "a.png") == "image is too small: 1x1 pixels"


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_first_rows(path, width: int, height: int) -> None:
    """A grey PNG that promises more than the few rows it has."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(b"\0" * 100_000)) + png_chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + body)


@pytest.mark.parametrize(("width", "height"), [(15_000, 15_000), (100_000, 100_000), (40_000, 1000), (1000, 40_000)])
def test_decompression_bomb_is_refused_before_it_is_decoded(tmp_path, width, height):
    write_first_rows(tmp_path / "a.png", width, height)
    assert reason(tmp_path / "a.png").startswith("image is too large")


def test_c2_pictures_of_todays_cameras_are_not_too_large(tmp_path):
    """Case C2: telephones of 50, 108 and 200 million pixels; Pillow's own limit is not in the way."""
    for width, height in ((8160, 6144), (12_000, 9000), (12_240, 16_320), (16_384, 12_288)):
        check_size(width, height)
    write_first_rows(tmp_path / "a.png", 16_384, 12_288)
    assert reason(tmp_path / "a.png").startswith("image is truncated")


def test_bomb_in_a_text_chunk_is_refused(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 80_000_000))
    (tmp_path / "a.png").write_bytes(data[:33] + bomb + data[33:])
    assert reason(tmp_path / "a.png").startswith("image is damaged")


def test_floating_point_image_is_refused(tmp_path):
    Image.new("F", (64, 48), 0.5).save(tmp_path / "a.tif")
    assert reason(tmp_path / "a.tif") == "floating-point image"
