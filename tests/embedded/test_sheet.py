"""Pictures to look at: files, landmark table, contact sheet, bad requests."""

import csv

import cv2
import numpy as np
import pytest

from fersnet.embedded.sheet import EVERY, chosen_expressions, draw_faces, draw_sheet
from fersnet.errors import UserError


def test_faces_and_their_landmarks_are_written(tmp_path):
    paths = draw_faces(2, 3, 96, "neutral,happiness", tmp_path / "faces")
    assert [path.name for path in paths] == [
        "000_neutral.png", "000_happiness.png", "001_neutral.png", "001_happiness.png",
    ]  # fmt: skip
    for path in paths:
        assert cv2.imread(str(path)).shape == (96, 96, 3)
    with (tmp_path / "faces" / "landmarks.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["file", "point", "x", "y"]
    assert len(rows) == 4 * 68
    assert [int(row["point"]) for row in rows[:68]] == list(range(68))
    assert all(0 < float(row["x"]) < 96 and 0 < float(row["y"]) < 96 for row in rows)


def test_a_seed_repeats_its_bytes_and_another_shows_other_people(tmp_path):
    same = [draw_faces(1, 5, 64, ["anger"], tmp_path / name)[0].read_bytes() for name in "ab"]
    other = draw_faces(1, 6, 64, ["anger"], tmp_path / "c")[0].read_bytes()
    assert same[0] == same[1] != other


def test_more_identities_leave_the_first_ones_alone(tmp_path):
    few = draw_faces(1, 5, 64, ["fear"], tmp_path / "few")[0].read_bytes()
    many = draw_faces(2, 5, 64, ["fear"], tmp_path / "many")[0].read_bytes()
    assert few == many


def test_the_contact_sheet_has_a_row_per_person_and_a_column_per_expression(tmp_path):
    image = cv2.imread(str(draw_sheet(tmp_path / "deep" / "sheet.png", 2, 0, 64)))
    assert image.shape == (2 * 64, len(EVERY) * 64, 3)
    assert np.ptp(image) > 100


def test_all_means_neutral_and_the_six_that_every_set_has():
    assert set(chosen_expressions("all")) == set(EVERY) - {"contempt"}
    assert chosen_expressions("contempt") == ("contempt",)


@pytest.mark.parametrize(
    ("identities", "size", "expressions", "message"),
    [(0, 96, "all", "identities"), (1, 8, "all", "size"), (1, 96, "joy", "joy"), (1, 96, "", "no expression")],
)
def test_bad_requests_are_one_line(tmp_path, identities, size, expressions, message):
    with pytest.raises(UserError, match=message):
        draw_faces(identities, 0, size, expressions, tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match="taken"):
        draw_faces(1, 0, 64, "neutral", tmp_path / "taken")


@pytest.mark.parametrize("name", ["sheet", "sheet.jpg", "folder.png"])
def test_a_sheet_that_is_no_png_file_is_refused(tmp_path, name):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError, match=r"ends in \.png"):
        draw_sheet(tmp_path / name, 1, 0, 64)
