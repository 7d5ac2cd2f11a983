"""The jobs of a run, as Snakemake plans them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path

from fersnet.costs.job import Job
from fersnet.errors import UserError
from fersnet.project import PROJECT
from fersnet.settings.load import read_config


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
