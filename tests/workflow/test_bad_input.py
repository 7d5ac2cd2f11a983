"""What a user gets for a wrong config: one clear line before any job, and no traceback."""

from pathlib import Path

import pytest

from tests.workflow.conftest import snakemake

CASES = {
    "unknown key": ("modle: {width: 4}", ["'modle'", "mine.yaml"]),
    "negative size": ("model: {width: -1}", ["model.width"]),
    "no folds": ("folds: {count: 0}", ["folds.count"]),
    "unknown method": ("rivals: {methods: [startgan]}", ["startgan", "stargan"]),
    "missing folder": (
        "datasets: {ckplus: {root: /nowhere/ckplus}}",
        ["dataset ckplus", "/nowhere/ckplus", "datasets.ckplus.root"],
    ),
    "wrong folder": ("datasets: {mmi: {root: config}}", ["dataset mmi", "datasets.mmi.root"]),
    "broken yaml": ("model: {width: [", ["not valid JSON or YAML"]),
}


@pytest.mark.parametrize("case", CASES)
def test_one_clear_line_before_any_job(project: Path, case: str) -> None:
    text, parts = CASES[case]
    (project / "mine.yaml").write_text(text + "\n", encoding="utf-8")
    done = snakemake(project, "-n", "--cores", "1", "--configfile", "mine.yaml")
    assert done.returncode != 0
    for part in parts:
        assert part in done.stdout, done.stdout
    assert "Traceback" not in done.stdout
    assert not (project / "results").exists()


def test_a_results_folder_that_cannot_be_written_says_so(project: Path) -> None:
    # Root may write anywhere, so the folder is made impossible instead of forbidden.
    (project / "results").write_text("", encoding="utf-8")
    done = snakemake(project, "--cores", "1", "--configfile", "config/smoke.yaml")
    assert done.returncode != 0
    assert "results/smoke: cannot be written" in done.stdout
    assert "Traceback" not in done.stdout


def test_more_folds_than_subjects_says_so(project: Path) -> None:
    (project / "mine.yaml").write_text("folds: {count: 9}\n", encoding="utf-8")
    done = snakemake(
        project, "--cores", "2", "--configfile", "config/smoke.yaml", "mine.yaml", "--",
        "results/smoke/datasets/oulu_casia/folds.csv",
    )  # fmt: skip
    assert done.returncode != 0
    assert "folds.count" in done.stdout
    assert "Traceback" not in done.stdout
