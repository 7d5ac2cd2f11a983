"""Dispatch by settings, the look before any job, the index on disk, and the counts."""

from pathlib import Path

import pandas as pd
import pytest

from fersnet.datasets.counts import commonest_reasons, compare_counts, count_table, describe_index
from fersnet.datasets.index import look_at, read_dataset, read_index, write_index
from fersnet.datasets.sequences import SEQUENCE_COLUMNS, IndexBuilder, Person
from fersnet.datasets.video import peak_by_distance, peak_by_markers
from fersnet.errors import UserError
from fersnet.settings.data import DatasetSettings

PUBLISHED = Path(__file__).parents[2] / "config" / "sequence_counts.csv"


@pytest.fixture
def ckplus(tmp_path, put_frames, put_text):
    for session, code in (("001", 3), ("002", 2), ("003", None)):
        put_frames(tmp_path / "tree/images/S005" / session, f"S005_{session}_{{:08d}}.png", range(1, 7))
        if code:
            put_text(tmp_path / f"tree/labels/S005/{session}/S005_{session}_00000006_emotion.txt", f"{code}")
    return tmp_path / "tree"


def test_index_survives_the_disk(ckplus, tmp_path):
    index = read_dataset(DatasetSettings(reader="ckplus"), ckplus)
    write_index(index, tmp_path / "a")
    write_index(index, tmp_path / "b")
    again = read_index(tmp_path / "a")
    pd.testing.assert_frame_equal(again.sequences, index.sequences, check_dtype=False)
    pd.testing.assert_frame_equal(again.rejected, index.rejected, check_dtype=False)
    assert isinstance(again.sequences.apex[0], list) and isinstance(again.sequences.frames[0][0], str)
    for name in ("index.parquet", "index_rejected.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"index.parquet", "index_rejected.csv"}


def test_an_index_has_the_optional_columns_that_its_dataset_knows(tmp_path):
    builder = IndexBuilder()
    builder.describe("anna", Person(sex="female", age=31))
    builder.add("1", "anna", "fear", ["1.mp4#0"], [0], -1, apex_rule="fixed")
    builder.add("2", "ben", "fear", ["2.mp4#0"], [0], -1)
    index = builder.finish()
    assert list(index.sequences.columns) == [*SEQUENCE_COLUMNS, "sex", "age", "apex_rule"]
    write_index(index, tmp_path)
    again = read_index(tmp_path).sequences
    pd.testing.assert_frame_equal(again, index.sequences, check_dtype=False)
    assert (
        again["age"].dtype == "Int64"
        and again["age"][0] == 31
        and again[["sex", "age", "apex_rule"]].isna()[1:].all(axis=None)
    )


def test_nothing_rejected_leaves_a_header(ckplus, tmp_path):
    index = read_dataset(DatasetSettings(reader="folder", root="own"), _folder(tmp_path / "own", ckplus))
    write_index(index, tmp_path / "a")
    assert (tmp_path / "a/index_rejected.csv").read_text() == "sequence_id,frame,reason\n"
    assert read_index(tmp_path / "a").rejected.empty


def _folder(root, ckplus):
    (root / "anna").mkdir(parents=True)
    (ckplus / "images/S005/001").rename(root / "anna/anger")
    return root


def test_damaged_index_is_one_line(tmp_path):
    (tmp_path / "index.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="no readable index"):
        read_index(tmp_path)


def test_classes_filter_the_index(ckplus):
    six = DatasetSettings(reader="ckplus", expressions=("disgust", "anger"))
    index = read_dataset(six, ckplus)
    assert list(index.sequences.expression) == ["disgust"]
    assert "expression contempt is not among the configured classes" in set(index.rejected.reason)
    with pytest.raises(UserError, match="no usable labelled sequence; the commonest reasons"):
        read_dataset(DatasetSettings(reader="ckplus", expressions=("fear", "happiness")), ckplus)


@pytest.mark.parametrize(
    ("reader", "options", "message"),
    [
        ("ckplus", {}, None),
        ("ckplus", {"light": "Weak"}, "options.light: the ckplus reader has no such option, only follow_links"),
        ("ckplus", {"peak_frames": 4}, "options.peak_frames"),
        ("ckplus", {"follow_links": "yes"}, "neither true nor false"),
        ("oulu_casia", {}, "no Oulu-CASIA images"),
        ("oulu_casia", {"light": 3}, "options.light"),
        ("mmi", {}, "no MMI sessions"),
        ("bu4dfe", {}, "no BU-4DFE images"),
        ("folder", {}, "subject/expression"),
        ("manifest", {}, "manifest.csv: no such file"),
    ],
)
def test_look_at(ckplus, reader, options, message):
    settings = DatasetSettings(reader=reader, root=str(ckplus), options=options)
    found = look_at(settings, ckplus)
    assert (found is None) if message is None else (message in found and "\n" not in found)


def test_published_counts():
    table = pd.read_csv(PUBLISHED).set_index("dataset")
    assert table.loc["ckplus", "total"] == 327 and table.loc["mmi", "total"] == 208
    assert (table.drop(columns="total").sum(axis=1) == table["total"]).all()


def test_count_table_and_comparison():
    rows = [("S1", "anger")] * 45 + [("S2", "contempt")] * 17
    sequences = pd.DataFrame(rows, columns=["subject", "expression"])
    counts = count_table(sequences).iloc[0]
    assert (counts.anger, counts.contempt, counts.fear, counts.total, counts.subjects) == (45, 17, 0, 62, 2)
    compared = compare_counts(sequences, "ckplus", PUBLISHED).set_index("expression")
    assert compared.loc["anger", "difference"] == 0 and compared.loc["contempt", "difference"] == -1
    assert compared.loc["total"].tolist() == [62, 327, -265]
    assert "contempt" not in set(compare_counts(sequences, "mmi", PUBLISHED).expression)
    assert compare_counts(sequences, "own_data", PUBLISHED).empty
    with pytest.raises(UserError, match="not a table of published counts"):
        compare_counts(sequences, "ckplus", Path("none.csv"))


def test_description_of_an_index(ckplus):
    index = read_dataset(DatasetSettings(reader="ckplus"), ckplus)
    lines = describe_index(index, "ckplus", compare_counts(index.sequences, "ckplus", PUBLISHED))
    assert lines[0] == "ckplus: 2 labelled sequences of 1 subjects"
    assert "ckplus: anger 0, published 45 (-45)" in lines
    assert lines[-1] == "ckplus: left out: 1 x unlabelled: no label folder"


def test_commonest_reasons_gather_like_with_like():
    rejected = pd.DataFrame({"reason": ["b; x", "b; y", "a", "c", "c"]})
    assert commonest_reasons(rejected, 2) == ["2 x b", "2 x c"]


def test_peak_rules():
    assert peak_by_distance([0.0] * 30) == 15
    assert peak_by_distance([0, 0, 9]) == 1
    late = [0.0] * 20 + [float(value) for value in range(10)]
    assert peak_by_distance(late) < 24
    drift = [0, 0, 0, 0, 2, 6, 9, 9, 9, 6, 2, 1, 1, 1, 1, 1, 1, 1, 30, 40]
    assert 6 <= peak_by_distance(drift) <= 8
    assert peak_by_markers([], 10) is None
    assert peak_by_markers([(3, 6), (4, None), (5, 6)], 10) == 4
    assert peak_by_markers([(2, 3), (6, 9)], 10) == 6
    assert peak_by_markers([(50, 60)], 10) is None
