"""Runs beside each other."""

import dataclasses
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.errors import UserError
from fersnet.report.comparison import compare_runs
from fersnet.report.run_file import NAME, read_run, write_run


@pytest.fixture(scope="module")
def second(finished_run, tmp_path_factory) -> Path:
    """The same run with another learning rate, a worse FERSNet, and without MMI."""
    results = shutil.copytree(finished_run, tmp_path_factory.mktemp("second") / "second")
    content = json.loads((results / NAME).read_text())
    content["settings"]["training"]["learning_rate"] = 0.25
    del content["description"]["folds"]["mmi"]
    content["versions"]["numpy"] = "1.0"
    (results / NAME).write_text(json.dumps(content))
    for path in (results / "predictions" / "ckplus" / "fersnet").iterdir():
        frame = pd.read_parquet(path)
        frame[["p_anger", "p_fear"]] = frame[["p_fear", "p_anger"]].to_numpy()
        frame.to_parquet(path, index=False)
    shutil.rmtree(results / "predictions" / "oulu_casia" / "fersnet")
    return results


def test_what_differs_is_named_and_shared_sequences_are_paired(finished_run, second, tmp_path) -> None:
    accuracies, settings, costs = compare_runs([finished_run, second], tmp_path)
    differing = settings.frame.set_index("key")
    assert set(differing.index) == {"training.learning_rate", "version of numpy"}
    assert differing.at["training.learning_rate", "run_2"] == "0.25"
    frame = accuracies.frame[accuracies.frame["figure"] == "recognition"]
    rows = frame.set_index(["dataset", "method", "run"])
    worse = rows.loc[("ckplus", "fersnet", "second")]
    assert worse["difference"] == pytest.approx(
        worse["accuracy"] - rows.loc[("ckplus", "fersnet", "invented")]["accuracy"]
    )
    assert worse["difference"] < 0 and worse["n_shared"] == worse["n_items"]
    assert rows.loc[("ckplus", "lbp_top", "second")]["difference"] == 0
    # What only one of them has stands there alone: a dataset, or a method that is not through.
    assert ("mmi", "fersnet", "second") not in rows.index
    assert ("oulu_casia", "fersnet", "second") not in rows.index and ("oulu_casia", "fersnet", "invented") in rows.index
    synthetic = accuracies.frame[accuracies.frame["figure"] == "synthetic faces"]
    assert {"caae", "identity_map"} <= set(synthetic["method"]) and synthetic["difference"].dropna().eq(0).all()
    assert set(costs.frame["run"]) == {"invented", "second"}
    assert (tmp_path / "comparison_accuracies.csv").is_file()


def test_rendered_faces_of_other_checksums_are_other_faces(finished_run, tmp_path) -> None:
    other = shutil.copytree(finished_run, tmp_path / "other")
    for folder, text in ((other, "b"), (finished_run, "a")):
        (folder / "datasets" / "ckplus" / "checksum.txt").write_text(text)
    try:
        frame = compare_runs([finished_run, other], tmp_path / "out")[0].frame
    finally:
        (finished_run / "datasets" / "ckplus" / "checksum.txt").unlink()
    rows = frame[frame["run"] == "other"].set_index("dataset")
    assert rows.loc["ckplus", "difference"].isna().all() and rows.loc["mmi", "difference"].notna().all()


def test_the_command_prints_narrow_tables_and_writes_a_page(finished_run, second, tmp_path) -> None:
    said = CliRunner().invoke(app, ["compare", str(finished_run), str(second), "--out", str(tmp_path)])
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert lines[-1] == f"Page: {tmp_path / 'comparison.html'}" and max(map(len, lines[:-1])) <= 100
    assert "training.learning_rate" in said.stdout
    page = (tmp_path / "comparison.html").read_text()
    assert "Runs compared" in page and "training.learning_rate" in page


def test_runs_with_nothing_in_common_are_one_line(finished_run, second, tmp_path) -> None:
    results = shutil.copytree(second, tmp_path / "third")
    run = read_run(results)
    names = ("ckplus", "oulu_casia", "mmi")
    settings = {**run.settings, "synthesis": {**run.settings["synthesis"], "datasets": ["other"]}}
    settings |= {"utility": {"method": None}}
    description = dataclasses.replace(run.description, folds={"other": 3})
    folds = {"other": (1, 2, 3)}
    write_run(dataclasses.replace(run, description=description, settings=settings, synthesis_folds=folds), results)
    for kind in ("predictions", "evaluation"):
        for name in names:
            shutil.rmtree(results / kind / name, ignore_errors=True)
        shutil.copytree(finished_run / kind / "ckplus", results / kind / "other")
    with pytest.raises(
        UserError, match=r"^third and second: no method on any dataset in common; there is nothing to co"
    ):
        compare_runs([results, second], tmp_path / "out")
    with pytest.raises(UserError, match="at least two runs"):
        compare_runs([second, second], tmp_path / "out")
    with pytest.raises(UserError, match=r"nowhere/run\.json: not found"):
        compare_runs([second, tmp_path / "nowhere"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
