"""What happens before the first and after the last job of a run."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from fersnet.errors import UserError
from fersnet.failures import FailedJob, describe_failures
from fersnet.folds import check_chosen, judged_subjects, read_folds
from workflow_scripts.planning.run import Run
from workflow_scripts.progress import ProgressLines, draws_bars

if TYPE_CHECKING:
    from snakemake.workflow import Workflow


def check_job_limits(workflow: "Workflow") -> None:
    """Refuse limits under which the SLURM executor would hold jobs of an array back for ever.

    Its arrays are made of the jobs that Snakemake starts together, and wait for the rule's other jobs that are ready;
    those that a limit on jobs or GPUs keeps back never come.
    """
    if (getattr(workflow.executor_settings, "array_jobs", None) or "none") == "none":
        return
    submitted = [job for job in workflow.dag.needrun_jobs() if not job.is_local]
    gpus = workflow.global_resources.get("gpu")
    for option, needed, limit in (
        ("--jobs ", len(submitted), workflow.resource_settings.nodes),
        ("--resources gpu=", sum(job.resources.gpu for job in submitted), gpus and gpus.value),
    ):
        if limit is not None and limit < needed:
            raise WorkflowError(
                f"{option}{limit} is below the {needed} that this run may submit at once, which job arrays need; "
                f"give {option}{needed}, or go without arrays: --slurm-array-jobs none"
            )


def check_chosen_subjects(workflow: "Workflow", run: Run) -> None:
    """Refuse subjects to be shown who are not there, as soon as that is known: before any job, where the folds stand.

    With folds that are yet to be made, or made again, their check does so.
    """
    made = {str(path) for job in workflow.dag.needrun_jobs() for path in job.output}
    for dataset, chosen in run.settings.report.chosen_subjects.items():
        folds = f"{run.folder}/datasets/{dataset}/folds.csv"
        if f"{run.folder}/figures/synthesis_{dataset}.png" in made and folds not in made:
            try:
                check_chosen(dataset, chosen, judged_subjects(read_folds(Path(folds)), run.synthesis_folds[dataset]))
            except UserError as error:
                raise WorkflowError(str(error)) from None


def say_size(run: Run) -> None:
    """Tell who runs on a copy of his own under the small preset what it trains."""
    own = [key for key, dataset in run.settings.datasets.items() if dataset.root]
    if own and run.settings.preset == "embedded":
        model = run.settings.model
        print(
            f"{', '.join(own)}: `preset: embedded` trains a small network (w = {model.width}, {model.image_size} "
            "pixels); for the published one set `preset: published` (config/paper.yaml)",
            file=sys.stderr,
            flush=True,
        )


def report_progress(workflow: "Workflow") -> None:
    """Print a line per finished job where the logger's bars cannot be seen; Snakemake's own logger prints enough.

    What a logger has no room to write, or cannot show of a failed job without a log, costs no traceback of its own.
    """
    logging.raiseExceptions = False
    if "rich" in workflow.output_settings.log_handler_settings and not draws_bars():
        logger.addHandler(ProgressLines())


def finish_tracking(run: Run) -> None:
    """Mirror all job records and complete jobs.csv with the jobs that came after it."""
    if Path(run.folder, "tracking", "jobs").is_dir():
        subprocess.run([sys.executable, "-m", "fersnet.cli", "sync", run.folder, "--keep-time", "--ended"], check=False)


def say_what_failed(workflow: "Workflow", run: Run) -> None:
    """Name the jobs that failed, and what is missing for it."""
    failed, left = workflow.scheduler.failed, set(workflow.scheduler.remaining_jobs)
    jobs = []
    for job in failed:
        lost = [job, *(other for other in workflow.dag.bfs(workflow.dag.depending, job) if other in left)]
        place = {key: str(job.wildcards.get(key, "")) for key in ("dataset", "method", "fold")}
        missing = tuple(str(path) for one in lost for path in one.output)
        jobs.append(FailedJob(Path(job.log[0]).parent.name, **place, log=str(job.log[0]), missing=missing))
    for line in describe_failures(Path(run.folder), jobs):
        print(line, file=sys.stderr, flush=True)
