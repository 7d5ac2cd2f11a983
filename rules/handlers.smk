"""What happens before the first and after the last job of a run."""

import subprocess
import sys


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


def finish_tracking():
    """Mirror all job records and complete jobs.csv with the jobs that came after it."""
    if Path(FOLDER, "tracking", "jobs").is_dir():
        subprocess.run([sys.executable, "-m", "fersnet.cli", "sync", FOLDER, "--keep-time", "--ended"], check=False)


onstart:
    check_job_limits()


onsuccess:
    finish_tracking()


onerror:
    finish_tracking()
