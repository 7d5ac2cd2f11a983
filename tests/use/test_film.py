"""Films: a row per frame and face, with faces that are followed from frame to frame."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.use import film as film_module
from fersnet.use.film import Film, film_or_camera
from fersnet.use.follow import PATIENCE, Follower
from tests.use.conftest import MakeCheckpoint


def predict(*words: object):
    return CliRunner().invoke(app, ["predict", *map(str, words)])


def test_a_film_gives_a_row_per_frame_and_face_and_a_film_with_them(
    tmp_path: Path, clip: Path, make_checkpoint: MakeCheckpoint
) -> None:
    out, annotated = tmp_path / "new" / "faces.csv", tmp_path / "drawn.mp4"
    done = predict(clip, "--model", make_checkpoint(), "--out", out, "--annotated", annotated)
    assert (done.exit_code, done.stdout) == (0, f"{out}: 12 frames, 2 faces followed, 18 rows\n")
    table = pd.read_csv(out)
    assert table[table["face"] == 1]["frame"].tolist() == list(range(12))
    assert table[table["face"] == 2]["frame"].tolist() == list(range(6, 12))
    first = table[table["face"] == 1]["left"].tolist()
    assert first[-1] - first[0] > 30
    assert table["seconds"].tolist() == pytest.approx((table["frame"] / 10).tolist(), abs=0.01)
    assert table["predicted"].notna().all() and set(table["trained_on"]) == {"unknown"}
    capture = cv2.VideoCapture(str(annotated))
    sizes = []
    while (read := capture.read())[0]:
        sizes.append(read[1].shape)
    assert sizes == [(300, 640, 3)] * 12 and capture.get(cv2.CAP_PROP_FPS) == 10


def test_every_third_frame(tmp_path: Path, clip: Path, make_checkpoint: MakeCheckpoint) -> None:
    out = tmp_path / "faces.csv"
    done = predict(clip, "--model", make_checkpoint(), "--out", out, "--every", 3)
    assert done.stdout == f"{out}: 4 frames, 2 faces followed, 6 rows\n"
    assert pd.read_csv(out)["frame"].tolist() == [0, 3, 6, 6, 9, 9]


def test_a_film_without_faces_is_told(tmp_path: Path, make_checkpoint: MakeCheckpoint) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "plain.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (160, 120))
    for _ in range(3):
        writer.write(np.full((120, 160, 3), 90, dtype=np.uint8))
    writer.release()
    out = tmp_path / "faces.csv"
    done = predict(tmp_path / "plain.avi", "--model", make_checkpoint(), "--out", out)
    assert done.exit_code == 1 and "no face found in 3 frames" in done.stderr
    assert len(pd.read_csv(out)) == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("text.mp4", "--out", "x.csv"), "text.mp4: not a video file"),
        (("cut.mp4", "--out", "x.csv"), "cut.mp4: video cannot be decoded"),
        (("nothere.mp4", "--out", "x.csv"), "nothere.mp4: file is missing"),
        (("999", "--out", "x.csv"), "999: camera cannot be opened"),
        (("clip.mp4",), "--out faces.csv"),
        (("clip.mp4", "clip.mp4", "--out", "x.csv"), "one at a time"),
        (("face.png", "--every", "2"), "are for films"),
        (("clip.mp4", "--out", "x.csv", "--annotated", "x.gif"), "ends in .mp4"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(
    tmp_path: Path, clip: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...], reason: str,
) -> None:  # fmt: skip
    checkpoint = make_checkpoint()
    monkeypatch.chdir(tmp_path)
    Path("clip.mp4").write_bytes(clip.read_bytes())
    Path("cut.mp4").write_bytes(clip.read_bytes()[:2000])
    Path("text.mp4").write_text("a text", encoding="utf-8")
    done = predict(*words, "--model", checkpoint)
    assert done.exit_code == 1
    assert reason in done.stderr and done.stderr.count("\n") == 1
    assert not Path("x.csv").exists()


def test_a_film_that_breaks_off_before_its_first_frame_is_told(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.VideoCapture, "grab", lambda _: False, raising=False)
    with Film(str(clip)) as film, pytest.raises(film_module.UserError, match="no frame can be read"):
        list(film.frames())


def test_a_number_is_a_camera_unless_a_file_has_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert film_or_camera("0") and film_or_camera("a.MP4") and not film_or_camera("a.png")
    Path("0").touch()
    assert not film_or_camera("0")


def test_a_face_keeps_its_number_while_it_moves_and_for_a_while_out_of_sight() -> None:
    follower = Follower()
    left, right = (0, 0, 100, 100), (300, 0, 400, 100)
    assert follower.follow([left, right]) == [1, 2]
    assert follower.follow([(310, 5, 410, 105), (20, 10, 120, 110)]) == [2, 1]
    for _ in range(PATIENCE):
        assert follower.follow([right]) == [2]
    assert follower.follow([left, right]) == [1, 2]
    for _ in range(PATIENCE + 1):
        follower.follow([right])
    assert follower.follow([left, right]) == [3, 2]
    assert follower.count == 3


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(1, 200)), max_size=6), max_size=20
    )
)
def test_no_two_faces_of_a_frame_have_one_number(frames: list) -> None:
    follower = Follower()
    for squares in frames:
        numbers = follower.follow([(x, y, x + side, y + side) for x, y, side in squares])
        assert len(set(numbers)) == len(squares)
        assert all(1 <= number <= follower.count for number in numbers)
