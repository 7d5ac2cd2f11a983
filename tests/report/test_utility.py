"""What synthetic faces are worth: each row against the predictions and the faces that it comes from."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from invented_results import FOLDS, SYSTEMS

from fersnet.report.files import read_augmentations, read_predictions
from fersnet.report.recompute import RunFolder, recompute
from fersnet.report.run_file import read_run
from fersnet.report.statistics import sequence_predictions
from fersnet.report.table import read_json

PLAIN = "fersnet_without_mtl"


@pytest.fixture(scope="module")
def table(finished_run: Path) -> pd.DataFrame:
    return read_json(finished_run / "tables" / "utility.json").frame.set_index("method")


def right(results: Path, method: str) -> pd.Series:
    paths = sorted((results / "predictions" / "oulu_casia" / method).glob("*.parquet"))
    return sequence_predictions(read_predictions(paths)).set_index("sequence_id")["correct"].astype(float)


def test_rows_are_the_recogniser_without_and_with_the_faces_of_each_system(table: pd.DataFrame) -> None:
    assert list(table.index) == [PLAIN, *SYSTEMS]
    assert list(table["name"]) == ["none", "CAAE", "CycleGAN", "ExprGAN", "StarGAN", "FERSNet"]
    assert table["tested_folds"].eq("1 2 3").all() and table["n_sequences"].nunique() == 1
    assert table["reported"].dropna().to_dict() == {"exprgan": 84.72}, "FERSNet's is its own"


def test_figures_follow_from_predictions_and_drawn_faces(finished_run: Path, table: pd.DataFrame) -> None:
    without = right(finished_run, PLAIN)
    for rank, system in enumerate(SYSTEMS):
        own, row = right(finished_run, f"utility_{system}"), table.loc[system]
        assert row["accuracy"] == pytest.approx(100 * own.mean(), abs=1e-3)
        assert row["difference"] == pytest.approx(100 * (own - without).mean(), abs=1e-3)
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        assert (row["n_synthetic"], row["read_as_target"]) == (8, 10.0 * (rank + 1))
    assert pd.isna(table.loc[PLAIN, "difference"]) and pd.isna(table.loc[PLAIN, "n_synthetic"])


def test_the_quoted_recogniser_is_re_run_where_every_sequence_is_tested(finished_run: Path) -> None:
    files = RunFolder(finished_run, read_run(finished_run))
    row = recompute(files, "fer_oulu_casia")
    found = row.frame.set_index("method").loc["exprgan"]
    assert found["accuracy"] == pytest.approx(100 * right(finished_run, "utility_exprgan").mean(), abs=1e-3)
    assert found["reported"] == 84.72 and found["rerun_pretrained"] == "scratch"
    assert any("FERSNet w/o MTL + ExprGAN" in note for note in row.notes)
    assert "caae" not in set(row.frame["method"]), "which the paper quotes as no recogniser"
    first = replace(files.run, synthesis_folds={"ckplus": (1,), "oulu_casia": (1,)})
    part = RunFolder(finished_run, first)
    assert pd.isna(recompute(part, "fer_oulu_casia").frame.set_index("method").loc["exprgan", "accuracy"])
    rows = recompute(part, "utility").frame
    assert set(rows["tested_folds"]) == {"1"}, "none as well, so that the same sequences are compared"
    assert rows["n_sequences"].nunique() == 1 and rows["n_sequences"].iloc[0] < found["n_sequences"]


def test_a_system_that_drew_nothing_says_so(finished_run: Path) -> None:
    paths = (finished_run / "augmentation" / "oulu_casia").glob("utility_*/*.csv")
    made = read_augmentations(sorted(paths))
    assert set(made["fold"]) == set(range(1, FOLDS + 1)) and set(made["repeat"]) == {1}
