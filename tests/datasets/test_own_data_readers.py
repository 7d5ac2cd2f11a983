"""The readers of a user's own data: folders, and a CSV manifest."""

import os

import pytest

from fersnet.datasets.counts import PUBLISHED, compare_counts, describe_index
from fersnet.datasets.index import read_dataset
from fersnet.datasets.labels import expression_named
from fersnet.datasets.readers import folder, manifest
from fersnet.datasets.sequences import labelled
from fersnet.errors import UserError
from fersnet.settings.data import DatasetSettings


def reasons(index):
    return dict(zip(index.rejected.frame, index.rejected.reason, strict=True))


def test_folders_of_images_and_of_sequences(tmp_path, put_frames, put_picture, put_text):
    put_frames(tmp_path / "Zoë Müller/Happy", "img {}.png", [1, 2, 10, 9, 11])
    put_frames(tmp_path / "anna/anger/take 1", "{}.jpg", range(4))
    put_frames(tmp_path / "anna/anger/take 2", "{}.jpg", range(2))
    put_picture(tmp_path / "anna/SAD/one.bmp")
    put_picture(tmp_path / "anna/bored/one.png")
    (tmp_path / "anna/fear").mkdir()
    put_text(tmp_path / "anna/anger/notes.txt", "")
    put_text(tmp_path / "anna/anger/take 1/.hidden.jpg", "x")
    index = folder.read_index(tmp_path)
    rows = index.sequences.set_index("sequence_id")
    assert list(rows.index) == ["Zoë Müller/Happy", "anna/SAD", "anna/anger/take 1", "anna/anger/take 2"]
    zoe = rows.loc["Zoë Müller/Happy"]
    assert (zoe.subject, zoe.expression, zoe.apex, zoe.neutral) == ("Zoë Müller", "happiness", [2, 3, 4], 0)
    assert [frame.rpartition(" ")[2] for frame in zoe.frames] == ["1.png", "2.png", "9.png", "10.png", "11.png"]
    assert rows.loc["anna/SAD"].apex == [0] and rows.loc["anna/SAD"].neutral == -1
    assert (rows.loc["anna/anger/take 2"].apex, rows.loc["anna/anger/take 2"].neutral) == ([0, 1], -1)
    assert "not one of" in reasons(index)["anna/bored"]
    assert "no frames" in set(index.rejected.reason)


def test_a_neutral_folder_is_a_class_or_gives_neutral_faces(tmp_path, put_frames):
    put_frames(tmp_path / "anna/happy", "{}.png", range(2))
    put_frames(tmp_path / "anna/Neutral", "{}.png", range(5))
    put_frames(tmp_path / "ben/happy", "{}.png", range(2))
    put_frames(tmp_path / "ben/sad", "{}.png", range(2))
    own = DatasetSettings(reader="folder", root=str(tmp_path), expressions=("happiness", "neutral"))
    as_class = read_dataset(own, tmp_path).sequences.set_index("sequence_id")
    assert (as_class.loc["anna/Neutral"].apex, as_class.loc["anna/Neutral"].neutral) == ([2, 3, 4], 0)
    assert len(labelled(as_class)) == 3
    without = own.model_copy(update={"expressions": ("happiness", "sadness")})
    index = read_dataset(without, tmp_path)
    rows = index.sequences.set_index("sequence_id")
    assert (rows.loc["anna/Neutral"].apex, rows.loc["anna/Neutral"].neutral) == ([], 0)
    assert len(labelled(index.sequences)) == 3 and index.rejected.empty
    told = describe_index(index, "own", compare_counts(index.sequences, "own", PUBLISHED))
    assert told == [
        "own: 3 labelled sequences of 2 subjects",
        "own: 1 neutral sequences, which are no class here, give neutral faces",
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Happy", "happiness"),
        ("happiness", "happiness"),
        ("0_angry", "anger"),
        ("03 - Sad", "sadness"),
        ("NEUTRAL", "neutral"),
        ("D\u00e9go\u00fbt", "disgust"),
        ("De\u0301gou\u0302t", "disgust"),
        ("\u00dcberraschung", "surprise"),
        ("0", None),
        ("AN", None),
        ("bored", None),
        ("", None),
    ],
)
def test_names_of_expressions(written, meant):
    assert expression_named(written) == meant


def test_apex_rules(tmp_path, put_frames):
    put_frames(tmp_path / "a/fear", "{:02d}.png", range(9))
    for rule, apex, neutral in (("last", [6, 7, 8], 0), ("middle", [3, 4, 5], 0), ("all", list(range(9)), -1)):
        row = folder.read_index(tmp_path, apex=rule).sequences.iloc[0]
        assert row.apex == apex and row.neutral == neutral
    with pytest.raises(UserError, match=r"options\.apex"):
        folder.read_index(tmp_path, apex="first")


