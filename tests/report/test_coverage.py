"""What a table says about sequences that were not tested, and names that look like missing values."""

from pathlib import Path

import invented_results
import pandas as pd
import pytest
from invented_results import description, save, write_run

from fersnet.errors import UserError
from fersnet.folds import read_folds
from fersnet.report.ablation import draw_ablation
from fersnet.report.augmentation import class_counts
from fersnet.report.comparisons import synthesis_table
from fersnet.report.coverage import coverage_notes
from fersnet.report.files import (
    EVALUATION_COLUMNS,
    SET_COLUMNS,
    read_by_dataset,
    read_jobs,
    read_predictions,
    read_systems,
    read_table,
)
from fersnet.report.quoted import read_quoted
from fersnet.report.ranking import draw_ranking
from fersnet.report.tables import ablation_table, recognition_table
from fersnet.report.writing import to_csv
from fersnet.settings.report import ReportSettings

SETTINGS = ReportSettings(bootstrap_samples=100)
QUOTED = read_quoted(Path(__file__).resolve().parents[2] / "config" / "reported.csv")
NAMES = ("NA", "nan", "null", "None", "007", "N/A")


@pytest.fixture
def small_run(tmp_path, monkeypatch):
    """A run of one dataset whose subjects, and one of its methods, have names that look like missing values."""
    monkeypatch.setattr(invented_results, "SUBJECTS", NAMES)
    monkeypatch.setattr(invented_results, "DATASETS", ("oulu_casia",))
    monkeypatch.setattr(invented_results, "METHODS", ("fersnet", "null", "nan", "2020"))
    return write_run(tmp_path / "run")


def predictions_of(run):
    return read_predictions(sorted((run / "predictions").glob("*/*/*.parquet")))


def test_b4_names_that_look_like_missing_values_reach_tables_and_figures(small_run, tmp_path):
    folder = small_run / "datasets" / "oulu_casia"
    predictions, jobs = predictions_of(small_run), read_jobs(small_run / "jobs.csv")
    assert set(predictions["subject"]) == set(NAMES)
    run = description(names={"null": "NA"})
    table = recognition_table("oulu_casia", predictions, QUOTED, jobs, run, SETTINGS)
    ran = table.frame.dropna(subset="accuracy").set_index("method")
    assert set(ran.index) == {"fersnet", "null", "nan", "2020"}
    assert (ran["n_sequences"] == 36).all() and (ran.drop(index="fersnet")["core_hours"] > 0).all()
    (tmp_path / "fer.csv").write_text(to_csv(table), encoding="utf-8")
    again = read_table(tmp_path / "fer.csv", ("method", "accuracy"))
    assert again["method"].tolist() == table.frame["method"].tolist()
    assert "NA" in again["name"].tolist()
    draw_ranking(again, "oulu_casia", run)
    methods = ("fersnet", "null", "nan", "2020")
    rows = ablation_table(predictions, QUOTED, jobs, run, SETTINGS, ("oulu_casia",), methods)
    (tmp_path / "ablation.csv").write_text(to_csv(rows), encoding="utf-8")
    draw_ablation(read_table(tmp_path / "ablation.csv", ("method", "accuracy")), run)
    evaluations = read_systems(sorted((small_run / "evaluation").glob("*/*.parquet")), EVALUATION_COLUMNS)
    sets = read_systems(sorted((small_run / "evaluation").glob("*/*_sets.csv")), SET_COLUMNS)
    judged = synthesis_table(
        evaluations, sets, QUOTED, jobs, run, SETTINGS, ("oulu_casia",), {"oulu_casia": "fold"}
    ).frame
    assert judged["n_subjects"].dropna().eq(6).all()
    synthetic = read_by_dataset(
        sorted((small_run / "augmentation" / "oulu_casia").glob("*.csv")), ("subject", "target")
    )
    counts = class_counts(
        pd.read_parquet(folder / "faces.parquet"), read_folds(folder / "folds.csv"), synthetic, "last"
    )
    assert counts["synthetic"].sum() == len(synthetic) > 0 and counts["real"].sum() == 2 * 36 * 3


def test_b1_a_sequence_that_was_not_tested_stops_the_table_or_is_told(small_run):
    folder = small_run / "datasets" / "oulu_casia"
    predictions = predictions_of(small_run)
    assert coverage_notes(predictions, [folder]) == ()
    with pytest.raises(UserError, match="predictions of 2020 on oulu_casia: 12 of 36 sequences were not tested"):
        coverage_notes(predictions[predictions["fold"] != 3], [folder])
    faces = pd.read_parquet(folder / "faces.parquet")
    save(faces[faces["subject"] != "NA"], folder / "faces.parquet")
    notes = coverage_notes(predictions[predictions["subject"] != "NA"], [folder])
    assert len(notes) == 1 and notes[0].startswith("6 of 36 labelled sequences of `oulu_casia` have no usable face")
    jobs = read_jobs(small_run / "jobs.csv")
    table = recognition_table("oulu_casia", predictions, QUOTED, jobs, description(), SETTINGS, notes)
    assert notes[0] in table.notes
