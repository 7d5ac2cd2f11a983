"""What reruns when one thing changes: exactly the jobs named here, and what follows from them."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fersnet.embedded.files import write_image
from tests.workflow.conftest import copy_project, planned_jobs, snakemake

pytestmark = pytest.mark.smoke

Jobs = list[dict[str, Any]]
CONFIG = """
datasets:
  own: {root: raw, reader: folder}
  mmi: {options: {selection: chosen.csv}}
"""
SECOND = """
  second: {root: raw, reader: folder}
"""
FOLDS = ("1", "2", "3")
SYNTHESIS_DATASETS = ("ckplus", "oulu_casia")
EXPENSIVE = ("render_dataset", "align_faces", "synthesize_faces", "augment_faces", "compare_selection")


def planned(folder: Path) -> Jobs:
    """All jobs of a project, as Snakemake plans them now."""
    return planned_jobs(folder, "config/smoke.yaml", "mine.yaml")


def label(job: dict[str, Any]) -> str:
    return " ".join((job["rule"], *(value for value in job["wildcards"].values())))


def labels(jobs: Iterable[dict[str, Any]]) -> set[str]:
    return {label(job) for job in jobs}


def first(jobs: Jobs) -> set[str]:
    """The jobs that run for a reason of their own, not because of a job before them."""
    return labels(job for job in jobs if job["needed"] and not any(jobs[other]["needed"] for other in job["after"]))


def followers(jobs: Jobs, starts: set[str]) -> set[str]:
    """The starts and all jobs that depend on them, directly or not."""
    reached = {number for number, job in enumerate(jobs) if label(job) in starts}
    while more := {n for n, job in enumerate(jobs) if n not in reached and reached.intersection(job["after"])}:
        reached |= more
    return {label(jobs[number]) for number in reached}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose run counts as done: every output is there, empty, with Snakemake's records of it."""
    folder = copy_project(tmp_path_factory.mktemp("finished"))
    (folder / "mine.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "chosen.csv").write_text("sequence\n1\n", encoding="utf-8")
    for subject in range(6):
        for expression in ("anger", "disgust", "fear", "happiness", "sadness", "surprise"):
            image = folder / "raw" / f"s{subject}" / expression / "1.png"
            image.parent.mkdir(parents=True)
            write_image(image, np.full((32, 32, 3), subject, dtype=np.uint8))
    for job in planned(folder):
        for output in job["outputs"]:
            path = folder / output
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.name == "tree":
                path.mkdir(exist_ok=True)
            else:
                path.touch()
    done = snakemake(
        folder,
        "--touch",
        "--forceall",
        "--quiet",
        "all",
        "--cores",
        "1",
        "--configfile",
        "config/smoke.yaml",
        "mine.yaml",
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project, times included."""
    return shutil.copytree(finished, tmp_path / "project", symlinks=True)


def append(name: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def another(source: str, copy: str) -> Callable[[Path], None]:
    """Puts a copy of a file or folder of the project beside it, or elsewhere."""

    def change(folder: Path) -> None:
        (folder / copy).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (folder / source).is_dir() else shutil.copy)(folder / source, folder / copy)

    return change


def chain(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


def replace_image(folder: Path) -> None:
    write_image(folder / "raw" / "s2" / "fear" / "1.png", np.full((40, 40, 3), 99, dtype=np.uint8))


def touch_images(folder: Path) -> None:
    for image in (folder / "raw").rglob("*.png"):
        image.touch()


def render_anew_and_index(folder: Path) -> None:
    """Case A1: other pictures under the old names, whose index was made in a run of its own and is what it was."""
    append("results/smoke/embedded/mmi/manifest.csv", "another,1\n")(folder)
    for name in ("index.parquet", "index_rejected.csv"):
        (folder / "results/smoke/datasets/mmi" / name).touch()


def forget_tree(folder: Path) -> None:
    shutil.rmtree(folder / "results/smoke/embedded/mmi/tree")


def forget_tree_and_align_anew(folder: Path) -> None:
    forget_tree(folder)
    append("mine.yaml", "faces: {size: 40}\n")(folder)


def another_judge(folder: Path) -> None:
    """Another file, and the record that goes with it."""
    file, record = (folder / "fersnet" / "judge" / f"judge.{ending}" for ending in ("pt", "json"))
    file.write_bytes(b"another")
    told = json.loads(record.read_text(encoding="utf-8"))
    told["sha256"] = hashlib.sha256(b"another").hexdigest()
    record.write_text(json.dumps(told), encoding="utf-8")


def delete_prediction(folder: Path) -> None:
    (folder / "results/smoke/predictions/mmi/fersnet/fold2.parquet").unlink()


STARGAN = {f"train_rival {dataset} stargan 1" for dataset in SYNTHESIS_DATASETS}
"""The first fold is the one in which the smoke run compares systems."""
RIVALS = ("caae", "cyclegan", "exprgan", "stargan")
DATASETS = ("ckplus", "oulu_casia", "mmi", "own")
SYSTEMS = (*RIVALS, "fersnet")
TABLES = {"table_claims", "table_datasets", "table_ablation", "table_synthesis", "table_selection", "table_utility"}
TABLES |= {f"table_recognition {dataset}" for dataset in DATASETS}
QUOTING = TABLES - {"table_datasets"}
RENDERED = {f"render_dataset {dataset}" for dataset in ("ckplus", "oulu_casia", "mmi", "bu4dfe")}

HARMLESS: dict[str, Callable[[Path], None]] = {
    "a comment in a rival's source": append("fersnet/rivals/stargan/training.py", "\n# a remark\n"),
    "a comment in a script": append("workflow_scripts/train_rival.py", "\n# a remark\n"),
    "a new recogniser in the package, which the run does not take": another(
        "fersnet/baselines/lbp_top", "fersnet/baselines/another"
    ),
    "a new reader in the package": another("fersnet/datasets/readers/folder.py", "fersnet/datasets/readers/new.py"),
    "a reader of one's own that no dataset takes yet": chain(
        another("fersnet/datasets/readers/folder.py", "own.py"), append("mine.yaml", "modules: {own_one: own.py}\n")
    ),
    "raw images touched, with the same content": touch_images,
    "a rendered tree deleted": forget_tree,
    "jobs per GPU": append("mine.yaml", "jobs_per_gpu: 2\n"),
    "recorded steps": append("mine.yaml", "cuda_graphs: false\n"),
    "threads": append("mine.yaml", "threads: 2\n"),
    "memory": replace("rules/classes.smk", "megabytes=4000", "megabytes=9000"),
}
"""What no result depends on."""

CASES: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "learning rate of one method": (
        append("mine.yaml", "rivals: {stargan: {learning_rate: 0.00013}}\n"),
        STARGAN,
    ),
    "a rival's source line": (append("fersnet/rivals/stargan/training.py", "\nCHANGED = 1\n"), STARGAN),
    "a line of its declaration": (append("fersnet/rivals/stargan/__init__.py", "\nCHANGED = 1\n"), STARGAN),
    "a new system in the package": (
        another("fersnet/rivals/stargan", "fersnet/rivals/another"),
        {label.replace("stargan", "another") for label in STARGAN},
    ),
    "a recogniser of one's own": (
        chain(
            another("fersnet/baselines/lbp_top/__init__.py", "own/__init__.py"),
            another("fersnet/baselines/lbp_top/training.py", "own/training.py"),
            append("mine.yaml", "modules: {another: own}\nbaselines: {methods: [lbp_top, dmt_cnn, another]}\n"),
        ),
        {f"train_baseline {dataset} another {fold}" for dataset in DATASETS for fold in FOLDS},
    ),
    "a variant": (
        append("mine.yaml", "variants: {another: {name: Another, model: {convflu_kernel: 3}}}\n"),
        {f"train_fersnet {dataset} another {fold}" for dataset in DATASETS for fold in FOLDS},
    ),
    "a quoted figure": (
        append("config/reported.csv", "fer,mmi,Other,no,single image,50.0,images,other,quoted\n"),
        QUOTING,
    ),
    "a claim of the paper": (
        append("config/claims.csv", "Another,fersnet,lbp_top,own,recognition,1.0\n"),
        {"table_claims"},
    ),
    "a count of the paper": (append("config/sequence_counts.csv", "other,1,,1,1,1,1,1,6\n"), {"table_datasets"}),
    "the report's template": (append("fersnet/report/page/answer.html.j2", "\n"), {"build_report"}),
    "a table's style": (append("fersnet/report/quoted.py", "\nCHANGED = 1\n"), TABLES),
    "the seed": (
        append("mine.yaml", "seed: 2\n"),
        RENDERED
        | {"figure_faces own"}  # the description of the run names the seed
        | {f"{work} {fold}" for work in ("train_identity own", "train_baseline own lbp_top") for fold in FOLDS},
    ),
    "one more training of each rival": (
        append("mine.yaml", "repeats: {rivals: 2}\n"),
        {f"train_rival {dataset} {method}.repeat2 1" for dataset in SYNTHESIS_DATASETS for method in RIVALS},
    ),
    "another fold in which systems are compared": (
        append("mine.yaml", "synthesis: {folds: [1, 3]}\n"),
        # No rival of the first fold is trained again.
        {f"train_rival {dataset} {method} 3" for dataset in SYNTHESIS_DATASETS for method in RIVALS}
        | {f"synthesize_faces {dataset} fersnet" for dataset in SYNTHESIS_DATASETS}
        | {"augment_faces oulu_casia utility_fersnet 3"},
    ),
    "another amount of synthetic faces for the recogniser, on one more set": (
        append("mine.yaml", "utility: {factor: 3, datasets: [oulu_casia, ckplus]}\n"),
        {f"augment_faces {dataset} utility_{system} 1" for dataset in SYNTHESIS_DATASETS for system in SYSTEMS},
    ),
    "another fixed judge": (
        another_judge,
        {f"evaluate_synthesis {dataset} 1" for dataset in SYNTHESIS_DATASETS},
    ),
    "how long a judge would train where the fixed one judges": (
        append("mine.yaml", "standard_fer: {epochs: 7}\n"),
        set(),
    ),
    "one raw image": (replace_image, {"index_sequences own"}),
    "rendered pictures behind an index that stayed the same": (render_anew_and_index, {"align_faces mmi"}),
    "a rendered tree deleted that is needed": (
        forget_tree_and_align_anew,
        {"render_dataset mmi", *(f"align_faces {dataset}" for dataset in ("ckplus", "oulu_casia", "bu4dfe", "own"))},
    ),
    "the selection of a dataset's sequences": (append("chosen.csv", "2\n"), {"index_sequences mmi"}),
    "trainings across datasets": (append("mine.yaml", "cross: true\n"), {"join_sets"}),
    "one fold's predictions deleted": (delete_prediction, {"train_fersnet mmi fersnet 2"}),
}


def test_nothing_reruns_for_what_no_result_depends_on(project: Path) -> None:
    """All of it at once, since a plan takes seconds; what would rerun tells which of them it was."""
    for change in HARMLESS.values():
        change(project)
    assert not [label(job) for job in planned(project) if job["needed"]]


@pytest.mark.parametrize("case", CASES)
def test_exactly_these_jobs_rerun(project: Path, case: str) -> None:
    change, expected = CASES[case]
    change(project)
    jobs = planned(project)
    assert first(jobs) == expected
    assert labels(job for job in jobs if job["needed"]) == followers(jobs, expected)


def test_f4_another_choice_of_subjects_to_be_shown_is_checked_and_retrains_nothing(project: Path) -> None:
    append("mine.yaml", "report: {chosen_subjects: {own: [s1]}}\n")(project)
    needed = {job["rule"] for job in planned(project) if job["needed"] and job["rule"] not in ("all", "collect_jobs")}
    assert "figure_synthesis" in needed
    assert all(rule.startswith(("table_", "figure_", "build_")) for rule in needed), needed


def test_a_new_dataset_leaves_the_others_as_they_are(project: Path) -> None:
    append("mine.yaml", SECOND)(project)
    jobs = planned(project)
    needed = [job for job in jobs if job["needed"]]
    works = [job for job in needed if job["rule"] in EXPENSIVE or job["rule"].startswith("train_")]
    assert {job["wildcards"]["dataset"] for job in works} == {"second"}
    assert labels(job for job in jobs if job["wildcards"].get("dataset") == "second") <= labels(needed)


def test_moved_results_are_still_done(finished: Path, project: Path, tmp_path: Path) -> None:
    moved = project.rename(tmp_path / "elsewhere")
    assert not first(planned(moved)), "the whole project in another folder"
    shutil.rmtree(moved / ".snakemake")
    assert not first(planned(moved)), "results alone, in another working copy"
