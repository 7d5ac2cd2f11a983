"""What happens before the first and after the last job of a run."""

import logging
import subprocess
import sys

from snakemake.logging import logger

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


def report_progress():
    """Print a line per finished job where the logger's bars cannot be seen; Snakemake's own logger prints enough.

    What a logger has no room to write, or cannot show of a failed job without a log, costs no traceback of its own.
    """
    logging.raiseExceptions = False
    if "rich" in workflow.output_settings.log_handler_settings and not draws_bars():
        logger.addHandler(ProgressLines())


def finish_tracking():
    """Mirror all job records and complete jobs.csv with the jobs that came after it."""
    if Path(f"{RESULTS}/tracking/jobs").is_dir():
        subprocess.run([sys.executable, "-m", "fersnet.cli", "sync", RESULTS, "--keep-time", "--ended"], check=False)


onstart:
    check_job_limits()
    report_progress()


onsuccess:
    finish_tracking()


onerror:
    finish_tracking()
