"""What stands above the jobs in a store: the run, and its methods with their tables' figures; in old stores, too."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from fersnet.mirror import TAGS, mirror
from fersnet.parents import WORKFLOW, parent_key, parents_of, shortened
from fersnet.report.table import Table, columns
from fersnet.report.writing import write_table
from fersnet.tracking import JobRecord, read_records, track_job
from fersnet.use.store import connect, store_uri

FIGURES = {"accuracy": 86.55, "ci_low": 80.1, "ci_high": 92.0, "uar": 85.5}


def run_job(results: Path, rule: str, dataset: str = "mmi", method: str = "", fold: str = "", **params: object) -> None:
    with track_job(
        results, rule, run="test", dataset=dataset, method=method, fold=fold, seed=1, params=params,
        config_sha256="c" * 64, data_sha256="d" * 64 if dataset else "", threads=1,
    ):  # fmt: skip
        pass


def write_figures(results: Path, key: str, rows: list[dict[str, object]]) -> Path:
    """A table with these rows, all of MMI; its csv file."""
    place = {"name": "A method", "dataset": "mmi", "dataset_name": "MMI"}
    frame = pd.DataFrame([place | FIGURES | row for row in rows])
    table = Table(key, frame, "Accuracy (%)", "Run test.", (), columns("name", "accuracy"))
    return write_table(table, results / "tables")[0]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run that has ended, with its tables."""
    results = tmp_path_factory.mktemp("finished") / "results" / "test"
    run_job(results, "align_faces")
    for fold in ("1", "2"):
        run_job(results, "train_fersnet", method="fersnet", fold=fold, script="train_fersnet")
        run_job(results, "train_fersnet", method="fersnet.repeat2", fold=fold, script="train_fersnet")
        run_job(results, "train_baseline", method="lbp_top", fold=fold)
        run_job(results, "train_standard_fer", fold=fold)
    run_job(results, "synthesize_faces", method="fersnet")
    run_job(results, "table_claims", dataset="")
    rows = [{"method": "fersnet", "name": "FERSNet"}, {"method": "lbp_top", "name": "LBP-TOP", "accuracy": 52.25}]
    write_figures(results, "fer_mmi", [*rows, {"method": "ipa2lt", "accuracy": None}])
    systems = [{"method": "fersnet", "accuracy": 73.0, "identity_auc": 0.975}, {"method": "standard_fer"}]
    write_figures(results, "synthesis", systems)
    return results


@pytest.fixture(scope="module")
def mirrored(finished: Path) -> Path:
    """The same, with its store."""
    assert not mirror(finished).failure
    return finished


def runs_of(results: Path) -> dict:
    client = connect(store_uri(results))
    experiment = client.get_experiment_by_name(f"fersnet-{results.name}")
    return {run.data.tags["job_key"]: run for run in client.search_runs([experiment.experiment_id])}


def content_of(results: Path) -> list[str]:
    with closing(sqlite3.connect(results / "tracking" / "mlflow.db")) as connection:
        return list(connection.iterdump())


def test_a_method_has_a_run_above_its_folds_and_below_that_of_the_workflow(mirrored: Path) -> None:
    runs = runs_of(mirrored)
    names = {run.info.run_id: key for key, run in runs.items()}
    parents = {key: names[run.data.tags["mlflow.parentRunId"]] for key, run in runs.items() if key != WORKFLOW}
    assert {key: parents.pop(key) for key in ("mmi/fersnet", "mmi/lbp_top", "mmi/standard_fer")} == {
        "mmi/fersnet": WORKFLOW,
        "mmi/lbp_top": WORKFLOW,
        "mmi/standard_fer": WORKFLOW,
    }
    assert parents == {record.job_key: parent_key(record) for record in read_records(mirrored)}
    assert sorted(parents.values()) == [
        *["mmi/fersnet"] * 5, *["mmi/lbp_top"] * 2, *["mmi/standard_fer"] * 2, *[WORKFLOW] * 2,
    ]  # fmt: skip
    assert {run.info.status for run in runs.values()} == {"FINISHED"}


