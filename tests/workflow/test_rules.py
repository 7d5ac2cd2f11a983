"""Every rule is complete: log, benchmark, resources, a fingerprint of its code, and a tracked job."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings

from fersnet.costs.job import Job
from fersnet.cross_validation import fold_counts, synthesis_folds
from fersnet.plan.graph import read_graph
from fersnet.settings.load import load_settings
from tests.workflow.conftest import copy_project, snakemake
from workflow_scripts.planning.files import Files
from workflow_scripts.planning.run import Run

ROOT = Path(__file__).parent.parent.parent
CLASSES = {"minutes", "seconds", "training"}
"""Classes of work, which are no rules that anybody runs."""
TARGETS = {"all", "data", "folds", "ablation", "recognition", "synthesis", "tables", "figures", "tuning"}
OWN_PEOPLE = {"tune_people"}
"""What only the search on a copy of one's own needs; tests/workflow/test_tuning.py runs it."""


@pytest.fixture(scope="module")
def workflow() -> Any:
    """The workflow as Snakemake has loaded it, planned for the smoke config with all that a run may have."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        loaded = api.workflow(
            resource_settings=ResourceSettings(cores=2),
            config_settings=ConfigSettings(
                configfiles=[ROOT / "config" / "smoke.yaml"],
                config={"standard_fer": {"trained_on": "other_sets"}, "cross": True},
            ),
            snakefile=ROOT / "Snakefile",
            workdir=ROOT,
        )
        targets = DAGSettings(targets={"all", "tuning"}, force_incomplete=True)
        loaded.dag(targets).execute_workflow(executor="dryrun")
        yield loaded._workflow


@pytest.fixture(scope="module")
def jobs(workflow: Any) -> dict[str, Any]:
    """One job of every rule that makes something."""
    return {job.rule.name: job for job in workflow.dag.jobs if job.output}


def test_every_rule_is_planned(workflow: Any, jobs: dict[str, Any]) -> None:
    assert {rule.name for rule in workflow.rules} == {*jobs, *CLASSES, *TARGETS, *OWN_PEOPLE}


def test_a_rule_declares_all_that_it_needs(jobs: dict[str, Any]) -> None:
    for name, job in jobs.items():
        rule = job.rule
        assert re.fullmatch(rf"results/smoke/logs/{name}/[^/]+\.log", str(job.log[0])), name
        assert re.fullmatch(rf"results/smoke/benchmarks/{name}/[^/]+\.tsv", str(job.benchmark)), name
        assert str(rule.conda_env).endswith("environment.yml"), name
        assert not rule.container_img, f"{name}: an image, which nobody has asked for"
        assert {"gpu", "mem_mb", "runtime"} <= set(job.resources.keys()), name
        assert re.fullmatch(r"[0-9a-f]{16}", job.params["code"]), f"{name}: no fingerprint of its code"
        for files in (job.input, job.output):
            named = sum(end - start if end else 1 for start, end in ((s, e) for _, (s, e) in files._get_names()))
            assert named == len(files) or name.endswith("confusion"), f"{name}: a file without a name"


def test_the_image_of_all_jobs_is_asked_for_by_apptainer(tmp_path: Path) -> None:
    words = ("-n", "--configfile", "config/smoke.yaml", "--sdm", "apptainer")
    stopped = snakemake(copy_project(tmp_path), *words)
    assert stopped.returncode == 1
    assert f"{tmp_path}/fersnet.sif: no such image; make it with `make image`" in stopped.stdout


def test_a_rule_runs_a_tracked_script(jobs: dict[str, Any]) -> None:
    for name, job in jobs.items():
        assert job.params["script"] in str(job.rule.script) or "{params.script}" in str(job.rule.script), name
        script = ROOT / "workflow_scripts" / f"{job.params['script']}.py"
        assert "with tracked_job(snakemake)" in script.read_text(encoding="utf-8"), name


def test_a_retry_gets_more_memory(jobs: dict[str, Any]) -> None:
    for name, job in jobs.items():
        first = job.resources["mem_mb"]
        job.attempt = 2
        job.reset_params_and_resources()
        assert job.resources["mem_mb"] == 2 * first, name
        job.attempt = 1
        job.reset_params_and_resources()


def test_a_seed_stands_where_something_is_drawn(jobs: dict[str, Any]) -> None:
    seeded = {name for name, job in jobs.items() if job.params.get("seed") is not None}
    drawing = {"render_dataset", "augment_faces", "compare_selection", "evaluate_synthesis", "synthesize_faces"}
    drawing |= {name for name in jobs if name.startswith(("train_", "pretrain_"))}
    unseeded = {"tune_index", "tune_align", "tune_folds", "tune_choose"}
    assert seeded == drawing | ({name for name in jobs if name.startswith("tune_")} - unseeded)


def test_f6_rules_of_seconds_stay_local_under_other_names(workflow: Any, jobs: dict[str, Any]) -> None:
    """A `localrules` list names rules as this workflow does, which counts for nothing in another one."""
    short = ("table_", "figure_", "assign_", "check_", "collect_", "build_", "tune_folds", "tune_choose")
    assert workflow._localrules == {name for name in jobs if name.startswith(short)} | OWN_PEOPLE
    assert not [path for path in (ROOT / "rules").glob("*.smk") if "localrules" in path.read_text(encoding="utf-8")]


def test_every_table_and_figure_is_annotated_for_snakemakes_report(jobs: dict[str, Any]) -> None:
    for name, job in jobs.items():
        shown = {str(path): path.flags["report"] for path in job.output if "report" in path.flags}
        expected = {path for path in map(str, job.output) if path.endswith(".png")}
        expected |= {path for path in map(str, job.output) if re.search(r"/tables/\w+\.csv$", path)}
        assert set(shown) == expected, name
        for mark in shown.values():
            caption = Path(str(mark.caption)).read_text(encoding="utf-8")
            assert mark.category and len(caption.splitlines()) == 1, name


def test_the_slurm_profile_makes_arrays_of_rules_that_exist(jobs: dict[str, Any]) -> None:
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8"))
    assert {name.strip() for name in profile["slurm-array-jobs"].split(",")} <= set(jobs)
    # Without the signal, or with `B:`, a training is never told that its allocation ends.
    assert re.fullmatch(r"'--signal=USR1@\d+'", profile["default-resources"]["slurm_extra"])


def test_snakemake_outlives_the_signal_that_asks_a_training_to_save() -> None:
    code = "import os, signal; from pathlib import Path; from fersnet.host import prepare_jobs; prepare_jobs(Path('.'))"
    code += "; os.kill(os.getpid(), signal.SIGUSR1); print('alive')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "alive\n", done.stderr


def test_e1_jobs_load_matplotlib_whatever_the_user_has_set(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_bytes("# Größe\naxes.grid: True\n".encode("latin-1"))
    code = "from pathlib import Path; from fersnet.host import prepare_jobs; prepare_jobs(Path('.')); import matplotlib"
    # What a notebook sets for everything that is started from it, where its own package is not installed here.
    theirs = {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    code += "; print(matplotlib.rcParams['axes.grid'], matplotlib.get_backend())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | theirs, capture_output=True, text=True, check=False)
    assert done.stdout == "False agg\n", done.stderr


def test_the_snakefile_holds_nothing_but_the_entry() -> None:
    assert len((ROOT / "Snakefile").read_text(encoding="utf-8").splitlines()) < 80


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    """The jobs of the smoke config with GPUs, other baselines and repeats."""
    config = tmp_path_factory.mktemp("varied") / "varied.yaml"
    config.write_text(
        "device: cuda\nbaselines: {methods: [stm_explet, cnn3d]}\nrepeats: {variants: 2, rivals: 2}\n", encoding="utf-8"
    )
    return read_graph([ROOT / "config" / "smoke.yaml", config], ROOT)


def test_handcrafted_baselines_ask_for_no_gpu(varied: list[Job]) -> None:
    needs = {job.method: job.gpu for job in varied if job.rule == "train_baseline"}
    assert needs == {"stm_explet": 0, "cnn3d": 1}


def test_f7_a_recognition_table_waits_for_the_jobs_of_its_own_dataset_alone(varied: list[Job]) -> None:
    tables = [job for job in varied if job.rule in ("table_recognition", "figure_ranking", "figure_confusion")]
    assert len(tables) == 9
    for table in tables:
        before, seen = [*table.after], set()
        while before:
            number = before.pop()
            if number not in seen:
                seen.add(number)
                before += varied[number].after
        # FERSNet may be pre-trained on BU-4DFE.
        assert {varied[number].dataset for number in seen} == {table.dataset, "bu4dfe"}, table.rule


def test_synthetic_training_faces_come_from_systems_of_their_own_fold(varied: list[Job]) -> None:
    """What draws and reads them has been trained on this fold's training subjects, and so on nobody who is tested."""
    drawing = [job for job in varied if job.rule == "augment_faces"]
    places = {(job.dataset, job.method, job.fold) for job in drawing}
    assert len(places) == len(drawing) == 2 * (3 * 3 + 5)  # FES-DA in all folds of three sets, the others in one of one
    for job in drawing:
        before = [varied[number] for number in job.after if varied[number].rule.startswith("train_")]
        assert {(one.dataset, one.fold) for one in before} == {(job.dataset, job.fold)}, job.method
        assert all(one.params["hold_out"] == job.params["hold_out"] for one in before if one.rule == "train_rival")
    last = next(job for job in drawing if job.method == "utility_caae.repeat2")
    assert {varied[number].method for number in last.after} >= {"caae.repeat2", "fersnet_without_mtl.repeat2"}


