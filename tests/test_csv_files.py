"""CSV files that are written and read again: names stay what they are."""

import re
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from fersnet.csv_files import read_csv
from fersnet.datasets.index import read_index, write_index
from fersnet.datasets.sequences import IndexBuilder

ROOT = Path(__file__).parent.parent
NAMES = ["NA", "nan", "null", "None", "N/A", "NULL", "007", "1e5", "", "True", "-", "é, x"]
FOREIGN = {"csv_files.py", "counts.py", "sizes.py", "quoted.py"}
"""Files that may read a CSV otherwise: the one way itself, and the readers of the figures in `config`."""


def test_b4_names_are_text_and_empty_figures_are_missing(tmp_path):
    table = pd.DataFrame({"subject": NAMES, "accuracy": [1.5, None] * (len(NAMES) // 2), "method": NAMES[::-1]})
    table.to_csv(tmp_path / "table.csv", index=False)
    again = read_csv(tmp_path / "table.csv")
    assert again["subject"].tolist() == NAMES and again["method"].tolist() == NAMES[::-1]
    assert again["accuracy"].tolist()[0] == 1.5 and again["accuracy"].isna().tolist()[1]
    assert again.groupby("subject").size().sum() == len(NAMES), "no group is lost"


@given(st.lists(st.text(st.characters(exclude_categories=["C"]), min_size=1), min_size=1))
def test_b4_any_name_survives(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    pd.DataFrame({"sequence_id": names, "frame": 1}).to_csv(path, index=False)
    assert read_csv(path)["sequence_id"].tolist() == names


def test_b4_rejections_keep_their_names(tmp_path):
    builder = IndexBuilder()
    builder.add("NA", "nan", "fear", ["null/1.png"], [0], -1)
    builder.reject("None", "NA", "no frames")
    index = builder.finish()
    write_index(index, tmp_path)
    again = read_index(tmp_path)
    assert again.sequences.iloc[0][["sequence_id", "subject"]].tolist() == ["NA", "nan"]
    assert again.rejected.iloc[0].tolist() == ["None", "NA", "no frames"]


def test_b4_every_csv_of_a_run_is_read_in_the_same_way():
    for path in [*ROOT.glob("fersnet/**/*.py"), *ROOT.glob("workflow_scripts/*.py")]:
        text = path.read_text("utf-8")
        assert path.name in FOREIGN or not re.search(r"(pd|pandas)\.read_csv|from pandas import .*read_csv", text), path
