"""What happens before the first and after the last job of a run."""

import subprocess
import sys

from snakemake.logging import logger

from fersnet.failures import FailedJob, describe_failures
from workflow_scripts.progress import ProgressLines, draws_bars


def check_job_limits():
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


def say_size():
    """Tell who runs on a copy of his own under the small preset what it trains."""
    own = [key for key, dataset in SETTINGS.datasets.items() if dataset.root]
    if own and SETTINGS.preset == "embedded":
        print(
            f"{', '.join(own)}: `preset: embedded` trains a small network (w = {SETTINGS.model.width}, "
            f"{SETTINGS.model.image_size} pixels); for the published one set `preset: published` (config/paper.yaml)",
            file=sys.stderr,
            flush=True,
        )


def report_progress():
    """Print a line per finished job where the logger's bars cannot be seen; Snakemake's own logger prints enough."""
    if "rich" in workflow.output_settings.log_handler_settings and not draws_bars():
        logger.addHandler(ProgressLines())


def check_chosen_subjects():
    """Refuse subjects to be shown who are not there, as soon as that is known: before any job, where the folds stand.

    With folds that are yet to be made, or made again, their check does so.
    """
    from fersnet.folds import check_chosen, read_folds  # NumPy, which no job's look at the rules needs

    made = {str(path) for job in workflow.dag.needrun_jobs() for path in job.output}
    for dataset, chosen in SETTINGS.report.chosen_subjects.items():
        folds = f"{FOLDER}/datasets/{dataset}/folds.csv"
        if f"{FOLDER}/figures/synthesis_{dataset}.png" in made and folds not in made:
            try:
                check_chosen(dataset, chosen, set(read_folds(Path(folds))["subject"]))
            except UserError as error:
                raise WorkflowError(str(error)) from None


def finish_tracking():
    """Mirror all job records and complete jobs.csv with the jobs that came after it."""
    if Path(FOLDER, "tracking", "jobs").is_dir():
        subprocess.run([sys.executable, "-m", "fersnet.cli", "sync", FOLDER, "--keep-time", "--ended"], check=False)


def say_what_failed():
    """Name the jobs that failed, and what is missing for it."""
    failed, left = workflow.scheduler.failed, set(workflow.scheduler.remaining_jobs)
    jobs = []
    for job in failed:
        lost = [job, *(other for other in workflow.dag.bfs(workflow.dag.depending, job) if other in left)]
        place = {key: str(job.wildcards.get(key, "")) for key in ("dataset", "method", "fold")}
        missing = tuple(str(path) for one in lost for path in one.output)
        jobs.append(FailedJob(Path(job.log[0]).parent.name, **place, log=str(job.log[0]), missing=missing))
    for line in describe_failures(Path(FOLDER), jobs):
        print(line, file=sys.stderr, flush=True)


onstart:
    check_job_limits()
    check_chosen_subjects()
    say_size()
    report_progress()


onsuccess:
    finish_tracking()


onerror:
    finish_tracking()
    say_what_failed()
