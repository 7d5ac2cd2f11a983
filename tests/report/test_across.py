"""The table of trainings across datasets, recomputed from predictions, alone and in an export."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from invented_results import DATASETS, SKILL, description, predictions
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.expressions import SIX
from fersnet.report.across import cross_table, read_across
from fersnet.report.export import check_export, export_run
from fersnet.report.files import read_predictions
from fersnet.report.recompute import RunFolder, recompute
from fersnet.report.run_file import read_run, write_run
from fersnet.report.table import read_json
from fersnet.report.writing import write_table
from fersnet.settings.report import ReportSettings

METHODS = ("fersnet_without_mtl", "fersnet")
SETTINGS = ReportSettings(bootstrap_samples=100)


@pytest.fixture(scope="module")
def crossed(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented run, with predictions across its three sets, each of which is a fold."""
    results = tmp_path_factory.mktemp("crossed") / "results" / "invented"
    shutil.copytree(finished_run, results)
    rng = np.random.default_rng(1)
    for fold, dataset in enumerate(DATASETS, start=1):
        faces = pd.read_parquet(results / "datasets" / dataset / "faces.parquet")
        faces = faces[faces["expression"].isin(SIX)]
        named = faces.assign(**{key: f"{dataset}/" + faces[key] for key in ("sequence_id", "subject")})
        for method in METHODS:
            path = results / "predictions" / "cross" / method / f"fold{fold}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            predictions(named, SIX, SKILL[method] - 0.2, rng).to_parquet(path, index=False)
    run = read_run(results)
    write_run(replace(run, cross=METHODS, tables=(*run.tables, "tables/cross.json")), results)
    write_table(recompute(RunFolder(results, read_run(results)), "cross"), results / "tables")
    return results


def rows_of(results: Path) -> pd.DataFrame:
    return read_json(results / "tables" / "cross.json").frame.set_index(["dataset", "method"])


def test_each_set_has_the_accuracy_of_networks_of_the_others_beside_that_of_its_own(crossed: Path) -> None:
    rows = rows_of(crossed)
    assert list(rows.index) == [(dataset, method) for dataset in (*DATASETS, "cross") for method in METHODS]
    for fold, dataset in enumerate(DATASETS, start=1):
        for method in METHODS:
            row = rows.loc[(dataset, method)]
            own = pd.read_parquet(crossed / "predictions" / "cross" / method / f"fold{fold}.parquet")
            assert row["accuracy"] == pytest.approx(100 * accuracy(own), abs=1e-4)
            files = sorted((crossed / "predictions" / dataset / method).glob("*.parquet"))
            within = pd.concat(pd.read_parquet(path) for path in files)
            within = within[within["expression"] != "contempt"]
            assert row["within"] == pytest.approx(100 * accuracy(within), abs=1e-4)
            assert row["difference"] == pytest.approx(row["accuracy"] - row["within"], abs=1e-3)
            assert row["n_sequences"] == own["sequence_id"].nunique()
    assert rows.loc[("mmi", "fersnet"), "trained_on"] == "CK+, Oulu-CASIA"
    assert set(rows["fold_scheme"]) == {"leave_one_set_out"} and set(rows["folds"]) == {3}


def accuracy(frame: pd.DataFrame) -> float:
    columns = [column for column in frame if column.startswith("p_")]
    means = frame.groupby(["sequence_id", "expression"])[columns].mean()
    return (means.idxmax(axis=1).str.removeprefix("p_") == means.index.get_level_values("expression")).mean()


def test_all_sets_together_are_the_mean_over_their_sequences(crossed: Path) -> None:
    rows = rows_of(crossed)
    for method in METHODS:
        parts = rows.loc[[(dataset, method) for dataset in DATASETS]]
        for column in ("accuracy", "within"):
            mean = np.average(parts[column].astype(float), weights=parts["n_sequences"].astype(float))
            assert rows.loc[("cross", method), column] == pytest.approx(mean, abs=1e-3)
        assert rows.loc[("cross", method), "n_sequences"] == parts["n_sequences"].sum()


def test_the_terminal_shows_it_at_the_end_of_a_run(crossed: Path) -> None:
    said = CliRunner().invoke(app, ["show", str(crossed)])
    assert said.exit_code == 0
    assert "All sets" in said.stdout
    assert max(map(len, said.stdout.splitlines()[:-1])) <= 100


def test_an_export_recomputes_it(crossed: Path, tmp_path: Path) -> None:
    export_run(crossed, tmp_path / "out.zip")
    assert check_export(tmp_path / "out.zip")[1] == 11


def test_a_run_of_a_version_without_it_is_read(crossed: Path, tmp_path: Path) -> None:
    content = json.loads((crossed / "run.json").read_text(encoding="utf-8"))
    del content["cross"]
    (tmp_path / "run.json").write_text(json.dumps(content), encoding="utf-8")
    assert read_run(tmp_path).cross == ()


def test_a_method_without_subject_wise_predictions_has_no_difference(crossed: Path) -> None:
    across = read_across(sorted((crossed / "predictions" / "cross" / "fersnet").glob("*.parquet")))
    within = read_predictions(sorted((crossed / "predictions" / "mmi" / "lbp_top").glob("*.parquet")))
    table = cross_table(across, within, description(), SETTINGS, ("fersnet",))
    assert table.frame["accuracy"].notna().all() and table.frame["difference"].isna().all()
