"""The Oulu-CASIA and BU-4DFE readers."""

import pytest

from fersnet.datasets.readers import bu4dfe, oulu_casia
from fersnet.errors import UserError

OULU = ("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise")
BU = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise")


@pytest.fixture
def oulu(tmp_path, put_frames):
    def make(light_folder: str, subjects=("P001", "P002"), first: int = 0, count: int = 5):
        for subject in subjects:
            for name in OULU:
                put_frames(tmp_path / light_folder / subject / name, "{:03d}.jpeg", range(first, first + count))
        return tmp_path

    return make


@pytest.mark.parametrize(
    "prefix",
    ["", "OriginalImg", "B_OriginalImg", "B_OriginalImg/OriginalImg", "B_OriginalImg/B_OriginalImg/OriginalImg"],
)
def test_every_prefix_is_found(oulu, prefix):
    rows = oulu_casia.read_index(oulu(f"{prefix}/VL/Strong".lstrip("/"))).sequences
    assert len(rows) == 12 and rows.subject.nunique() == 2
    assert set(rows.expression.value_counts()) == {2}
    row = rows.set_index("sequence_id").loc["P001_Happiness"]
    assert row.apex == [2, 3, 4] and row.neutral == 0
    assert row.frames[0] == f"{prefix}/VL/Strong/P001/Happiness/000.jpeg".lstrip("/")


def test_root_may_be_deep_in_the_tree(oulu):
    root = oulu("OriginalImg/VL/Strong")
    for inner in ("OriginalImg", "OriginalImg/VL", "OriginalImg/VL/Strong"):
        assert len(oulu_casia.read_index(root / inner).sequences) == 12


def test_options_choose_light_spectrum_and_crop(oulu):
    oulu("B/VL/Strong", ("P001",))
    oulu("B/VL/Weak", ("P002",))
    oulu("B/NI/Dark", ("P003",))
    root = oulu("C/VL_Acropped/Strong", ("P004",))
    for options, subject in (
        ({}, "P001"),
        ({"light": "weak"}, "P002"),
        ({"spectrum": "NI", "light": "Dark"}, "P003"),
        ({"images": "cropped"}, "P004"),
    ):
        assert set(oulu_casia.read_index(root, **options).sequences.subject) == {subject}
    with pytest.raises(UserError, match="found NI/Dark"):
        oulu_casia.read_index(root, spectrum="NI")
    with pytest.raises(UserError, match=r"options\.light"):
        oulu_casia.read_index(root, light="Bright")


def test_frames_sort_by_number_from_any_start(oulu, put_picture):
    root = oulu("VL/Strong", ("P001",), first=7, count=5)
    folder = root / "VL/Strong/P001/Anger"
    put_picture(folder / "100.jpeg")
    put_picture(folder / "12.jpeg")
    put_picture(folder / "007.jpg")
    put_picture(folder / "cover.jpeg")
    (folder / "Thumbs.db").write_bytes(b"x")
    index = oulu_casia.read_index(root)
    row = index.sequences.set_index("sequence_id").loc["P001_Anger"]
    assert [frame.rpartition("/")[2] for frame in row.frames] == [
        "007.jpeg", "008.jpeg", "009.jpeg", "010.jpeg", "011.jpeg", "12.jpeg", "100.jpeg",
    ]  # fmt: skip
    reasons = dict(zip(index.rejected.frame, index.rejected.reason, strict=True))
    assert reasons["VL/Strong/P001/Anger/cover.jpeg"] == "file name does not end in a frame number"
    assert "another frame has this number" in reasons["VL/Strong/P001/Anger/007.jpg"]
    assert reasons["VL/Strong/P001/Anger/#13-99"] == "frame numbers have a gap"


