"""Landmarks followed through a video."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from fersnet.datasets import spoken
from fersnet.datasets.video import opened_video
from fersnet.faces.dlib_backend import DlibBackend
from fersnet.faces.frames import read_frames
from fersnet.faces.tracker import FaceTracker
from fersnet.use.film import Film


def test_a_face_is_followed_and_where_there_is_none_nothing(photograph):
    empty = np.full_like(photograph, 128)
    frames = [cv2.cvtColor(photograph, cv2.COLOR_RGB2BGR)] * 6
    points = np.stack(list(FaceTracker().follow(iter([empty, *frames]))))
    assert points.shape == (7, 68, 2) and np.isnan(points[0]).all() and np.isfinite(points[1:]).all()
    found = DlibBackend().locate(photograph, None).points / max(photograph.shape)
    assert np.abs(points[3] - found).max() < 0.03


def test_a_clip_with_a_face_is_judged_by_its_motion(tmp_path, photograph, video_writer):
    video_writer(tmp_path / "talk.avi", [photograph] * 6)
    clip = spoken.read_clip(tmp_path, "talk.avi", None, 3, True)
    assert (clip.n_frames, clip.rule, len(clip.apex)) == (6, "motion", 3)


def with_a_pause(path: Path, after: int) -> None:
    """Makes the rate of an mp4 vary: four times as fast, and the frame `after` is shown for the rest of the time.

    Its table of times (`stts`) has one entry, (frames, length of each); it gets three, and the boxes around it grow.
    """
    content = bytearray(path.read_bytes())
    table = content.index(b"stts") + 4
    entries, frames, each = struct.unpack_from(">3I", content, table + 4)
    assert entries == 1
    short = each // 4
    parts = ((after, short), (1, frames * each - (frames - 1) * short), (frames - after - 1, short))
    content[table + 4 : table + 16] = struct.pack(">7I", len(parts), *(number for part in parts for number in part))
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):
        place = content.index(box) - 4
        struct.pack_into(">I", content, place, struct.unpack_from(">I", content, place)[0] + 16)
    path.write_bytes(content)


def test_the_frames_of_a_video_of_varying_rate_keep_their_numbers(tmp_path, photograph, video_writer):
    """As telephones write them: a reader that seeks by time takes other frames."""
    path, frames = tmp_path / "varying.mp4", [photograph // 6 * darker for darker in range(1, 7)]
    video_writer(path, frames, "mp4v")
    with_a_pause(path, after=2)
    with Film(str(path)) as film:
        times = [frame.seconds * 24 for frame in film.frames()]
    assert times == pytest.approx([0, 0.25, 0.5, 5.25, 5.5, 5.75], abs=0.05)
    read = dict(read_frames(tmp_path, [f"varying.mp4#{number}" for number in range(6)], range(6)))
    errors = np.array([[np.abs(read[place].astype(int) - frame).mean() for frame in frames] for place in range(6)])
    assert errors.argmin(axis=1).tolist() == list(range(6))
    assert spoken.read_clip(tmp_path, "varying.mp4", None, 3, True).n_frames == 6


def test_a_rotated_video_is_turned_upright(tmp_path, photograph, video_writer):
    """The rotation of an mp4 stands in its header, as telephones write it."""
    path = tmp_path / "turned.mp4"
    video_writer(path, [np.ascontiguousarray(np.rot90(photograph))] * 6, "mp4v")
    content = path.read_bytes()
    upright = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    turned = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, photograph.shape[0] << 16, 0, 0x40000000)
    place = content.index(upright, content.index(b"tkhd"))
    path.write_bytes(content[:place] + turned + content[place + len(upright) :])
    with opened_video(path) as video:
        frame = next(video.frames())
    assert frame.shape == photograph.shape
    (_, read), *_ = read_frames(tmp_path, ["turned.mp4#0"], [0])
    assert np.abs(read.astype(int) - photograph).mean() < 15
    assert spoken.read_clip(tmp_path, "turned.mp4", None, 3, True).rule == "motion"
