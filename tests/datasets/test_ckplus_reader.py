"""The CK+ reader on every shape in which the four archives end up on disk."""

from pathlib import Path

import pytest

from fersnet.datasets.readers.ckplus import read_index
from fersnet.errors import UserError


@pytest.fixture
def ckplus(tmp_path, put_frames, put_text):
    """Two labelled sequences, and one of each kind without a label, under the given parents."""

    def make(images: str = "cohn-kanade-images", labels: str = "Emotion") -> Path:
        for subject, session, frames in (
            ("S005", "001", 6),
            ("S010", "002", 9),
            ("S010", "003", 5),
            ("S010", "004", 5),
            ("S011", "001", 5),
            ("S103", "001", 4),
        ):
            folder = tmp_path / images / subject / session
            put_frames(folder, f"{subject}_{session}_{{:08d}}.png", range(1, frames + 1))
        put_text(tmp_path / labels / "S005/001/S005_001_00000006_emotion.txt", "   3.0000000e+00\n")
        put_text(tmp_path / labels / "S010/002/S010_002_00000009_emotion.txt", "   7.0000000e+00\n")
        (tmp_path / labels / "S010/003").mkdir(exist_ok=True)
        put_text(tmp_path / labels / "S010/004/.DS_Store", "x")
        put_text(tmp_path / labels / "S011/001/S011_001_00000005_emotion.txt", "   0.0000000e+00\n")
        put_text(tmp_path / images / ".DS_Store", "x")
        put_text(tmp_path / "__MACOSX" / images / "S005/001/._S005_001_00000001.png", "x")
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("cohn-kanade-images", "Emotion"),
        ("extended-cohn-kanade-images/cohn-kanade-images", "Emotion_labels/Emotion"),
        ("extended-cohn-kanade-images/cohn-kanade-images", "Emotion_Labels/Emotion"),
        ("CK+/extended-cohn-kanade-images/Cohn-Kanade-Images", "CK+/Emotion_labels/emotion"),
        ("merged", "merged"),
        ("", ""),
    ],
)
def test_every_layout_gives_the_same_sequences(ckplus, images, labels):
    index = read_index(ckplus(images, labels))
    rows = index.sequences
    assert list(rows.sequence_id) == ["S005_001", "S010_002"]
    assert list(rows.subject) == ["S005", "S010"]
    assert list(rows.expression) == ["disgust", "surprise"]
    assert list(rows.n_frames) == [6, 9]
    assert rows.apex[0] == [3, 4, 5] and rows.apex[1] == [6, 7, 8]
    assert list(rows.neutral) == [0, 0] and list(rows["view"]) == ["", ""]
    prefix = f"{images}/" if images else ""
    assert rows.frames[0][0] == f"{prefix}S005/001/S005_001_00000001.png"
    unlabelled = index.rejected[index.rejected.reason.str.startswith("unlabelled")]
    assert set(unlabelled.sequence_id) == {"S010_003", "S010_004", "S011_001", "S103_001"}


def test_lower_case_names_are_found(tmp_path, put_frames, put_text):
    put_frames(tmp_path / "images/s005/001", "s005_001_{:08d}.PNG", range(1, 5))
    put_text(tmp_path / "labels/s005/001/s005_001_00000004_EMOTION.TXT", "5")
    assert list(read_index(tmp_path).sequences.sequence_id) == ["S005_001"]


@pytest.mark.parametrize("content", ["", "rubbish", "2.5", "9", "-1", "nan", "inf", "1 2", "\x00\x01", "1" * 1000])
def test_rubbish_labels_cost_one_sequence(ckplus, put_text, content):
    root = ckplus()
    put_text(root / "Emotion/S005/001/S005_001_00000006_emotion.txt", content)
    index = read_index(root)
    assert list(index.sequences.sequence_id) == ["S010_002"]
    reasons = index.rejected.set_index("sequence_id").reason
    assert reasons["S005_001"] == "label file does not hold one code from 0 to 7"


def test_contradicting_labels_are_rejected(ckplus, put_text):
    root = ckplus()
    put_text(root / "Emotion/S005/001/S005_001_00000005_emotion.txt", "1")
    assert "S005_001" not in set(read_index(root).sequences.sequence_id)


def test_odd_frames_are_reported_one_by_one(ckplus, put_picture):
    root = ckplus()
    folder = root / "cohn-kanade-images/S010/002"
    put_picture(folder / "S005_001_00000001.png")
    put_picture(folder / "copy of a face.png")
    (folder / "S010_002_00000005.png").unlink()
    (folder / "S010_002_00000009.png").write_bytes(b"")
    index = read_index(root)
    row = index.sequences.set_index("sequence_id").loc["S010_002"]
    assert row.n_frames == 7
    assert [frame[-5] for frame in row.frames] == list("1234678")
    reasons = dict(zip(index.rejected.frame, index.rejected.reason, strict=True))
    base = "cohn-kanade-images/S010/002"
    assert reasons[f"{base}/S010_002_00000009.png"] == "empty file"
    assert reasons[f"{base}/#5"] == "frame numbers have a gap"
    assert "does not fit" in reasons[f"{base}/S005_001_00000001.png"]
    assert reasons[f"{base}/copy of a face.png"] == "file name does not end in a frame number"


def test_c1_frames_that_are_only_numbered_are_read(tmp_path, put_frames, put_text):
    put_frames(tmp_path / "i/S005/001", "{:08d}.png", range(1, 5))
    put_text(tmp_path / "e/S005/001/S005_001_00000004_emotion.txt", "3")
    index = read_index(tmp_path)
    assert index.sequences.n_frames.tolist() == [4] and index.rejected.empty


def test_short_sequences_have_no_neutral_frame(tmp_path, put_frames, put_text):
    put_frames(tmp_path / "i/S005/001", "S005_001_{:08d}.png", range(1, 3))
    put_text(tmp_path / "e/S005/001/S005_001_00000002_emotion.txt", "1")
    row = read_index(tmp_path).sequences.iloc[0]
    assert row.apex == [0, 1] and row.neutral == -1


def test_a_second_copy_is_reported(ckplus):
    ckplus()
    index = read_index(ckplus("backup/cohn-kanade-images"))
    assert len(index.sequences) == 2
    assert index.rejected.reason.str.startswith("second copy").sum() == 1


def test_missing_parts_are_named(tmp_path, put_frames, put_text):
    with pytest.raises(UserError, match="no CK\\+ images"):
        read_index(tmp_path)
    put_frames(tmp_path / "i/S005/001", "S005_001_{:08d}.png", range(1, 3))
    with pytest.raises(UserError, match="no CK\\+ labels"):
        read_index(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        read_index(tmp_path / "nowhere")


def test_peak_frames_option(ckplus):
    assert read_index(ckplus(), peak_frames=5).sequences.apex[0] == [1, 2, 3, 4, 5]
    with pytest.raises(UserError, match="peak_frames"):
        read_index(ckplus("again"), peak_frames=0)