def test_the_figures_of_a_method_are_those_of_its_tables_and_rank_it(mirrored: Path) -> None:
    for file, kind in (("fer_mmi", "recognition"), ("synthesis", "synthesis")):
        table = pd.read_csv(mirrored / "tables" / f"{file}.csv").set_index("method")
        metrics = runs_of(mirrored)["mmi/fersnet"].data.metrics
        for column in FIGURES:
            assert metrics[f"{kind}_{column}"] == table.at["fersnet", column]
    assert metrics["synthesis_identity_auc"] == 0.975
    assert not any(key.startswith("synthesis_") for key in runs_of(mirrored)["mmi/standard_fer"].data.metrics)
    assert runs_of(mirrored)["mmi/standard_fer"].data.metrics["judge_accuracy"] == FIGURES["accuracy"]
    client = connect(store_uri(mirrored))
    (experiment,) = client.search_experiments(filter_string="name LIKE 'fersnet-%'")
    primary = experiment.tags["mlflow.experiment.primaryMetric.name"]
    ranked = client.search_runs(
        [experiment.experiment_id], "tags.level = 'method'", order_by=[f"metrics.{primary} DESC"]
    )
    assert [run.info.run_name for run in ranked] == ["mmi fersnet", "mmi lbp_top", "mmi standard_fer"]


def test_runs_name_their_data_their_source_and_the_table(mirrored: Path) -> None:
    runs = runs_of(mirrored)
    method, job = runs["mmi/fersnet"], runs[read_records(mirrored)[1].job_key]
    for run in (method, job, runs[WORKFLOW]):
        (data,) = [one.dataset for one in run.inputs.dataset_inputs]
        assert (data.name, data.digest) == ("mmi", "d" * 12)
        assert "results/test/datasets/mmi" in data.source
    assert method.data.tags["mlflow.source.name"] == "workflow_scripts/train_fersnet.py"
    assert job.data.tags["mlflow.source.name"] == "workflow_scripts/train_fersnet.py"
    assert runs[WORKFLOW].data.tags["mlflow.source.name"] == "Snakefile"
    assert job.data.tags["mlflow.source.git.commit"] == job.data.tags["git_commit"].removesuffix("+")
    note = method.data.tags["mlflow.note.content"]
    assert "| FERSNet | 86.55 |" in note and "| LBP-TOP | 52.25 |" in note and "ipa2lt" not in note


def test_a_second_sync_changes_nothing(mirrored: Path) -> None:
    before = content_of(mirrored)
    assert not mirror(mirrored).failure
    assert content_of(mirrored) == before


def test_a_store_of_flat_runs_is_mended_in_place(mirrored: Path, tmp_path: Path) -> None:
    """What earlier versions have written: a run for each job, with its tags, and nothing above or beside it."""
    results = tmp_path / "results" / "test"
    shutil.copytree(mirrored, results)
    later = ("level", "mlflow.parentRunId", "mlflow.source.name", "mlflow.source.git.commit", "mlflow.source.type")
    with closing(sqlite3.connect(results / "tracking" / "mlflow.db")) as connection, connection:
        parents = "SELECT run_uuid FROM tags WHERE key = 'level'"
        for table in ("metrics", "latest_metrics", "tags", "runs"):
            kept = "" if table != "tags" else " AND key != 'level'"
            connection.execute(f"DELETE FROM {table} WHERE run_uuid IN ({parents}){kept}")
        connection.execute(f"DELETE FROM tags WHERE key IN ({', '.join('?' * len(later))})", later)
        for table in ("inputs", "datasets", "experiment_tags"):
            connection.execute(f"DELETE FROM {table}")
    flat = runs_of(results)
    assert all(set(run.data.tags) <= {*TAGS, "attempt", "mlflow.runName"} for run in flat.values())
    assert {run.data.tags["rule"] for run in flat.values()} >= {"train_fersnet", "table_claims"}
    assert not mirror(results).failure
    mended, wanted = runs_of(results), runs_of(mirrored)
    assert {key: run.info.run_id for key, run in mended.items() if key in flat} == {
        key: run.info.run_id for key, run in flat.items()
    }
    assert {key: run.data.metrics for key, run in mended.items()} == {
        key: run.data.metrics for key, run in wanted.items()
    }
    ids = {run.info.run_id: key for key, run in mended.items()}
    assert ids[mended["mmi/lbp_top"].data.tags["mlflow.parentRunId"]] == WORKFLOW
    assert [one.dataset.name for one in mended["mmi/lbp_top"].inputs.dataset_inputs] == ["mmi"]
    before = content_of(results)
    assert not mirror(results).failure
    assert content_of(results) == before


