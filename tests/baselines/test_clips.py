"""From the face store to clips of one length and size."""

import numpy as np
import pandas as pd
import pytest

from fersnet.baselines.clips import ClipSet, clip_set, cut_faces, in_time, join, training_parts
from fersnet.errors import UserError
from fersnet.faces.store import FaceStore

CLASSES = ("anger", "fear", "surprise")


def make_store(rows: list[tuple[str, str, str, int, str]], channels: int = 1) -> FaceStore:
    """A store of 20 x 20 faces whose grey level is 10 times the frame, with landmarks at (frame, 2 frame)."""
    table = pd.DataFrame(rows, columns=["sequence_id", "subject", "expression", "frame", "role"])
    frames = table["frame"].to_numpy()
    images = np.broadcast_to((frames * 10).astype(np.uint8)[:, None, None, None], (len(rows), 20, 20, channels)).copy()
    landmarks = np.broadcast_to(np.stack([frames, 2 * frames], axis=1)[:, None], (len(rows), 68, 2))
    return FaceStore(images, table, landmarks.astype(np.float32))


def sequence(name: str, subject: str, expression: str, frames: list[int]) -> list[tuple[str, str, str, int, str]]:
    return [(name, subject, expression, frame, "clip") for frame in frames] + [(name, subject, expression, 9, "peak")]


def test_one_clip_per_sequence_of_the_wanted_subjects_and_expressions() -> None:
    rows = [
        *sequence("b-1", "B", "fear", [0, 1, 2, 3]),
        *sequence("a-2", "A", "surprise", [0, 1, 2, 3]),
        *sequence("a-1", "A", "contempt", [0, 1, 2, 3]),
        *sequence("c-1", "C", "anger", [0, 1, 2, 3]),
    ]
    clips = clip_set(make_store(rows), {"A", "B"}, CLASSES, size=10, frames=4)
    assert clips.sequence_ids == ["a-2", "b-1"]
    assert clips.subjects == ["A", "B"]
    assert clips.labels.tolist() == [2, 1]
    assert clips.clips.shape == (2, 4, 10, 10)
    assert clips.clips[:, :, 0, 0].tolist() == [[0, 10, 20, 30]] * 2
    assert clip_set(make_store(rows), {"Z"}, CLASSES, size=10, frames=4).clips.shape == (0, 4, 10, 10)


def test_short_gappy_repeated_and_single_frames_fill_the_clip() -> None:
    rows = [
        *sequence("full", "A", "fear", [0, 2, 3, 5, 6]),
        *sequence("gap", "A", "fear", [0, 1, 4]),
        *sequence("repeated", "A", "fear", [0, 0, 2, 2, 4]),
        *sequence("short", "A", "fear", [2, 6]),
        *sequence("single", "A", "fear", [7]),
    ]
    clips = clip_set(make_store(rows), {"A"}, CLASSES, size=20, frames=5)
    levels = dict(zip(clips.sequence_ids, clips.clips[:, :, 3, 3].tolist(), strict=True))
    assert levels == {
        "full": [0, 20, 30, 50, 60],
        "gap": [0, 10, 20, 30, 40],
        "repeated": [0, 10, 20, 30, 40],
        "short": [20, 30, 40, 50, 60],
        "single": [70] * 5,
    }
    np.testing.assert_allclose(clips.landmarks[1, :, 0], [[t, 2 * t] for t in range(5)], atol=1e-5)


def test_missing_landmarks_are_bridged_and_stay_missing_where_there_are_none() -> None:
    store = make_store([*sequence("bridged", "A", "fear", [0, 1, 2]), *sequence("none", "A", "fear", [0, 1, 2])])
    landmarks = store.landmarks.copy()
    landmarks[1], landmarks[4:] = np.nan, np.nan
    clips = clip_set(FaceStore(store.images, store.table, landmarks), {"A"}, CLASSES, size=20, frames=3)
    np.testing.assert_allclose(clips.landmarks[0, 1, 5], [1, 2])
    assert np.isnan(clips.landmarks[1]).all()


def test_crop_and_size_move_faces_and_landmarks_alike() -> None:
    images = np.zeros((1, 20, 20, 3), dtype=np.uint8)
    images[0, 8:10, 12:14] = (255, 255, 255)
    landmarks = np.full((1, 68, 2), [12.5, 8.5], dtype=np.float32)
    faces, points = cut_faces(images, landmarks, side=16, size=8)
    assert faces.shape == (1, 8, 8)
    assert np.argwhere(faces[0] == 255).tolist() == [[3, 5]]
    np.testing.assert_allclose(points[0, 0], [5, 3])
    with pytest.raises(UserError, match=r"faces\.size"):
        clip_set(make_store(sequence("s", "A", "fear", [0])), {"A"}, CLASSES, crop=21)


def test_interpolation_is_linear_and_constant_beyond_the_ends() -> None:
    values = np.array([[0.0], [10.0], [40.0]])
    result = in_time(values, np.array([0, 1, 3]), np.array([-1.0, 0.5, 2.0, 3.0, 9.0]))
    np.testing.assert_allclose(result[:, 0], [0, 5, 25, 40, 40])


def test_validation_subjects_leave_the_fitted_clips_and_enter_the_last_fit_once() -> None:
    def clips(names: list[str]) -> ClipSet:
        count = len(names)
        subjects = [name[0] for name in names]
        zeros = np.zeros((count, 2, 4, 4), np.uint8)
        return ClipSet(zeros, np.zeros((count, 2, 68, 2), np.float32), np.zeros(count, np.int64), subjects, names)

    fitted, everything = training_parts(clips(["A1", "B1"]), clips(["C1"]))
    assert (fitted.sequence_ids, everything.sequence_ids) == (["A1", "B1"], ["A1", "B1", "C1"])
    fitted, everything = training_parts(clips(["A1", "B1", "C1"]), clips(["C1"]))
    assert (fitted.sequence_ids, everything.sequence_ids) == (["A1", "B1"], ["A1", "B1", "C1"])
    small = clips(["D1"])
    other = ClipSet(small.clips[:, :, :2], small.landmarks, small.labels, small.subjects, small.sequence_ids)
    with pytest.raises(UserError, match=r"baselines\.size"):
        join(small, other)
