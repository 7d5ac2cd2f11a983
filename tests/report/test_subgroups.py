"""The table of subgroups, recomputed from predictions and index."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_results import METHODS, SUBJECTS, description

from fersnet.report.files import read_predictions
from fersnet.report.html import write_report
from fersnet.report.subgroups import AGE_GROUPS, NOT_STATED, people_groups, subgroups_table
from fersnet.report.table import read_json
from fersnet.report.writing import write_table
from fersnet.settings.report import ReportSettings

SETTINGS = ReportSettings(bootstrap_samples=200)
SEX = dict(zip(SUBJECTS, ("female", "male", "female", "male", "", "female"), strict=True))
AGE = dict(zip(SUBJECTS, (17, 18, 29, 61, None, 30), strict=True))


@pytest.fixture(scope="module")
def predictions(run_folder):
    return read_predictions(sorted((run_folder / "predictions").glob("*/*/*.parquet")))


@pytest.fixture(scope="module")
def indexes(run_folder):
    found = {
        key: pd.read_parquet(run_folder / "datasets" / key / "index.parquet") for key in ("ckplus", "oulu_casia", "mmi")
    }
    told = found["oulu_casia"]
    found["oulu_casia"] = told.assign(
        sex=told["subject"].map(SEX), age=told["subject"].map(AGE).astype("Int64"), ethnicity=None
    )
    return found


def test_each_group_has_the_accuracy_of_its_people(predictions, indexes, tmp_path):
    table = subgroups_table(predictions, indexes, description(), SETTINGS, METHODS)
    frame = table.frame
    assert set(frame["dataset"]) == {"oulu_casia"} and list(dict.fromkeys(frame["method"])) == list(METHODS)
    assert set(frame["attribute"]) == {"sex", "age"}, "nobody's ethnicity is stated"
    own = frame[frame["method"] == "fersnet"].set_index("group")
    assert list(own.index) == [
        "female",
        "male",
        NOT_STATED,
        *[g for g in AGE_GROUPS.values() if g != "45 to 59"],
        NOT_STATED,
    ]
    here = predictions[(predictions["dataset"] == "oulu_casia") & (predictions["method"] == "fersnet")]
    scores = here[[column for column in here if column.startswith("p_")]].dropna(axis=1)
    means = scores.groupby(here["sequence_id"]).mean()
    right = means.idxmax(axis=1).str[2:] == means.index.str.split("_").str[-1]
    for group, people in (("female", ("S005", "S052", "S106")), ("male", ("S010", "S055")), ("under 18", ("S005",))):
        expected = right[right.index.str[:4].isin(people)]
        row = own.loc[group]
        assert row["accuracy"] == pytest.approx(100 * expected.mean(), abs=1e-4)
        assert (row["n_sequences"], row["n_subjects"]) == (len(expected), len(people))
        assert np.isnan(row["ci_low"]) if len(people) == 1 else row["ci_low"] <= row["accuracy"] <= row["ci_high"]
    assert frame.groupby(["method", "attribute"])["n_sequences"].sum().nunique() == 1, "the groups are the whole"
    write_table(table, tmp_path)
    assert read_json(tmp_path / "subgroups.json").cells() == table.cells()


def test_the_widest_gap_is_said_and_small_groups_do_not_count(predictions, indexes, monkeypatch):
    notes = subgroups_table(predictions, indexes, description(), SETTINGS, METHODS).notes
    assert len(notes) == 1, "no group has ten people"
    monkeypatch.setattr("fersnet.report.subgroups.FEW_PEOPLE", 2)
    table = subgroups_table(predictions, indexes, description(), SETTINGS, METHODS)
    sides = table.frame[(table.frame["n_subjects"] > 1) & (table.frame["group"] != NOT_STATED)]
    gap = sides.groupby(["method", "attribute"])["accuracy"].agg(np.ptp).idxmax()
    assert f"{description().name_of(gap[0])} by {gap[1]}" in table.notes[1] and "overlap" in table.notes[1]


def test_a_run_whose_sets_say_nothing_has_a_table_without_rows_and_a_page_without_it(predictions, indexes, tmp_path):
    table = subgroups_table(predictions, {"mmi": indexes["mmi"]}, description(), SETTINGS, METHODS)
    assert table.frame.empty and "No dataset" in table.notes[0]
    assert {"method", "dataset", "reported", "accuracy", "ci_low", "ci_high", "n_sequences"} <= set(table.frame)
    write_table(table, tmp_path)
    write_report(tmp_path / "report.html", description(), [tmp_path / "subgroups.json"], [])
    assert "table-subgroups" not in (tmp_path / "report.html").read_text(encoding="utf-8")


@given(st.lists(st.one_of(st.none(), st.integers(0, 120)), min_size=1))
def test_every_age_has_one_group(ages):
    index = pd.DataFrame({"sequence_id": map(str, range(len(ages))), "age": pd.array(ages, dtype="Int64")})
    groups = people_groups(index).get("age", pd.Series(NOT_STATED, index=index["sequence_id"]))
    for age, group in zip(ages, groups, strict=True):
        begins = [first for first, name in AGE_GROUPS.items() if name == group]
        assert (group == NOT_STATED) if age is None else begins == [max(first for first in AGE_GROUPS if first <= age)]
