"""Small dataset trees made of tiny pictures, in every shape that people have them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

PICTURE = cv2.imencode(".png", np.full((4, 4), 128, np.uint8))[1].tobytes()


def picture(path: Path) -> Path:
    """Writes a tiny picture, whatever the ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PICTURE)
    return path


def text(path: Path, content: str) -> Path:
    """Writes a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture
def put_picture() -> Callable[[Path], Path]:
    return picture


@pytest.fixture
def put_text() -> Callable[[Path, str], Path]:
    return text


@pytest.fixture
def put_frames() -> Callable[..., None]:
    """Writes numbered frames `pattern.format(number)` into a folder."""

    def put(folder: Path, pattern: str, numbers: range | list[int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for number in numbers:
            picture(folder / pattern.format(number))

    return put


@pytest.fixture
def put_video() -> Callable[..., Path]:
    """Writes a Motion-JPEG video whose frames have the given grey levels, with a pattern that encodes."""

    def put(path: Path, levels: list[int], size: tuple[int, int] = (96, 64)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), 24.0, size)
        for level in levels:
            writer.write(np.full((size[1], size[0], 3), level, np.uint8))
        writer.release()
        return path

    return put
