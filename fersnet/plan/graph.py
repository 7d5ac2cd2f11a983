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
from fersnet.tuning.draws import split_draw


@dataclass(frozen=True)
class Job:
    """A job of a run that is planned, or was."""

    rule: str
    dataset: str = ""
    method: str = ""
    fold: str = ""
    threads: int = 1
    gpu: int = 0
    memory_mb: float = 0.0
    params: dict[str, Any] = field(default_factory=dict)
    needed: bool = True
    """Whether it would run now."""
    after: Sequence[int] = ()
    """Positions of the jobs it waits for; they stand before it."""
    outputs: Sequence[str] = ()

    @property
    def plain_method(self) -> str:
        """The method, whichever of its repeated trainings or draws it is."""
        return split_repeat(split_draw(self.method)[0])[0]

    @property
    def lanes(self) -> int:
        """What its operations are spread over: CPU threads, or one GPU."""
        return 1 if self.gpu else max(self.threads, 1)


def read_graph(config_files: Sequence[Path], folder: Path = Path()) -> list[Job]:
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
    found = json.loads(done.stdout.splitlines()[-1])
    order = TopologicalSorter({number: job["after"] for number, job in enumerate(found)}).static_order()
    # A named target has no outputs: nothing runs for it, and nothing waits for it.
    place = {number: place for place, number in enumerate(number for number in order if found[number]["outputs"])}
    jobs = []
    for job in (found[number] for number in place):
        wildcards = job.pop("wildcards")
        own = {key: wildcards.get(key, "") for key in ("dataset", "method", "fold")}
        jobs.append(Job(**job | own | {"after": [place[other] for other in job["after"]]}))
    return jobs
