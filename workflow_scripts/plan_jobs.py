"""The jobs of a run as Snakemake itself plans them, printed as JSON; nothing is run.

`python -m workflow_scripts.plan_jobs [config files laid over the default]`, in the folder of the run; what is wrong
with the config comes on the standard output, too (exit status 1).

This is no rule's script. It stands here because the package knows nothing of Snakemake, and `fersnet plan` runs it.
Snakemake's interface for programs plans a run but hands out no graph, and what it prints leaves things out: `--d3dag`
wildcards, threads, resources and params, a dry run the jobs that stand already. So the graph is taken from the
interface's `_workflow`, the one private name used; a test of the smoke config's plan fails where that changes.
"""

import json
import sys
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.exceptions import WorkflowError
from snakemake.settings.enums import Quietness
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, RerunTrigger, ResourceSettings

from fersnet.project import PROJECT

TRIGGERS = {RerunTrigger.MTIME, RerunTrigger.PARAMS, RerunTrigger.INPUT, RerunTrigger.SOFTWARE_ENV}
"""As in both profiles, which Snakemake's interface for programs does not read."""


def described(job: Any) -> dict[str, Any]:
    """A job of Snakemake's as the plan takes it, apart from its place in the graph."""
    return {
        # The log stands under the rule's own name, whatever another workflow or a number of folds makes of it.
        "rule": Path(job.log[0]).parent.name if job.log else job.rule.name,
        "threads": job.threads,
        "gpu": job.resources.get("gpu", 0),
        "memory_mb": job.resources.get("mem_mb", 0),
        "params": dict(job.params.items()),
        "outputs": [str(path) for path in job.output],
    }


def plan_jobs(config_files: list[Path], cores: int = 1000) -> list[dict[str, Any]]:
    """Every job of the graph; `needed` says whether it would run now, `after` which jobs it waits for."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=cores),
            config_settings=ConfigSettings(configfiles=config_files),
            snakefile=PROJECT / "Snakefile",
        )
        workflow.dag(DAGSettings(rerun_triggers=TRIGGERS, force_incomplete=True)).execute_workflow(executor="dryrun")
        dag = workflow._workflow.dag
        numbers = {job: number for number, job in enumerate(dag.jobs)}
        return [
            described(job)
            | {"wildcards": dict(job.wildcards.items()), "needed": dag.needrun(job)}
            | {"after": sorted(map(numbers.__getitem__, dag.job_dependencies(job)))}
            for job in numbers
        ]


if __name__ == "__main__":
    try:
        print(json.dumps(plan_jobs([Path(word) for word in sys.argv[1:]]), default=str))
    except WorkflowError as error:
        print(error)
        sys.exit(1)
