"""Frames of a sequence, from image files and from videos, one at a time."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from fersnet.faces.images import Rejection, check_readable, check_size, read_image

# The quiet level has to be known before the first video is opened: FFmpeg else writes every damaged packet to stderr.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

VIDEO_SIGNATURES: tuple[tuple[int, bytes], ...] = (
    (0, b"RIFF"),  # AVI
    (0, b"\x00\x00\x01\xba"),  # MPEG program stream
    (0, b"\x00\x00\x01\xb3"),  # MPEG elementary stream
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (0, b"\x30\x26\xb2\x75"),  # ASF, WMV
    (4, b"ftyp"),  # MP4, QuickTime
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (0, b"\x47"),  # MPEG transport stream
    (0, b"FLV\x01"),  # Flash
)
"""Offset and first bytes of the containers that are handed to FFmpeg, which also opens playlists: these may name other
files and addresses."""


def frames_root(root: Path) -> Path:
    """The folder that the frame paths of the index are relative to: a manifest stands for its folder."""
    return root.parent if root.is_file() else root


def split_entry(entry: str) -> tuple[str, int | None]:
    """The path and, for a video frame `path#number`, the 0-based frame number of an index entry."""
    path, mark, number = entry.rpartition("#")
    if mark and number.isascii() and number.isdigit():
        return path, int(number)
    return entry, None


def resolve_entry(root: Path, path: str) -> Path:
    """The file of an entry's path, which is relative to `root` and written with slashes.

    Raises:
        Rejection: for an absolute path or one that climbs out of the root.
    """
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\x00" in path:
        raise Rejection("path leaves the dataset folder")
    return root / parts


def read_frames(
    root: Path, entries: Sequence[str], positions: Sequence[int]
) -> Iterator[tuple[int, np.ndarray | Rejection]]:
    """Read the frames at the given positions of a sequence, in ascending order, holding one at a time.

    Args:
        root: Folder of the dataset.
        entries: All entries of the sequence, image paths or `video#frame`.
        positions: 0-based positions into `entries`.

    Yields:
        The position with a uint8 RGB image (H, W, 3), or with the `Rejection` that says why there is none.
    """
    videos: dict[str, dict[int, list[int]]] = {}
    for position in sorted(set(positions)):
        path, number = split_entry(entries[position])
        if number is None:
            try:
                yield position, read_image(resolve_entry(root, path))
            except Rejection as rejection:
                yield position, rejection
        else:
            videos.setdefault(path, {}).setdefault(number, []).append(position)
    for path, wanted in videos.items():
        try:
            file = resolve_entry(root, path)
            check_video(file)
        except Rejection as rejection:
            for position in (position for positions in wanted.values() for position in positions):
                yield position, rejection
            continue
        for number, frame in _read_video(file, sorted(wanted)):
            for position in wanted[number]:
                yield position, frame


def check_video(path: Path) -> None:
    """Raise `Rejection` unless `path` is a regular file that begins like a video container."""
    check_readable(path)
    with path.open("rb") as stream:
        head = stream.read(16)
    if not any(head[offset:].startswith(signature) for offset, signature in VIDEO_SIGNATURES):
        raise Rejection("not a video file")


def _read_video(path: Path, numbers: list[int]) -> Iterator[tuple[int, np.ndarray | Rejection]]:
    """Decode from the start to the last wanted frame: headers lie about lengths, and seeking lands on key frames."""
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            for number in numbers:
                yield number, Rejection("video cannot be decoded")
            return
        at = -1
        alive = True
        for number in numbers:
            while alive and at < number:
                alive = capture.grab()
                at += int(alive)
            decoded, frame = capture.retrieve() if alive else (False, None)
            if not decoded:
                yield number, Rejection(f"video ends early: it has {at + 1} readable frames")
                continue
            try:
                check_size(frame.shape[1], frame.shape[0])
            except Rejection as rejection:
                yield number, rejection
                continue
            yield number, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        capture.release()
