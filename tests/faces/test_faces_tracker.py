"""Landmarks followed through a video."""

import struct

import cv2
import numpy as np

from fersnet.datasets import spoken
from fersnet.datasets.video import opened_video
from fersnet.faces.dlib_backend import DlibBackend
from fersnet.faces.frames import read_frames
from fersnet.faces.tracker import FaceTracker


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
