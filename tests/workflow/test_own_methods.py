"""The methods and the reader of docs/extending.md, as they stand there, in a run of their own."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from fersnet.embedded.sheet import draw_faces
from fersnet.expressions import SIX
from tests.workflow.conftest import ROOT, copy_project, planned_jobs, snakemake
from tests.workflow.tutorial import play

pytestmark = pytest.mark.smoke

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
(MINE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SUBJECTS = ("anna", "ben", "cem", "dora", "elif", "finn")
FOLDS = (1, 2, 3)
JUDGED = (1, 3)
TINY = """
run: own
datasets: {ckplus: null, oulu_casia: null, mmi: null, bu4dfe: null}
faces: {size: 36, clip_frames: 6}
folds: {count: 3}
model: {image_size: 32, width: 4}
training: {epochs: 1, batch_size: 16, milestones: [1]}
identity: {width: 6, image_size: 32, epochs: 1}
standard_fer: {width: 4, epochs: 1}
selection_study: {method: null}
variants: {fersnet_without_mtl: null, fersnet_without_convflu: null, fersnet_bu4dfe: null, fersnet_fes_da: null}
synthesis: {datasets: [lab], folds: [1, 3]}
rivals: {methods: []}
baselines: {methods: []}
report: {bootstrap_samples: 100, dpi: 60}
"""
CONFIGS = ("mine.yaml", "tiny.yaml")


def write_pictures(folder: Path) -> None:
    """Two pictures of every subject and expression, called `anna_happiness_1.png`."""
    folder.mkdir(parents=True)
    drawn = folder.with_name("drawn")
    draw_faces(len(SUBJECTS), 3, 160, SIX, drawn)
    for number, subject in enumerate(SUBJECTS):
        for expression in SIX:
            for take in (1, 2):
                shutil.copy(drawn / f"{number:03}_{expression}.png", folder / f"{subject}_{expression}_{take}.png")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the page's files at the paths that its config names, after the whole run."""
    folder = copy_project(tmp_path_factory.mktemp("own"))
    config = yaml.safe_load(MINE)
    for path, text in zip(config["modules"].values(), EXAMPLES, strict=True):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    write_pictures(folder / config["datasets"]["lab"]["root"])
    for name, text in zip(CONFIGS, (MINE, TINY), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    done = snakemake(folder, "--cores", "2", "--configfile", *CONFIGS, warm=True)
    assert done.returncode == 0, done.stdout[-6000:]
    return folder


@pytest.fixture(scope="module")
def results(own: Path) -> Path:
    return own / "results" / "own"


def label(job: dict[str, Any]) -> tuple[str, str]:
    return job["rule"], job["wildcards"].get("method", "")


@pytest.mark.parametrize("text", EXAMPLES, ids=("recogniser", "system", "reader"))
def test_an_example_is_short(text: str) -> None:
    assert len(text.splitlines()) <= 40


def test_own_methods_stand_in_tables_and_report(results: Path) -> None:
    recognition = pd.read_csv(results / "tables" / "fer_lab.csv").set_index("method")
    assert recognition.loc["pixels", "name"] == "Pixels"
    assert recognition.loc["pixels", "n_sequences"] == len(SUBJECTS) * len(SIX) * 2
    assert 0 <= recognition.loc["pixels", "accuracy"] <= 100
    synthesis = pd.read_csv(results / "tables" / "synthesis.csv").set_index("method")
    assert synthesis.loc["offsets", "name"] == "Offsets"
    assert 0 <= synthesis.loc["offsets", "accuracy"] <= 100
    report = (results / "report.html").read_text(encoding="utf-8")
    assert "Pixels" in report and "Offsets" in report


def test_own_methods_leave_the_files_of_their_folds(results: Path) -> None:
    for fold in FOLDS:
        judged = fold in JUDGED
        assert (results / "predictions" / "lab" / "pixels" / f"fold{fold}.parquet").is_file()
        assert (results / "synthesis" / "lab" / "offsets" / f"fold{fold}.npz").is_file() == judged
        assert (results / "models" / "lab" / "offsets" / f"fold{fold}" / "checkpoint.pt").is_file() == judged


def test_table_and_figures_tell_the_folds_in_which_systems_are_judged(results: Path) -> None:
    table = pd.read_csv(results / "tables" / "synthesis.csv", dtype=str).set_index("method")
    assert table.at["offsets", "tested_folds"] == "1 3"
    folds = pd.read_csv(results / "datasets" / "lab" / "folds.csv", dtype=str)
    people = folds.loc[folds["fold"].isin([str(fold) for fold in JUDGED]), "subject"].nunique()
    assert float(table.at["offsets", "n_subjects"]) == people
    report = (results / "report.html").read_text(encoding="utf-8")
    assert "folds 1, 3 of 3 subject-wise folds" in report


def test_jobs_of_own_methods_are_tracked(results: Path) -> None:
    jobs = pd.read_csv(results / "jobs.csv", dtype=str)
    assert set(jobs["status"]) == {"FINISHED"}
    done = set(zip(jobs["rule"], jobs["method"], jobs["fold"], strict=True))
    for rule, method, folds in (("train_baseline", "pixels", FOLDS), ("train_rival", "offsets", JUDGED)):
        assert {fold for name, own, fold in done if (name, own) == (rule, method)} == set(map(str, folds))


def test_the_plan_knows_own_methods_and_a_second_run_does_nothing(own: Path) -> None:
    jobs = planned_jobs(own, *CONFIGS)
    trained = {label(job) for job in jobs if job["rule"] in ("train_baseline", "train_rival")}
    # The lists of the config are empty: what `modules` brings in joins without being listed.
    assert trained == {("train_baseline", "pixels"), ("train_rival", "offsets")}
    assert not [label(job) for job in jobs if job["needed"]]


def planned_after(own: Path, change: Callable[[str], str]) -> set[tuple[str, str]]:
    """The jobs that the finished project plans while the recogniser's file is changed."""
    path = own / "methods" / "pixels.py"
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    try:
        return {label(job) for job in planned_jobs(own, *CONFIGS) if job["needed"]}
    finally:
        path.write_text(text, encoding="utf-8")


def test_a_changed_line_of_a_method_runs_it_and_what_follows(own: Path) -> None:
    needed = planned_after(own, lambda text: text.replace("max_iter=200", "max_iter=300"))
    assert needed == {
        ("train_baseline", "pixels"),
        ("collect_jobs", ""),
        ("table_recognition", ""),
        ("table_subgroups", ""),
        ("figure_confusion", ""),
        ("figure_ranking", ""),
        ("build_report", ""),
        ("all", ""),
    }


def test_a_changed_comment_in_a_method_runs_nothing(own: Path) -> None:
    assert planned_after(own, lambda text: f"{text}\n# a remark\n") == set()


def test_parts_of_the_tutorial_play(own: Path) -> None:
    """A run of a few jobs more, in the project that is there."""

    def run(words: list[str]) -> None:
        done = snakemake(own, *words[1:], warm=True)
        assert done.returncode == 0, done.stdout[-6000:]
        assert "-n" not in words or "train_fersnet" not in done.stdout

    play("2_own_data.md", own, run)
    play("3_own_method.md", own, run)