def test_folder_reader_wants_subject_before_expression(tmp_path, put_frames):
    put_frames(tmp_path / "happiness/anna", "{}.png", range(3))
    with pytest.raises(UserError, match="subject/expression"):
        folder.read_index(tmp_path)


@pytest.fixture
def table(tmp_path, put_frames, put_text):
    put_frames(tmp_path / "data/images", "{}.png", range(6))

    def make(*rows, header="subject,expression,sequence_id,frame"):
        return put_text(tmp_path / "data/manifest.csv", "\n".join([header, *rows]) + "\n")

    return make


def test_manifest(table):
    path = table(
        "001,happy,s1,images/0.png",
        "001,happy,s1,images/3.png",
        '"002",Surprise, s2 ,images/2.png',
        "",
        f"002,surprise,s2,{table().parent}/images/1.png",
    )
    rows = manifest.read_index(path).sequences.set_index("sequence_id")
    assert rows.loc["s1"].frames == ["images/0.png", "images/3.png"]
    assert rows.loc["s2"].frames == ["images/2.png", "images/1.png"]
    assert rows.loc["s1"].subject == "001" and rows.loc["s2"].expression == "surprise"
    assert manifest.read_index(path.parent).sequences.shape == (2, 8)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_manifest_with_peaks_and_other_delimiters(table, delimiter):
    rows = [("peak", "path", "Subject", "EXPRESSION", "sequence"), ("0", "images/0.png", "a", "fear", "s"),
            ("1", "images/1.png", "a", "fear", "s"), ("", "images/2.png", "a", "fear", "s")]  # fmt: skip
    lines = [delimiter.join(row) for row in rows]
    row = manifest.read_index(table(*lines[1:], header="\ufeff" + lines[0])).sequences.iloc[0]
    assert row.n_frames == 3 and row.apex == [1] and row.neutral == 0


def test_bad_rows_cost_themselves(table, tmp_path, put_picture):
    put_picture(tmp_path / "outside.png")
    (tmp_path / "data/images/empty.png").write_bytes(b"")
    os.mkfifo(tmp_path / "data/images/pipe.png")
    (tmp_path / "data/images/link.png").symlink_to(tmp_path / "outside.png")
    bad = {
        "../outside.png": "path leaves the folder",
        "/etc/passwd.png": "path leaves the folder",
        "images/../../outside.png": "path leaves the folder",
        "images/link.png": "symbolic link leaves",
        "images/none.png": "file is missing",
        "images/empty.png": "empty file",
        "images/pipe.png": "not a regular file",
        "images": "not an image file",
        "images/0.png\0.png": "zero byte",
    }
    path = table("a,fear,s1,images/0.png", *(f"a,fear,s1,{frame}" for frame in bad), "a,boredom,s2,images/1.png",
                 "a,fear,s1,images/0.png", ",fear,s3,images/2.png", "a,fear,s4")  # fmt: skip
    index = manifest.read_index(path)
    assert list(index.sequences.sequence_id) == ["s1"] and index.sequences.n_frames[0] == 1
    for frame, reason in bad.items():
        assert reason in reasons(index)[frame], frame
    assert "manifest.csv line 12: expression 'boredom' is not one of" in reasons(index)["images/1.png"]
    assert "listed twice" in reasons(index)["images/0.png"]
    assert "empty" in reasons(index)["images/2.png"]


def test_links_out_of_the_folder_need_the_option(table, tmp_path, put_picture):
    put_picture(tmp_path / "outside.png")
    (tmp_path / "data/images/link.png").symlink_to(tmp_path / "outside.png")
    path = table("a,fear,s1,images/link.png")
    assert manifest.read_index(path).sequences.empty
    assert len(manifest.read_index(path, follow_links=True).sequences) == 1


def test_one_id_for_two_sequences_is_rejected_whole(table):
    index = manifest.read_index(table("a,fear,s1,images/0.png", "b,fear,s1,images/1.png", "b,fear,s2,images/2.png"))
    assert list(index.sequences.sequence_id) == ["s2"]
    assert "two subjects" in index.rejected.reason[0]


def test_unreadable_manifests_are_one_line(tmp_path, table):
    with pytest.raises(UserError, match="column expression is missing"):
        manifest.read_index(table(header="subject,sequence_id,frame"))
    with pytest.raises(UserError, match="no such file"):
        manifest.read_index(tmp_path / "none.csv")
    path = table()
    for content, message in ((b"", "column subject"), (b"\xff\xfe\x00", "UTF-8"), (b'subject,"x\n', "column|CSV")):
        path.write_bytes(content)
        with pytest.raises(UserError, match=message) as caught:
            manifest.read_index(path)
        assert "\n" not in str(caught.value)
