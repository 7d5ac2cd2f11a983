"""The contact sheet and the publication guard."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fersnet.faces.consent import publishable_subjects
from fersnet.faces.contact_sheet import choose_rows, draw_contact_sheet, write_contact_sheet
from fersnet.faces.store import FaceStore

HIDDEN = (0, 0, 255)


@pytest.fixture(scope="module")
def faces() -> FaceStore:
    rng = np.random.default_rng(0)
    rows = [
        {
            "sequence_id": f"{subject}_{expression}",
            "subject": subject,
            "expression": expression,
            "frame": frame,
            "role": "peak",
            "quality": float(rng.uniform(0.6, 1)),
        }
        for subject in ("S052", "S055", "S010", "S011")
        for expression in ("fear", "anger")
        for frame in (3, 4)
    ]
    table = pd.DataFrame(rows)
    table.loc[6, "quality"] = 0.01
    images = np.full((len(table), 40, 40, 3), 100, dtype=np.uint8)
    images[~table["subject"].isin(["S052", "S055"])] = HIDDEN
    return FaceStore(images, table, rng.uniform(0, 40, (len(table), 68, 2)).astype(np.float32))


def test_one_last_peak_per_sequence_and_the_worst_fits(faces):
    chosen = choose_rows(faces, 3)
    assert list(chosen) == ["anger", "fear", "lowest quality"]
    assert len(chosen["anger"]) == len(chosen["fear"]) == 3
    assert all(faces.table["frame"][row] == 4 for row in chosen["anger"] + chosen["fear"])
    assert chosen["lowest quality"][0] == 6


def test_only_the_given_subjects_are_shown(faces):
    allowed = publishable_subjects(faces.table["subject"], "listed", ["S52", "S55", "S999"])
    assert allowed == {"S052", "S055"}
    rows = [row for part in choose_rows(faces, 12, allowed).values() for row in part]
    assert rows and set(faces.table["subject"][rows]) <= allowed
    assert not (draw_contact_sheet(faces, 12, allowed) == HIDDEN).all(axis=2).any()
    assert (draw_contact_sheet(faces, 12) == HIDDEN).all(axis=2).any()


def test_nobody_to_show_gives_a_sheet_without_faces(faces):
    assert draw_contact_sheet(faces, 4, frozenset()).shape[2] == 3


def test_a_list_counts_only_where_the_terms_name_one():
    assert publishable_subjects(["S010"], "everybody", ["S52"]) == {"S010"}
    assert publishable_subjects(["S010"], "listed", []) == frozenset()
    assert publishable_subjects(["S052"], "by permission", ["S52"]) == frozenset()


def test_the_credit_is_drawn_below_the_faces(faces):
    plain, credited = draw_contact_sheet(faces, 4), draw_contact_sheet(faces, 4, credit="Faces: somebody's. " * 9)
    added = credited[plain.shape[0] :]
    assert (credited[: plain.shape[0] - 2] == plain[:-2]).all() and (added < 128).any(axis=(1, 2)).sum() > 10
    assert (credited[:, -1] == 255).all(), "no letter reaches the edge"
    nobody = draw_contact_sheet(faces, 4, frozenset(), "Faces: somebody's.")
    assert nobody.shape == draw_contact_sheet(faces, 4, frozenset()).shape


def test_the_sheet_is_a_picture_with_its_landmarks(faces, tmp_path):
    write_contact_sheet(faces, tmp_path / "sheet.png", columns=4)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[0] > 3 * 110 and sheet.shape[1] > 4 * 110
    assert (sheet == (255, 64, 64)).all(axis=2).sum() > 100
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
