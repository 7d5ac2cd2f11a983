"""Frames of sequences: image paths, videos, and paths that must not be followed."""

import numpy as np
import pytest
from PIL import Image

from fersnet.faces.frames import read_frames, split_entry
from fersnet.faces.images import Rejection


def levels(count: int) -> list[np.ndarray]:
    return [np.full((64, 80, 3), 20 * number + 10, dtype=np.uint8) for number in range(count)]


def read(root, entries, positions=None):
    positions = range(len(entries)) if positions is None else positions
    return list(read_frames(root, entries, list(positions)))


def test_split_entry():
    assert split_entry("S/1.avi#12") == ("S/1.avi", 12)
    assert split_entry("S/1#2.png") == ("S/1#2.png", None)
    assert split_entry("S/a#b") == ("S/a#b", None)


@pytest.mark.parametrize("name", ["a b.avi", "ü.mp4"])
def test_video_frames_by_number(tmp_path, video_writer, name):
    video_writer(tmp_path / name, levels(10), "MJPG" if name.endswith("avi") else "mp4v")
    entries = [f"{name}#{number}" for number in range(10)]
    found = read(tmp_path, entries, [9, 2, 5])
    assert [position for position, _ in found] == [2, 5, 9]
    for position, image in found:
        assert image.shape == (64, 80, 3)
        assert abs(float(image.mean()) - (20 * position + 10)) < 6


def test_video_that_stops_half_way(tmp_path, video_writer):
    noise = np.random.default_rng(0).integers(0, 256, (12, 64, 80, 3), dtype=np.uint8)
    video_writer(tmp_path / "whole.avi", list(noise))
    data = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "v.avi").write_bytes(data[: len(data) // 2])
    found = dict(read(tmp_path, [f"v.avi#{number}" for number in range(12)]))
    assert isinstance(found[0], np.ndarray)
    assert isinstance(found[11], Rejection)
    assert str(found[11]).startswith("video ends early")


def test_frame_number_beyond_the_end(tmp_path, video_writer):
    video_writer(tmp_path / "v.avi", levels(3))
    found = dict(read(tmp_path, ["v.avi#0", "v.avi#400"]))
    assert isinstance(found[0], np.ndarray)
    assert str(found[1]) == "video ends early: it has 3 readable frames"


def test_playlist_is_not_opened(tmp_path, video_writer):
    video_writer(tmp_path / "secret.avi", levels(3))
    (tmp_path / "v.avi").write_text("#EXTM3U\n#EXTINF:1,\nsecret.avi\n#EXT-X-ENDLIST\n")
    [(_, found)] = read(tmp_path, ["v.avi#0"])
    assert str(found) == "not a video file"


def test_rubbish_behind_a_video_signature(tmp_path):
    (tmp_path / "v.avi").write_bytes(b"RIFF" + bytes(range(256)) * 20)
    [(_, found)] = read(tmp_path, ["v.avi#0"])
    assert isinstance(found, Rejection)


@pytest.mark.parametrize("entry", ["../secret.png", "/etc/hostname", "a/../../secret.png", "a\0.png"])
def test_paths_stay_inside_the_root(tmp_path, entry):
    (tmp_path / "root").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "secret.png")
    [(_, found)] = read(tmp_path / "root", [entry])
    assert str(found) == "path leaves the dataset folder"


def test_one_bad_frame_costs_one_frame(tmp_path):
    for number in range(3):
        Image.new("RGB", (64, 64)).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes(b"")
    found = dict(read(tmp_path, ["0.png", "1.png", "2.png"]))
    assert [isinstance(found[number], Rejection) for number in range(3)] == [False, True, False]
