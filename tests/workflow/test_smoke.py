"""The whole graph from nothing to the report, on the smallest config, and what must hold afterwards."""

import runpy
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from fersnet.project import PROJECT
from fersnet.report.export import check_export, export_run
from tests.workflow.conftest import snakemake
from tests.workflow.tutorial import play

pytestmark = pytest.mark.smoke
DATASETS = ("ckplus", "oulu_casia", "mmi")
VARIANTS = ("fersnet_without_mtl", "fersnet_without_convflu", "fersnet", "fersnet_bu4dfe", "fersnet_fes_da")
SYSTEMS = ("caae", "cyclegan", "exprgan", "stargan", "fersnet")


@pytest.fixture(scope="module")
def results(smoke_run: Path) -> Path:
    return smoke_run / "results" / "smoke"


def predictions_of(results: Path, dataset: str, method: str) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in sorted((results / "predictions" / dataset / method).glob("*"))])


def sequence_accuracy(predictions: pd.DataFrame) -> float:
    columns = [column for column in predictions if column.startswith("p_")]
    mean = predictions.groupby(["sequence_id", "expression"])[columns].mean()
    read = mean.to_numpy().argmax(axis=1)
    truth = [columns.index(f"p_{expression}") for _, expression in mean.index]
    return 100 * float(np.mean(read == np.array(truth)))


def test_all_files_of_the_contract_exist_with_their_columns(results: Path) -> None:
    for dataset in (*DATASETS, "bu4dfe"):
        folder = results / "datasets" / dataset
        index = pd.read_parquet(folder / "index.parquet")
        assert {"sequence_id", "subject", "expression", "n_frames", "frames", "apex"} <= set(index)
        faces = np.load(folder / "faces.npy", mmap_mode="r")
        table = pd.read_parquet(folder / "faces.parquet")
        assert faces.dtype == np.uint8
        assert faces.shape == (len(table), 36, 36, 1)
        assert {"sequence_id", "subject", "expression", "frame", "role", "detector", "quality"} <= set(table)
        assert set(table["role"]) <= {"peak", "neutral", "clip"}
        assert list(pd.read_csv(folder / "rejected.csv").columns) == ["sequence_id", "frame", "reason"]
    for dataset in DATASETS:
        folds = pd.read_csv(results / "datasets" / dataset / "folds.csv")
        assert list(folds.columns) == ["sequence_id", "subject", "expression", "fold"]
        for method in VARIANTS:
            for fold in (1, 2, 3):
                folder = results / "models" / dataset / method / f"fold{fold}"
                assert isinstance(torch.load(folder / "checkpoint.pt", weights_only=True), dict)
                assert {"epoch"} <= set(pd.read_csv(folder / "history.csv"))
                assert not list(folder.glob("resume*"))
                columns = set(pd.read_parquet(results / "predictions" / dataset / method / f"fold{fold}.parquet"))
                assert {"sequence_id", "subject", "expression", "frame", "predicted", "p_anger"} <= columns
    for dataset in ("ckplus", "oulu_casia"):
        for method in SYSTEMS:
            with np.load(results / "synthesis" / dataset / method / "fold1.npz", allow_pickle=False) as content:
                assert content["images"].dtype == np.uint8
                assert len(content["images"]) == len(content["source"]) == len(content["target"])
    wanted = {"method", "name", "dataset", "reported", "accuracy", "ci_low", "ci_high", "n_sequences"}
    tables = ("fer_ckplus", "fer_oulu_casia", "fer_mmi", "synthesis", "ablation", "subgroups", "selection", "utility")
    for name in tables:
        assert wanted <= set(pd.read_csv(results / "tables" / f"{name}.csv")), name
        for suffix in ("json", "md", "tex"):
            assert (results / "tables" / f"{name}.{suffix}").is_file()
    for name in (
        "synthesis_ckplus",
        "synthesis_oulu_casia",
        "confusion_mmi_fersnet",
        "ablation",
        "training_mmi",
        "gates_ckplus",
    ):
        assert (results / "figures" / f"{name}.png").stat().st_size > 1000
        assert (results / "figures" / f"{name}.pdf").stat().st_size > 1000
    assert "<html" in (results / "report.html").read_text(encoding="utf-8")


