"""A copy of the project to run the workflow in, so that no test touches the user's results."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.warm import run_module

ROOT = Path(__file__).parent.parent.parent
PARTS = (
    "Snakefile",
    "rules",
    "workflow_scripts",
    "fersnet",
    "config",
    "profiles",
    "environment.yml",
    "requirements.lock",
)


def copy_project(folder: Path) -> Path:
    """A working copy without results."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder


def snakemake(
    folder: Path, *words: str, before: Callable[[], None] | None = None, warm: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run snakemake in a copy of the project; stdout and stderr together in `.stdout`.

    before: called in the new process, e.g. to limit it.
    warm: also for the jobs, where they are many; see warm.py.
    """
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": ""}
    if before is None:
        return run_module("snakemake", folder, words, environment, warm_jobs=warm)
    command = [sys.executable, "-m", "snakemake", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, preexec_fn=before,
    )  # fmt: skip


def planned_jobs(folder: Path, *configs: str) -> list[dict[str, Any]]:
    """All jobs of a copy of the project, as Snakemake plans them now for config files laid over the default."""
    done = run_module("workflow_scripts.plan_jobs", folder, configs, os.environ | {"PYTHONPATH": str(folder)})
    assert done.returncode == 0, done.stdout[-3000:]
    return json.loads(done.stdout)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy for one test."""
    return copy_project(tmp_path)


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole graph on the smallest config, run once; the folder of the copy."""
    folder = copy_project(tmp_path_factory.mktemp("smoke"))
    done = snakemake(folder, "--cores", "2", "--configfile", "config/smoke.yaml", warm=True)
    assert done.returncode == 0, done.stdout[-6000:]
    return folder
