"""The whole graph on the smallest config through the SLURM profile, and the records that its jobs leave."""

from pathlib import Path

import pandas as pd
import pytest

from tests.cluster.daemons import Cluster
from tests.cluster.runs import JOBS, RESULTS, WAIT_SECONDS, mirrored_runs, output_of, run, started
from tests.workflow.conftest import copy_project, planned_jobs

pytestmark = pytest.mark.cluster
LEANER = """
datasets: {ckplus: null, mmi: null}
variants:
  fersnet_without_mtl: null
  fersnet_without_convflu: null
  fersnet_bu4dfe: null
  fersnet_fes_da: {pretrained_on: bu4dfe}
selection_study: {method: fersnet}
utility: {method: fersnet}
synthesis: {datasets: [oulu_casia]}
rivals: {methods: [exprgan]}
"""
"""Laid over the smoke config it leaves every rule of it at least one job."""
CONFIGS = ("config/smoke.yaml", "leaner.yaml")
WORDS = ("--configfile", *CONFIGS, "--config", "device=cpu")
# The trainings compute on the CPU, and yet ask SLURM for a GPU as they would with `device: cuda`.
GPU_JOBS = ("--set-resources", "train_fersnet:gpu=1", "train_standard_fer:gpu=1")


@pytest.fixture(scope="module")
def finished(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("graph"))
    (folder / "leaner.yaml").write_text(LEANER, encoding="utf-8")
    output = run(cluster, folder, *WORDS, *GPU_JOBS)
    assert "slurm_logs/rule_train_fersnet" in output or "Submitted array job" in output
    # No node writes to the tracking store: what copies the records is not submitted.
    assert "slurm_logs/rule_collect_jobs" not in output
    return folder


def test_the_smoke_config_runs_to_the_report(cluster: Cluster, finished: Path) -> None:
    assert (finished / RESULTS / "report.html").is_file()
    for name in ("ablation", "fer_oulu_casia", "synthesis", "selection"):
        assert len(pd.read_csv(finished / RESULTS / "tables" / f"{name}.csv"))
    assert "Nothing to be done" in run(cluster, finished, "--dry-run", *WORDS, *GPU_JOBS)


def test_no_rule_of_the_smoke_config_is_left_out(finished: Path) -> None:
    whole, lean = ({job["rule"] for job in planned_jobs(finished, *configs)} for configs in (CONFIGS[:1], CONFIGS))
    assert lean == whole


def test_every_job_is_recorded_by_its_node_and_copied_once_to_the_store(finished: Path) -> None:
    jobs = pd.read_csv(finished / RESULTS / "jobs.csv", dtype=str)
    assert set(jobs["status"]) == {"FINISHED"}
    assert jobs["run_id"].notna().all()
    runs = mirrored_runs(finished)
    assert sorted(runs["job_key"]) == sorted(path.stem for path in (finished / JOBS).glob("*.json"))
    assert set(runs["status"]) == {"FINISHED"}


def test_a_limit_under_which_arrays_would_wait_for_ever_ends_the_run_with_one_line(
    cluster: Cluster, finished: Path
) -> None:
    with started(
        cluster, finished, *WORDS, *GPU_JOBS, "--forcerun", "train_fersnet", "--resources", "gpu=2"
    ) as process:
        assert process.wait(WAIT_SECONDS) == 1
    output = output_of(finished)
    assert "go without arrays: --slurm-array-jobs none" in output
    assert "Traceback" not in output
