"""Names of subjects: spellings of one person, and splits in the place of people."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fersnet.datasets.index import look_at
from fersnet.datasets.readers import folder, manifest
from fersnet.datasets.subjects import check_subjects
from fersnet.errors import UserError
from fersnet.settings.data import DatasetSettings

JOSE = {form: unicodedata.normalize(form, "José") for form in ("NFC", "NFD")}
HEADER = "subject,expression,sequence_id,frame\n"


def test_b2_two_spellings_in_a_manifest_are_one_subject_and_find_their_files(tmp_path, put_frames, put_text):
    put_frames(tmp_path / JOSE["NFD"] / JOSE["NFC"], "é{}.png", range(4))
    written = [
        (JOSE["NFC"], "s1", f"{JOSE['NFC']}/{JOSE['NFC']}/é0.png"),
        (JOSE["NFD"], "s1", f"{JOSE['NFD']}/{JOSE['NFC']}/{unicodedata.normalize('NFD', 'é')}1.png"),
        (JOSE["NFD"], "s2", f"{tmp_path}/{JOSE['NFC']}/{JOSE['NFD']}/é2.png"),
        (JOSE["NFC"], "s1", f"{JOSE['NFD']}/{JOSE['NFD']}/é0.png"),
        (JOSE["NFC"], "s1", f"{JOSE['NFD']}/{JOSE['NFD']}/é9.png"),
    ]
    rows = "".join(f"{subject},fear,{sequence},{frame}\n" for subject, sequence, frame in written)
    index = manifest.read_index(put_text(tmp_path / "manifest.csv", HEADER + rows))
    assert set(index.sequences.subject) == {JOSE["NFC"]}
    assert index.sequences.n_frames.tolist() == [2, 1]
    assert all((tmp_path / frame).is_file() for frames in index.sequences.frames for frame in frames)
    assert [reason.partition(": ")[2] for reason in index.rejected.reason] == [
        "frame is listed twice",
        "file is missing",
    ]


def test_b2_a_manifest_in_a_folder_of_another_spelling(tmp_path, put_frames, put_text):
    root = tmp_path / JOSE["NFD"]
    put_frames(root, "{}.png", range(1))
    path = put_text(root / "manifest.csv", f"{HEADER}a,fear,s,{tmp_path}/{JOSE['NFC']}/0.png\n")
    assert manifest.read_index(path).sequences.frames[0] == ["0.png"]


def test_b2_two_spellings_of_a_subject_folder_are_one_subject(tmp_path, put_frames):
    for form in JOSE.values():
        put_frames(tmp_path / form / "fear", "{}.png", range(3))
        put_frames(tmp_path / form / f"anger/{form}", "{}.png", range(3))
    index = folder.read_index(tmp_path)
    assert set(index.sequences.subject) == {JOSE["NFC"]}
    assert len(set(index.sequences.sequence_id)) == 4, "neither spelling costs the other its pictures"
    assert {frame.split("/")[0] for frames in index.sequences.frames for frame in frames} == set(JOSE.values())
    assert unicodedata.is_normalized("NFC", "".join(index.sequences.sequence_id))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Anna", "anna"), ("anna ", "anna"), ("007", "7"), ("S07", "s7"), ("p_01", "p_1"), ("0", "00"), ("a  b", "a b"),
     ("Straße", "STRASSE"), ("１", "1"), ("a\u200bb", "ab"), ("\u00a0x", "x")],
)  # fmt: skip
def test_b2_names_that_hardly_differ_are_named_before_any_job(tmp_path, put_frames, one, other):
    for name in (one, other, "bert"):
        put_frames(tmp_path / name / "fear", "{}.png", range(3))
    found = look_at(DatasetSettings(reader="folder", root="x"), tmp_path)
    assert repr(one) in found and repr(other) in found and "bert" not in found and "\n" not in found
    with pytest.raises(UserError, match="case, spaces or leading zeros only"):
        folder.read_index(tmp_path)


@pytest.mark.parametrize(
    "names", [["S035", "S350", "S3"], ["1.05", "1.5"], ["F001", "M001"], ["10", "100"], ["a1", "b1"]]
)
def test_b2_names_of_different_people_pass(names):
    check_subjects(names)


@given(st.sets(st.integers(0, 10_000)), st.sampled_from(["S{:05d}", "{}", "p{}_x"]))
def test_b2_numbered_people_pass(numbers, pattern):
    check_subjects(pattern.format(number) for number in numbers)


def test_b2_a_blank_name(tmp_path, put_frames):
    put_frames(tmp_path / "  " / "fear", "{}.png", range(3))
    assert "blank" in look_at(DatasetSettings(reader="folder", root="x"), tmp_path)


@pytest.mark.parametrize(
    "names",
    [["train", "valid", "test"], ["Training", "PublicTest", "PrivateTest"], ["train", "val"], ["VALIDATION"],
     ["train_set", "test-set", "someone"], ["fold_0", "fold_1", "fold_2"], ["val", "dev"]],
)  # fmt: skip
def test_b3_splits_in_the_place_of_subjects_are_refused_before_any_job(tmp_path, put_frames, put_text, names):
    rows = "".join(f"{name},anger,{name},{name}/angry/0.png\n" for name in names)
    put_text(tmp_path / "manifest.csv", HEADER + rows)
    for name in names:
        put_frames(tmp_path / name / "angry", "{}.png", range(2))
    for reader in ("folder", "manifest"):
        found = look_at(DatasetSettings(reader=reader, root="x"), tmp_path)
        assert names[0] in found and "ready-made splits" in found and "reader: manifest" in found and "\n" not in found


@pytest.mark.parametrize(
    "names", [["Val", "Anna"], ["Val", "Dev", "Anna"], ["train", "Anna"], ["test01", "test02"], ["s1"]]
)
def test_b3_people_pass(names):
    check_subjects(names)