def test_every_job_is_tracked_and_finished(results: Path) -> None:
    import mlflow

    jobs = pd.read_csv(results / "jobs.csv", dtype=str)
    columns = ["rule", "dataset", "method", "fold", "run_id", "status", "seconds", "peak_memory_mb", "device"]
    assert list(jobs.columns)[:9] == columns
    assert set(jobs["status"]) == {"FINISHED"}
    assert jobs["run_id"].notna().all()
    assert {"render_dataset", "train_fersnet", "table_ablation", "figure_gates", "build_report"} <= set(jobs["rule"])
    client = mlflow.MlflowClient(f"sqlite:///{results / 'tracking' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("fersnet-smoke")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    assert set(jobs["run_id"]) <= {run.info.run_id for run in runs}


def test_ablation_and_recognition_tables_follow_from_the_predictions(results: Path) -> None:
    for name in ("ablation", *(f"fer_{dataset}" for dataset in DATASETS)):
        table = pd.read_csv(results / "tables" / f"{name}.csv")
        done = table[table["accuracy"].notna()]
        assert len(done)
        for row in done.itertuples():
            predictions = predictions_of(results, row.dataset, row.method)
            assert row.accuracy == pytest.approx(sequence_accuracy(predictions), abs=1e-3)
            assert row.n_sequences == predictions["sequence_id"].nunique()
            assert row.ci_low <= row.accuracy <= row.ci_high


def test_the_weights_that_recognise_here_are_the_averaged_ones_of_the_benchmark(results: Path) -> None:
    measure = runpy.run_path(str(PROJECT / "benchmarks" / "weights.py"))["measure"]
    found = measure(results, torch.device("cpu")).droplevel("repeat")
    for row in pd.read_csv(results / "tables" / "ablation.csv").itertuples():
        for weights in ("last", "averaged"):
            line = found.loc[row.dataset, row.method, weights]
            assert weights == "last" or line["accuracy"] == pytest.approx(row.accuracy, abs=1e-3)
            assert 0 <= line["read"] <= 100 or row.method == "fersnet_without_mtl"


def test_methods_that_were_not_run_have_an_empty_accuracy(results: Path) -> None:
    table = pd.read_csv(results / "tables" / "fer_ckplus.csv").set_index("method")
    for method in ("dtagn", "iacnn", "derl"):
        assert pd.isna(table.loc[method, "accuracy"])
        assert table.loc[method, "reported"] > 0


def test_the_synthesis_table_follows_from_the_synthetic_faces(results: Path) -> None:
    table = pd.read_csv(results / "tables" / "synthesis.csv")
    for dataset in ("ckplus", "oulu_casia"):
        parts = [pd.read_parquet(path) for path in sorted((results / "evaluation" / dataset).glob("fold?.parquet"))]
        evaluation = pd.concat(parts)
        for method in (*SYSTEMS, "identity_map"):
            rows = evaluation[evaluation["method"] == method]
            accuracy = 100 * float((rows["predicted"] == rows["target"]).mean())
            row = table[(table["method"] == method) & (table["dataset"] == dataset)].iloc[0]
            assert row["accuracy"] == pytest.approx(accuracy, abs=1e-3)


def test_the_utility_table_compares_one_recogniser_on_the_same_sequences(results: Path) -> None:
    table = pd.read_csv(results / "tables" / "utility.csv").set_index("method")
    assert list(table.index) == ["fersnet_without_mtl", *SYSTEMS] and set(table["tested_folds"]) == {1}
    tested = pd.read_parquet(results / "predictions" / "oulu_casia" / "fersnet_without_mtl" / "fold1.parquet")
    for system in SYSTEMS:
        predictions = predictions_of(results, "oulu_casia", f"utility_{system}")
        assert table.loc[system, "accuracy"] == pytest.approx(sequence_accuracy(predictions), abs=1e-3)
        assert set(predictions["sequence_id"]) == set(tested["sequence_id"])
        made = pd.read_csv(results / "augmentation" / "oulu_casia" / f"utility_{system}" / "fold1.csv")
        assert not set(made["subject"].astype(str)) & set(tested["subject"]), "a source is a training subject"
        assert table.loc[system, "n_synthetic"] == made["kept"].sum() > 0


def test_the_table_of_counts_follows_from_the_index(results: Path) -> None:
    table = pd.read_csv(results / "tables" / "datasets.csv")
    for dataset in DATASETS:
        index = pd.read_parquet(results / "datasets" / dataset / "index.parquet")
        row = table[table["dataset"] == dataset].iloc[0]
        assert row["total"] == len(index)
        assert row["subjects"] == index["subject"].nunique()
        assert row["fear"] == (index["expression"] == "fear").sum()


def test_the_selection_table_follows_from_its_predictions(results: Path) -> None:
    table = pd.read_csv(results / "tables" / "selection.csv")
    rule_column = next(column for column in table if column in ("rule", "selection_rule"))
    for dataset in DATASETS:
        parts = [pd.read_parquet(path) for path in sorted((results / "selection" / dataset).glob("*.parquet"))]
        for rule, rows in pd.concat(parts).groupby("rule"):
            row = table[(table["dataset"] == dataset) & (table[rule_column] == rule)].iloc[0]
            assert row["accuracy"] == pytest.approx(sequence_accuracy(rows), abs=1e-3)


def test_every_table_recomputes_from_what_an_export_holds(results: Path, tmp_path: Path) -> None:
    export_run(results, tmp_path / "smoke.zip")
    run, count = check_export(tmp_path / "smoke.zip")
    assert {Path(name).stem for name in run.tables} == {path.stem for path in (results / "tables").glob("*.csv")}
    assert count == len(run.tables)


def test_the_claims_stand_first_in_the_report_and_name_every_comparison(results: Path) -> None:
    claims = pd.read_csv(results / "tables" / "claims.csv")
    assert len(claims) == 47 and set(claims["verdict"]) <= {"holds", "open", "contradicted", "not run"}
    tried = claims[claims["verdict"] != "not run"]
    assert {"fersnet", "fersnet_fes_da", "fersnet_bu4dfe", "fersnet_without_convflu"} == set(tried["method"])
    page = (results / "report.html").read_text(encoding="utf-8")
    assert page.index('id="table-claims"') < page.index('id="table-ablation"')
    assert len(page) < 4_000_000 and "not finished" not in page


def test_no_training_face_of_a_test_subject_and_no_subject_in_two_folds(results: Path) -> None:
    for dataset in DATASETS:
        folds = pd.read_csv(results / "datasets" / dataset / "folds.csv", dtype={"subject": str})
        assert (folds.groupby("subject")["fold"].nunique() == 1).all()
        for fold in (1, 2, 3):
            tested = set(folds.loc[folds["fold"] == fold, "subject"])
            path = results / "augmentation" / dataset / "fersnet_fes_da" / f"fold{fold}.csv"
            sources = set(pd.read_csv(path, dtype={"subject": str})["subject"])
            assert not tested & sources
            predicted = pd.read_parquet(results / "predictions" / dataset / "fersnet" / f"fold{fold}.parquet")
            assert set(predicted["subject"]) == tested


def test_afterwards_nothing_is_left_to_do(smoke_run: Path) -> None:
    done = snakemake(smoke_run, "-n", "--cores", "2", "--configfile", "config/smoke.yaml")
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout, done.stdout[-3000:]


def test_f4_an_unknown_subject_is_said_before_any_job_where_the_folds_stand(smoke_run: Path) -> None:
    subjects = 'report={"chosen_subjects": {"ckplus": ["s99"]}}'
    words = ("--configfile", "config/smoke.yaml", "--config", subjects, "--")
    done = snakemake(smoke_run, "--cores", "2", *words, "results/smoke/figures/synthesis_ckplus.png")
    assert done.returncode != 0
    assert "report.chosen_subjects.ckplus: 's99' is no test subject" in done.stdout
    assert "Failed" not in done.stdout and "Traceback" not in done.stdout
    assert (smoke_run / "results/smoke/figures/synthesis_ckplus.png").is_file()


@pytest.mark.parametrize("page", ["1_a_run.md", "4_statistics.md", "5_cluster.md"])
def test_parts_of_the_tutorial_play(smoke_run: Path, page: str) -> None:
    """Late, since `sync` makes `jobs.csv` newer. Commands of other programs ran before, or are planned elsewhere."""
    play(page, smoke_run, run=lambda words: None)


def test_a_deleted_prediction_costs_its_training_and_comes_back_the_same(smoke_run: Path) -> None:
    """One of the last two, since the tables say what the first training took."""
    path = smoke_run / "results" / "smoke" / "predictions" / "mmi" / "fersnet" / "fold2.parquet"
    before = path.read_bytes()
    path.unlink()
    words = ("--cores", "2", "--configfile", "config/smoke.yaml", "--", str(path.relative_to(smoke_run)))
    plan = snakemake(smoke_run, "-n", *words).stdout
    assert "train_fersnet" in plan
    for rule in ("align_faces", "train_identity", "render_dataset", "synthesize_faces"):
        assert rule not in plan
    assert snakemake(smoke_run, *words).returncode == 0
    assert path.read_bytes() == before


def test_two_runs_of_a_training_give_the_same_predictions(smoke_run: Path) -> None:
    """Last, for the same reason."""
    results = smoke_run / "results" / "smoke"
    predictions = sorted((results / "predictions" / "oulu_casia" / "fersnet").glob("*.parquet"))
    before = [path.read_bytes() for path in predictions]
    shutil.rmtree(results / "models" / "oulu_casia" / "fersnet")
    for path in predictions:
        path.unlink()
    targets = [str(path.relative_to(smoke_run)) for path in predictions]
    done = snakemake(smoke_run, "--cores", "2", "--configfile", "config/smoke.yaml", "--", *targets)
    assert done.returncode == 0, done.stdout[-3000:]
    assert [path.read_bytes() for path in predictions] == before
