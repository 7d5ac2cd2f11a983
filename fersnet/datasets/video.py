"""Videos at indexing time: how many frames really decode, and where the expression peaks."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fersnet.faces.frames import VIDEO_SIGNATURES

MAXIMUM_FRAMES = 20_000
MAXIMUM_PIXELS = 210_000_000
"""Of a frame, as of an image file."""
WIDTH = 96
"""Width in pixels at which frames are compared."""
OUTER = 0.2
"""Share of the frames at each end in which no peak is looked for."""
SMOOTHING = 0.08
"""Width of the moving average over the distance curve, as a share of the frames."""
FLAT = 0.5
"""A distance curve that rises by less than this many grey levels of 255 has no peak."""


class VideoError(Exception):
    """A video that cannot be used; the message is the reason."""


@dataclass(frozen=True)
class VideoScan:
    """What one pass over a video found.

    Attributes:
        n_frames: frames that decode, one after the other.
        announced: frames that the header promises (0 if it says nothing sensible).
        distances: float32 (n_frames,), mean absolute grey-level difference (0 to 255) from the first frame.
    """

    n_frames: int
    announced: int
    distances: np.ndarray


def scan_video(path: Path) -> VideoScan:
    """Decodes a video from its first frame until decoding fails; the header's count is not trusted.

    Only containers that are recognised by their first bytes are handed to the decoder, since a file that merely has a
    video's name could be a playlist that leads elsewhere.

    Raises:
        VideoError: if it is no video, no frame decodes, or it is larger than any recording of this kind.
    """
    first: np.ndarray | None = None
    distances: list[float] = []
    with opened_video(path) as video:
        for frame in video.frames():
            small = _small_grey(frame)
            if first is None:
                first = small
            elif first.shape != small.shape:
                break
            distances.append(float(np.abs(small - first).mean()))
    return VideoScan(len(distances), video.announced, np.asarray(distances, dtype=np.float32))


@dataclass(frozen=True)
class OpenVideo:
    """A video that is open for one pass.

    Attributes:
        announced: frames that the header promises (0 if it says nothing sensible).
        capture: OpenCV's.
    """

    announced: int
    capture: Any

    def frames(self) -> Iterator[np.ndarray]:
        """The frames, uint8 BGR (H, W, 3), one at a time, until decoding fails.

        Raises:
            VideoError: if there is none, or there are more than in any recording of this kind.
        """
        count = 0
        while True:
            decoded, frame = self.capture.read()
            if not decoded or frame is None:
                break
            if count == MAXIMUM_FRAMES:
                raise VideoError(f"video has more than {MAXIMUM_FRAMES} frames")
            count += 1
            yield frame
        if not count:
            raise VideoError("no frame of the video can be decoded")


@contextmanager
def opened_video(path: Path) -> Iterator[OpenVideo]:
    """Opens a video, and closes it.

    Raises:
        VideoError: if it is no video, half a one, or larger than any recording of this kind; decoding errors, too.
    """
    import cv2

    check_container(path)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise VideoError("video cannot be opened; it may be half a download")
        if capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT) > MAXIMUM_PIXELS:
            raise VideoError("frames of the video are too large")
        announced = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        yield OpenVideo(int(announced) if 0 < announced <= MAXIMUM_FRAMES else 0, capture)
    except cv2.error as error:
        raise VideoError(f"video cannot be decoded: {error.err}") from error
    finally:
        capture.release()


def check_container(path: Path) -> None:
    """Raises VideoError unless the file begins like a container that is decoded, see `VIDEO_SIGNATURES`."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise VideoError(f"video cannot be read: {error.strerror or error}") from error
    if not head:
        raise VideoError("empty file")
    if not any(head[offset : offset + len(mark)] == mark for offset, mark in VIDEO_SIGNATURES):
        raise VideoError(f"not a video: {path.suffix} file with foreign content")


def _small_grey(frame: np.ndarray) -> np.ndarray:
    import cv2

    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    height = max(1, round(grey.shape[0] * WIDTH / grey.shape[1]))
    return cv2.resize(grey, (WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.float32)


def peak_by_distance(distances: np.ndarray) -> int:
    """The 0-based frame in which the face differs most from the first one.

    The curve is smoothed with a moving average over `SMOOTHING` of its length; the fifth at either end does not count,
    where the subject settles or has begun to move away. A flat curve yields the middle frame.
    """
    n_frames = len(distances)
    middle = n_frames // 2
    margin = int(n_frames * OUTER)
    if n_frames < 5:
        return middle
    half = max(1, round(n_frames * SMOOTHING / 2))
    padded = np.pad(np.asarray(distances, dtype=np.float64), half, mode="edge")
    smooth = np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")
    inner = smooth[margin : n_frames - margin]
    if not np.isfinite(inner).all() or inner.max() - smooth.min() < FLAT:
        return middle
    # On a plateau the middle of the frames close to the maximum is meant, not the first of them.
    near = np.flatnonzero(inner >= inner.max() - 0.05 * (inner.max() - smooth.min()))
    return margin + int(near[np.abs(near - near.mean()).argmin()])


def peak_by_markers(intervals: Iterable[tuple[int, int | None]], n_frames: int) -> int | None:
    """The 0-based frame in which most action units are at their apex, or None if no interval touches the video.

    Args:
        intervals: apex start and offset start of each apex, 1-based as in the annotation; the end is exclusive, and
            None stands for the end of the video.
        n_frames: frames that decode.
    """
    active = np.zeros(n_frames, dtype=np.int64)
    for start, end in intervals:
        active[max(0, start - 1) : n_frames if end is None else max(0, end - 1)] += 1
    if n_frames == 0 or active.max() == 0:
        return None
    best = np.flatnonzero(active == active.max())
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    longest = max(runs, key=len)
    return int(longest[len(longest) // 2])