@pytest.mark.parametrize(("folds", "found"), [(None, [1, 2, 3]), ([1], []), ([1, 3], [])])
def test_a_quoted_recogniser_with_synthetic_faces_is_in_the_table_where_all_is_tested(
    folds: list[int] | None, found: list[int]
) -> None:
    """A figure of some folds would stand beside those of all."""
    settings = load_settings({"preset": "embedded", "synthesis": {"folds": folds}})
    counts = fold_counts(settings, Path())
    files = Files(Run(settings, "results/run", counts, synthesis_folds(settings, counts)))
    for paths in (files.recognised(SimpleNamespace(dataset="oulu_casia")), files.claimed()):
        drawn = [path for path in paths if "utility_" in path]
        assert drawn == [f"<results>/predictions/oulu_casia/utility_exprgan/fold{fold}.parquet" for fold in found]
    assert not [path for path in files.recognised(SimpleNamespace(dataset="mmi")) if "utility_" in path]


def test_each_repeat_builds_on_the_same_repeat(varied: list[Job]) -> None:
    trained = {(job.method, job.fold) for job in varied if job.rule == "train_fersnet" and job.dataset == "ckplus"}
    assert len(trained) == 2 * 5 * 3
    augmented = next(job for job in varied if job.rule == "augment_faces" and job.method == "fersnet_fes_da.repeat2")
    sources = {varied[position].method for position in augmented.after if varied[position].rule == "train_fersnet"}
    assert sources == {"fersnet.repeat2"}
    judged = next(job for job in varied if job.rule == "evaluate_synthesis")
    methods = {varied[position].method for position in judged.after if varied[position].rule == "synthesize_faces"}
    assert {"stargan", "stargan.repeat2", "fersnet", "fersnet.repeat2"} <= methods