def test_a_new_figure_replaces_the_old_one_and_a_deleted_job_stays_deleted(mirrored: Path, tmp_path: Path) -> None:
    results = tmp_path / "results" / "test"
    shutil.copytree(mirrored, results)
    key = next(record.job_key for record in read_records(results) if record.method == "lbp_top")
    client = connect(store_uri(results))
    client.delete_run(runs_of(results)[key].info.run_id)
    write_figures(results, "fer_mmi", [{"method": "lbp_top", "accuracy": 41.5}])
    run_job(results, "train_baseline", method="lbp_top", fold="1", learning_rate=0.1)
    assert not mirror(results).failure
    assert runs_of(results)["mmi/lbp_top"].data.metrics["recognition_accuracy"] == 41.5
    assert key not in runs_of(results)


def test_a_method_fails_with_its_newest_jobs_and_not_with_those_before(tmp_path: Path) -> None:
    def statuses() -> dict[str, str]:
        return {parent.key: parent.status for parent in parents_of(tmp_path, read_records(tmp_path))}

    with pytest.raises(ValueError), track_job(
        tmp_path, "train_rival", run="r", dataset="mmi", method="caae", fold="1", seed=1, params={}, config_sha256="",
        data_sha256="", threads=1,
    ):  # fmt: skip
        raise ValueError
    assert statuses() == {WORKFLOW: "FAILED", "mmi/caae": "FAILED"}
    run_job(tmp_path, "train_rival", method="caae", fold="1", learning_rate=0.1)
    assert statuses() == {WORKFLOW: "FINISHED", "mmi/caae": "FINISHED"}


def test_the_study_of_selection_has_a_figure_for_each_rule(tmp_path: Path) -> None:
    run_job(tmp_path, "compare_selection", fold="1")
    rules = [{"method": "fersnet", "rule": rule, "accuracy": value} for rule, value in (("last", 80.0), ("best", 85.5))]
    write_figures(tmp_path, "selection", rules)
    method = parents_of(tmp_path, read_records(tmp_path))[1]
    assert method.key == "mmi/selection"
    assert (method.figures["selection_last_accuracy"], method.figures["selection_best_accuracy"]) == (80.0, 85.5)


def test_a_set_and_all_together_have_the_figure_of_networks_of_other_sets(tmp_path: Path) -> None:
    for dataset in ("mmi", "cross"):
        run_job(tmp_path, "train_baseline", dataset=dataset, method="eac", fold="1")
    accuracies = {"mmi": 61.5, "cross": 70.25}
    write_figures(
        tmp_path, "cross", [{"method": "eac", "dataset": key, "accuracy": accuracies[key]} for key in accuracies]
    )
    found = {parent.dataset: parent.figures for parent in parents_of(tmp_path, read_records(tmp_path)) if parent.method}
    assert {key: figures["cross_accuracy"] for key, figures in found.items()} == accuracies


@pytest.mark.parametrize("content", ["", "[]", '{"rows": []}'])
def test_a_broken_table_tells_nothing(tmp_path: Path, content: str) -> None:
    run_job(tmp_path, "train_baseline", method="lbp_top", fold="1")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "fer_mmi.json").write_text(content, encoding="utf-8")
    assert all(not parent.figures and not parent.note for parent in parents_of(tmp_path, read_records(tmp_path)))


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (("figure_intensity", "mmi", "caae", ""), "mmi/caae"),
        (("train_fersnet", "mmi", "fersnet.repeat3", "2"), "mmi/fersnet"),
        (("evaluate_synthesis", "mmi", "", "1"), "mmi/standard_fer"),
        (("train_identity", "mmi", "", "1"), "mmi/identity"),
        (("align_faces", "mmi", "", ""), WORKFLOW),
        (("table_ablation", "", "", ""), WORKFLOW),
    ],
)
def test_what_a_job_belongs_to(place: tuple[str, str, str, str], key: str) -> None:
    rest = {"seed": 1, "git_commit": "", "config_sha256": "", "data_sha256": "", "job_key": "", "params": {}}
    assert parent_key(JobRecord("r", *place, **rest)) == key


def test_a_note_that_is_too_long_ends_with_a_whole_line() -> None:
    assert shortened("one\ntwo\nthree", 8) == "one\ntwo"
