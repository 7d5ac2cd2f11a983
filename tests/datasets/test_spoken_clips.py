"""Where an expression peaks in somebody who speaks, and what becomes of videos that are not as they should be."""

import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fersnet.datasets import spoken
from fersnet.datasets.apex import (
    TrackingError,
    fixed_positions,
    inner_maximum,
    peak_by_motion,
    peak_by_tracking,
    smoothed,
)
from fersnet.datasets.counts import PUBLISHED, compare_counts, describe_index
from fersnet.datasets.index import complete_index, read_dataset, write_index
from fersnet.settings.data import DatasetSettings


def tracking_csv(
    path, curve, speech=None, lost=(), columns="frame, timestamp, success, AU01_r, AU12_r, AU25_r, AU45_r"
):
    """An OpenFace file whose action units follow a curve; its columns begin with a space, as some versions write."""
    speech = np.zeros(len(curve)) if speech is None else speech
    lines = [columns]
    for number, value in enumerate(curve):
        success = int(number not in lost)
        lines.append(
            f"{number + 1}, {number / 30:.3f}, {success}, {value:.3f}, {value / 2:.3f}, {speech[number]:.3f}, 0"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def hill(length, at, width=6.0):
    return np.exp(-(((np.arange(length) - at) / width) ** 2))


def face(n_frames):
    """A face of 68 points in frames, at rest."""
    rng = np.random.default_rng(1)
    return np.tile(rng.uniform(0.2, 0.8, (68, 2)), (n_frames, 1, 1))


def test_tracked_action_units_find_the_peak_and_speech_does_not(tmp_path):
    path = tracking_csv(tmp_path / "a.csv", hill(100, 60), speech=5 * hill(100, 30))
    assert abs(peak_by_tracking(path, 100) - 60) <= 1
    assert abs(peak_by_tracking(path, 50) - 30) <= 1, "a file of more rows than frames counts by shares"
    curve = hill(100, 60) + 9 * hill(100, 20, 0.3) + 9 * hill(100, 2, 1)
    path = tracking_csv(tmp_path / "b.csv", curve, lost=(18, 19, 20, 21, 22))
    assert abs(peak_by_tracking(path, 100) - 60) <= 1, "lost frames and the ends do not count"


@pytest.mark.parametrize(
    "content",
    ["", "frame,success\n1,1\n", "AU01_r\n", "AU01_r,success\nx,1\n", "AU01_r,success\n0.1\n", "AU01_r,success\n1,0\n"],
)
def test_a_tracking_file_that_is_none_is_told(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(TrackingError, match="tracking file"):
        peak_by_tracking(tmp_path / "a.csv", 10)


def test_the_motion_of_the_face_finds_the_peak_whatever_the_head_does():
    points = face(80)
    points[:, [17, 18, 19], 1] -= 0.2 * hill(80, 50)[:, None]
    points[:, 60:68, 1] += 0.5 * hill(80, 20)[:, None]
    for frame in range(80):  # The head turns in the picture, comes nearer and moves.
        angle, scale = 0.3 * np.sin(frame / 9), 1 + frame / 200
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points[frame] = points[frame] @ turn.T + [frame / 80, -frame / 160]
    points[::7] = np.nan
    assert abs(peak_by_motion(points) - 50) <= 2
    points[5:50] = np.nan
    assert peak_by_motion(points) is None
    assert peak_by_motion(np.zeros((0, 68, 2))) is None


@pytest.mark.parametrize(
    ("n_frames", "count", "positions"), [(101, 3, [35, 50, 65]), (101, 1, [50]), (2, 3, [0, 1]), (1, 3, [0])]
)
def test_fixed_places(n_frames, count, positions):
    assert fixed_positions(n_frames, count) == positions


@given(n_frames=st.integers(1, 400), count=st.integers(1, 9), seed=st.integers(0, 99))
def test_peaks_lie_in_the_clip(n_frames, count, seed):
    curve = np.random.default_rng(seed).integers(0, 4, n_frames).astype(float)
    positions = fixed_positions(n_frames, count)
    assert positions == sorted(set(positions)) and positions[0] >= 0 and positions[-1] < n_frames
    assert len(smoothed(curve, 9)) == n_frames
    peak = inner_maximum(curve)
    assert 0 <= peak < n_frames and (n_frames < 10 or n_frames // 10 <= peak < n_frames - n_frames // 10)


def test_the_ends_of_a_clip_have_no_peak():
    curve = np.zeros(50)
    curve[[2, 30, 48]] = 3, 1, 3
    assert inner_maximum(curve) == 30 and inner_maximum(np.ones(3)) == 1 and inner_maximum(np.ones(1)) == 0


@pytest.fixture
def ravdess(tmp_path, put_video):
    """Two actors' clips without faces: one with tracking, one neutral, one broken, one without frames, one cut off."""
    root = tmp_path / "ravdess"
    names = {actor: root / f"Actor_{actor}" for actor in ("01", "02")}
    put_video(root / "smile.avi", list(range(40)))
    for actor, code in (("01", "03"), ("01", "01"), ("02", "04"), ("02", "05"), ("02", "06")):
        names[actor].mkdir(exist_ok=True)
        shutil.copy(root / "smile.avi", names[actor] / f"02-01-{code}-01-01-01-{actor}.avi")
    (root / "tracking").mkdir()
    tracking_csv(root / "tracking/01-01-03-01-01-01-01.csv", hill(40, 22))
    (names["02"] / "02-01-05-01-01-01-02.avi").write_bytes((root / "smile.avi").read_bytes()[:2000])
    (names["02"] / "02-01-06-01-01-01-02.avi").write_bytes(b"<html>quota exceeded</html>")
    return root


@pytest.mark.parametrize("neutral_is_a_class", [True, False])
def test_clips_are_completed(ravdess, tmp_path, neutral_is_a_class):
    classes = ("anger", "fear", "happiness", "sadness") + ("neutral",) * neutral_is_a_class
    settings = DatasetSettings(reader="ravdess", root=str(ravdess), expressions=classes)
    index = complete_index(settings, read_dataset(settings, ravdess), ravdess, 3, 1)
    rows = index.sequences.set_index("sequence_id")
    happy, neutral, sad = rows.loc["01-03-01-01-01-01"], rows.loc["01-01-01-01-01-01"], rows.loc["01-04-01-01-01-02"]
    assert len(rows) == 3
    assert (happy.apex_rule, happy.apex, happy.neutral, happy.n_frames) == ("tracking", [21, 22, 23], -1, 40)
    assert happy.frames[21] == "Actor_01/02-01-03-01-01-01-01.avi#21"
    assert (sad.apex_rule, sad.apex) == ("fixed", [14, 20, 25])
    assert (neutral.neutral, len(neutral.frames)) == (20, 40)
    assert neutral.apex == ([14, 20, 25] if neutral_is_a_class else [])
    said = dict(zip(index.rejected["frame"], index.rejected["reason"], strict=True))
    assert "foreign content" in said["Actor_02/02-01-06-01-01-01-02.avi"]
    assert (
        "no frame" in said["Actor_02/02-01-05-01-01-01-02.avi"] or "opened" in said["Actor_02/02-01-05-01-01-01-02.avi"]
    )
    write_index(index, tmp_path / "index")
    assert pd.read_parquet(tmp_path / "index/index.parquet")["apex_rule"].notna().sum() == 2 + neutral_is_a_class
    told = describe_index(index, "ravdess", compare_counts(index.sequences, "ravdess", PUBLISHED))
    assert "ravdess: peak found by the rule tracking in 1 clips" in told


def test_a_label_changes_no_peak(ravdess):
    """The same clip under another name has the same peak, by any rule."""
    one = spoken.read_clip(ravdess, "Actor_01/02-01-03-01-01-01-01.avi", None, 3, True)
    other = spoken.read_clip(ravdess, "Actor_02/02-01-04-01-01-01-02.avi", None, 3, True)
    assert one == other


def test_a_tracking_file_that_is_broken_leaves_the_next_rule(ravdess):
    (ravdess / "broken.csv").write_text("no such columns\n")
    clip = spoken.read_clip(ravdess, "Actor_01/02-01-03-01-01-01-01.avi", "broken.csv", 3, True)
    assert clip.rule == "fixed" and clip.remarks[0][0] == "broken.csv"