@pytest.mark.parametrize(("reader", "place"), [(oulu_casia, "VL/Strong/P001/Anger"), (bu4dfe, "F001/Angry")])
def test_c1_frames_go_by_the_number_at_the_end_of_their_names(tmp_path, put_frames, put_picture, reader, place):
    put_frames(tmp_path / place, "FirstF_{:03d}.jpeg", range(5))
    put_frames(tmp_path / place, "firstf_{}.jpeg", [10, 9])
    index = reader.read_index(tmp_path)
    names = [frame.rpartition("/")[2] for frame in index.sequences.frames[0]]
    assert names == [*(f"FirstF_{number:03d}.jpeg" for number in range(5)), "firstf_9.jpeg", "firstf_10.jpeg"]
    assert set(index.rejected.reason) <= {"frame numbers have a gap", "sequence folder is missing"}
    put_frames(tmp_path / place, "LastF_{:03d}.jpeg", range(2))
    index = reader.read_index(tmp_path)
    assert index.sequences.n_frames[0] == 7, "numbers of two takes do not make one sequence"
    told = index.rejected[index.rejected.frame.str.contains("LastF")]
    assert len(told) == 2 and told.reason.str.contains("begins unlike most of its sequence").all()
    put_frames(tmp_path / place, "LastF_{:03d}.jpeg", range(2, 7))
    index = reader.read_index(tmp_path)
    assert index.sequences.empty, "nobody can say which of the two is meant"
    assert index.rejected.reason.str.contains("begin in different ways").sum() == 14


def test_empty_missing_and_foreign_folders_are_reported(oulu):
    root = oulu("VL/Strong")
    base = root / "VL/Strong"
    for file in (base / "P001/Fear").iterdir():
        file.unlink()
    for file in (base / "P002/Sadness").iterdir():
        file.unlink()
    (base / "P002/Sadness").rmdir()
    (base / "P002/Boredom").mkdir()
    (base / "notes").mkdir()
    index = oulu_casia.read_index(root)
    assert len(index.sequences) == 10
    found = {(row.sequence_id, row.frame, row.reason) for row in index.rejected.itertuples()}
    assert found == {
        ("P001_Fear", "", "no frames"),
        ("P002_Sadness", "", "sequence folder is missing"),
        ("", "VL/Strong/P002/Boredom", "not an expression folder"),
        ("", "VL/Strong/notes", "not a subject folder"),
    }


@pytest.mark.parametrize("prefix", ["", "BU-4DFE", "BU/data/BU4DFE"])
def test_bu4dfe(tmp_path, put_frames, put_text, prefix):
    base = tmp_path / prefix
    for subject in ("F001", "M001"):
        for name in BU:
            if (subject, name) != ("M001", "Sad"):
                put_frames(base / subject / name, "{:03d}.jpg", range(10))
                put_text(base / subject / name / "000.wrl", "#VRML V2.0 utf8")
    put_text(base / "BU_WrlViewer_V2" / "viewer.exe", "")
    index = bu4dfe.read_index(tmp_path)
    rows = index.sequences.set_index("sequence_id")
    assert len(rows) == 11 and set(rows.subject) == {"F001", "M001"}
    assert rows.loc["F001_Angry"].expression == "anger" and rows.loc["M001_Happy"].expression == "happiness"
    assert rows.loc["F001_Sad"].apex == [4, 5, 6] and rows.loc["F001_Sad"].neutral == 0
    assert {tuple(row) for row in index.rejected.itertuples(index=False)} == {
        ("", f"{prefix}/BU_WrlViewer_V2".lstrip("/"), "not a subject folder"),
        ("M001_Sad", "", "sequence folder is missing"),
    }


def test_bu4dfe_in_several_parts(tmp_path, put_frames):
    put_frames(tmp_path / "part1/F001/Angry", "{:03d}.jpg", range(5))
    put_frames(tmp_path / "part2/F002/Angry", "{:03d}.jpg", range(5))
    put_frames(tmp_path / "part3/F002/Angry", "{:03d}.jpg", range(5))
    index = bu4dfe.read_index(tmp_path)
    assert list(index.sequences.sequence_id) == ["F001_Angry", "F002_Angry"]
    assert index.rejected.reason.str.startswith("another sequence has this id").sum() == 1


def test_nothing_found_is_one_line(tmp_path):
    for reader in (oulu_casia, bu4dfe):
        with pytest.raises(UserError) as caught:
            reader.read_index(tmp_path)
        assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
