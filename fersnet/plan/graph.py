"""The jobs of a run, as Snakemake plans them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from fersnet.errors import UserError
from fersnet.project import PROJECT
from fersnet.repeats import split_repeat
from fersnet.settings.load import read_config


@dataclass(frozen=True)
class PlannedJob:
    """A node of the workflow's graph."""

    rule: str
    dataset: str
    method: str
    threads: int
    gpu: int
    memory_mb: float
    needed: bool
    """Whether it would run now."""
    after: tuple[int, ...]
    """Positions of the jobs it waits for."""
    fold: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    """The settings that the job's result depends on."""
    outputs: tuple[str, ...] = ()
    """Files that it writes, relative to the working folder."""

    @property
    def plain_method(self) -> str:
        """The method, whichever of its repeated trainings it is."""
        return split_repeat(self.method)[0]


def read_graph(config_files: Sequence[Path], folder: Path = Path()) -> list[PlannedJob]:
    """The graph as Snakemake plans it in a working folder, for config files laid over the default.

    Raises:
        UserError: where the package came without the workflow, or with what Snakemake says of the config.
    """
    if not (PROJECT / "Snakefile").is_file():
        raise UserError(f"{PROJECT}: no Snakefile here; plan a run with the fersnet of a copy of the whole project")
    read_config(config_files)  # Snakemake would not name the file that is missing or broken
    command = [sys.executable, "-m", "workflow_scripts.plan_jobs", *map(str, config_files)]
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(done.stdout.strip() or "Snakemake cannot plan this config; run `snakemake -n` to see why")
    # A named target has no outputs: nothing runs for it, and nothing waits for it.
    jobs = json.loads(done.stdout.splitlines()[-1])
    order = TopologicalSorter({number: job["after"] for number, job in enumerate(jobs)}).static_order()
    nodes = {number: jobs[number] for number in order if jobs[number]["outputs"]}
    position = {number: place for place, number in enumerate(nodes)}
    return [
        PlannedJob(
            job["rule"],
            job["wildcards"].get("dataset", ""),
            job["wildcards"].get("method", ""),
            job["threads"],
            int(job["gpu"]),
            float(job["memory_mb"]),
            job["needed"],
            tuple(position[other] for other in job["after"]),
            job["wildcards"].get("fold", ""),
            job["params"],
            tuple(job["outputs"]),
        )
        for job in nodes.values()
    ]
