"""One cluster for all its tests, and a small training to interrupt.

These tests need root and Debian's SLURM: `make test-cluster` installs it and runs them.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.daemons import Cluster, running_cluster
from tests.cluster.rests import REST, let_trainings_rest
from tests.cluster.runs import CONFIGURED, SETTINGS, SETTINGS_FILE, TRAINING, TRAINING_INPUTS
from tests.workflow.conftest import copy_project, snakemake


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running cluster of one node with two pretended GPUs."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), gpus=2) as running:
        yield running


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with all that the training to interrupt needs."""
    folder = copy_project(tmp_path_factory.mktemp("prepared"))
    (folder / SETTINGS_FILE).write_text(SETTINGS, encoding="utf-8")
    let_trainings_rest(folder)
    done = snakemake(folder, "--cores", "2", *CONFIGURED, "--", *TRAINING_INPUTS)
    assert done.returncode == 0, done.stdout[-6000:]
    return folder


@pytest.fixture(scope="session")
def unbroken(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same copy after the training has run on this machine, without SLURM and without a break."""
    folder = shutil.copytree(prepared, tmp_path_factory.mktemp("unbroken"), dirs_exist_ok=True)
    done = snakemake(folder, "--cores", "2", *CONFIGURED, "--", *TRAINING)
    assert done.returncode == 0, done.stdout[-6000:]
    return folder


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Path:
    """A copy of its own for a test that interrupts the training, in which trainings rest until then."""
    folder = shutil.copytree(prepared, tmp_path / "project")
    (folder / REST).touch()
    return folder
