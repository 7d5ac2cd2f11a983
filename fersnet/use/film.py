"""Frames of a film or a camera, one after the other, and a film of them with what was seen drawn in."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fersnet.errors import UserError
from fersnet.faces.frames import check_video
from fersnet.faces.images import Rejection

ENDINGS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".asf", ".ts", ".mts", ".3gp")
"""Names of films."""

USUAL_RATE = 25.0
"""Frames per second where a film does not say it."""

COLOURS = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0))
"""Of boxes, RGB, by the number of the face; told apart by the colour-blind, too."""


@dataclass(frozen=True)
class Frame:
    """One frame that is looked at."""

    number: int
    """From 0, of all frames."""
    seconds: float
    """Since the beginning."""
    image: NDArray[np.uint8]
    """RGB (H, W, 3)."""


def film_or_camera(source: str) -> bool:
    """Whether a word names a film, by its ending, or a camera, by its number."""
    return source.lower().endswith(ENDINGS) or (source.isdecimal() and not Path(source).exists())


class Film:
    """A film or a camera, open for reading; close it by leaving its `with`."""

    def __init__(self, source: str, every: int = 1) -> None:
        """
        Args:
            source: Path of a film, or the number of a camera.
            every: Look at each so many-th frame, the first included.

        Raises:
            UserError: if it is no film, or the camera is not there.
        """
        import cv2

        # What it says of each driver that it tries is of no use; whether the film is open is asked below.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._source, self._every = source, every
        self.is_camera = source.isdecimal() and not Path(source).exists()
        if self.is_camera:
            self._capture = cv2.VideoCapture(int(source))
        else:
            try:
                check_video(Path(source))
            except Rejection as rejection:
                raise UserError(f"{source}: {rejection}; give a film, or an image file") from None
            self._capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            way_out = (
                "is it there, and does no other program use it?" if self.is_camera else "save it with another codec"
            )
            kind = "camera cannot be opened" if self.is_camera else "video cannot be decoded"
            raise UserError(f"{source}: {kind}; {way_out}")
        announced = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.length = None if self.is_camera or not 0 < announced < 1e8 else -(-int(announced) // every)
        """Frames to look at, as far as the film says so."""
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = (rate if 1 <= rate <= 1000 else USUAL_RATE) / every
        """Frames to look at per second."""

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *_error: object) -> None:
        self._capture.release()

    def frames(self) -> Iterator[Frame]:
        """The frames to look at, decoded one at a time from the first to the last that can be read.

        Raises:
            UserError: if not even the first can be read.
        """
        import cv2

        start = time.monotonic()
        number = 0
        while self._capture.grab():
            if number % self._every == 0:
                decoded, image = self._capture.retrieve()
                if not decoded or image is None:
                    break
                told = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                seconds = time.monotonic() - start if self.is_camera else told or number / (self.rate * self._every)
                yield Frame(number, seconds, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            number += 1
        if number == 0:
            raise UserError(f"{self._source}: no frame can be read; give a film that a player shows")


class AnnotatedFilm:
    """A film of what was looked at, with the faces drawn in; it is opened by its first frame."""

    def __init__(self, path: Path, rate: float) -> None:
        """
        Args:
            path: The file to write, .mp4.
            rate: Frames per second.

        Raises:
            UserError: if the name has another ending.
        """
        if path.suffix.lower() != ".mp4":
            raise UserError(f"{path}: cannot tell the kind of film; give a name that ends in .mp4")
        self._path, self._rate, self._writer = path, rate, None
        self._size = (0, 0)

    def __enter__(self) -> "AnnotatedFilm":
        return self

    def __exit__(self, *_error: object) -> None:
        if self._writer is not None:
            self._writer.release()

    def write(self, image: NDArray[np.uint8], faces: list[tuple[int, tuple[float, ...], str]]) -> None:
        """Add a frame, with each face's number, box and what stands beside it.

        Raises:
            UserError: if the file cannot be written.
        """
        import cv2

        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._size = (image.shape[1] // 2 * 2, image.shape[0] // 2 * 2)  # codecs take even sides only
            self._writer = cv2.VideoWriter(str(self._path), cv2.VideoWriter.fourcc(*"mp4v"), self._rate, self._size)
            if not self._writer.isOpened():
                raise UserError(f"{self._path}: cannot be written; mend the folder or choose another")
        drawn = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        line = max(1, round(max(image.shape[:2]) / 480))
        for number, box, text in faces:
            colour = COLOURS[(number - 1) % len(COLOURS)][::-1]
            left, top, right, bottom = (round(value) for value in box)
            cv2.rectangle(drawn, (left, top), (right, bottom), colour, line)
            size = 0.45 * line
            (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, line)
            left, foot = max(0, left), max(height + below, top)
            cv2.rectangle(drawn, (left, foot - height - below), (left + width, foot), colour, cv2.FILLED)
            cv2.putText(
                drawn, text, (left, foot - below // 2), cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), line, cv2.LINE_AA
            )
        if drawn.shape[1::-1] != self._size:
            drawn = cv2.resize(drawn, self._size)
        self._writer.write(drawn)
