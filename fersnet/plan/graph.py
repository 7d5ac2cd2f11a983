"""The jobs of a run, as Snakemake plans them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from fersnet.errors import UserError
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
    """Files that it writes, relative to the project's folder."""

    @property
    def plain_method(self) -> str:
        """The method, whichever of its repeated trainings it is."""
        return split_repeat(self.method)[0]


def read_graph(config_files: Sequence[Path], project: Path = Path()) -> list[PlannedJob]:
    """The graph as Snakemake plans it, for config files laid over the default.

    Raises:
        UserError: outside a project's folder, or with what Snakemake says of the config.
    """
    if not (project / "Snakefile").is_file():
        raise UserError(f"{project.resolve()}: no Snakefile here; run it in the project's folder")
    read_config(config_files)  # Snakemake would not name the file that is missing or broken
    command = [sys.executable, "-m", "workflow_scripts.plan_jobs", *map(str, config_files)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
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
