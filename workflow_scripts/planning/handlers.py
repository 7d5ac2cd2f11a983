"""What happens before the first and after the last job of a run."""

import json
import logging
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from fersnet.costs.job import Job
from fersnet.errors import UserError
from fersnet.failures import FailedJob, describe_failures
from fersnet.folds import check_chosen, judged_subjects, read_folds
from fersnet.project import PROJECT
from fersnet.report.run_file import run_file, write_run
from fersnet.tuning.draws import check_search
from workflow_scripts.plan_jobs import described
from workflow_scripts.planning.files import Files
from workflow_scripts.planning.params import dump
from workflow_scripts.planning.progress import ProgressHead, ProgressLines, draws_bars
from workflow_scripts.planning.run import Run
from workflow_scripts.planning.time_left import TimeLeft

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


def check_search_asked_for(workflow: "Workflow", run: Run) -> None:
    """Refuse a search that has nothing to draw, or nobody to read it on; only who asks for one is told."""
    if any(job.rule.name == "tune_choose" for job in workflow.dag.needrun_jobs()):
        try:
            check_search(run.settings)
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


def note_run(run: Run) -> None:
    """Write down beside the results what this run is, for `fersnet report`, `compare` and `export`."""
    files, inside = Files(run), "<results>/"
    tables = [path.removeprefix(inside) for path in files.all_tables(".json")]
    figures = [path.removeprefix(inside) for path in files.all_figures() if path.endswith(".png")]
    write_run(run_file(run.settings, run.fold_counts, run.synthesis_folds, tables, figures), Path(run.folder))


def report_progress(workflow: "Workflow", run: Run) -> None:
    """Show how many of all jobs are done, what runs, and the time left; Snakemake's own logger prints enough.

    What a logger has no room to write, or cannot show of a failed job without a log, costs no traceback of its own.
    """
    logging.raiseExceptions = False
    if "rich" not in workflow.output_settings.log_handler_settings:
        return
    left = _time_left(workflow, run)
    if not draws_bars():
        logger.addHandler(ProgressLines(left))
        return
    for handler in workflow.logger_manager.plugin_handlers:
        live = getattr(handler, "live_display", None)
        panel = live.get_renderable() if live is not None else None
        if hasattr(panel, "title"):
            logger.addHandler(ProgressHead(partial(setattr, panel, "title"), left))


def _time_left(workflow: "Workflow", run: Run) -> TimeLeft | None:
    """What foretells the time left of a run on this machine; its estimates come from a process of their own."""
    cores, earlier = workflow.resource_settings.cores, [run.folder, "results/embedded"]
    known = [folder for folder in earlier if Path(folder, "jobs.csv").is_file()]
    if workflow.remote_exec or workflow.non_local_exec or not cores or not known:
        return None
    needed = [job for job in workflow.dag.needrun_jobs() if job.output]
    numbers = {job: number for number, job in enumerate(needed)}
    jobs = []
    for job in needed:
        places = {key: str(job.wildcards.get(key, "")) for key in ("dataset", "method", "fold")}
        after = sorted(numbers[other] for other in workflow.dag.job_dependencies(job) if other in numbers)
        jobs.append(described(job) | places | {"after": after})
    gpus = workflow.global_resources.get("gpu")
    limits = (cores, int(gpus.value or 0) if gpus else 0)
    by_number = {job.jobid: Job(**one) for job, one in zip(needed, jobs, strict=True)}
    left = TimeLeft(by_number, *limits)
    asked = json.dumps({"config": dump(run.settings), "jobs": jobs, "earlier": known}, default=str)
    Thread(target=_estimate, args=(left, asked), daemon=True).start()
    return left


def _estimate(left: TimeLeft, asked: str) -> None:
    command = [sys.executable, "-m", "workflow_scripts.time_jobs"]
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, input=asked, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:  # The time left is a courtesy: where it cannot be told, nothing else depends on it.
        left.estimate(json.loads(done.stdout))


def finish_tracking(run: Run) -> None:
    """Mirror all job records and complete jobs.csv with the jobs that came after it."""
    if Path(run.folder, "tracking", "jobs").is_dir():
        subprocess.run([sys.executable, "-m", "fersnet.cli", "sync", run.folder, "--keep-time", "--ended"], check=False)


def report_what_is_there(run: Run) -> None:
    """Write the report of a run that did not come to its end; it says what is missing."""
    subprocess.run([sys.executable, "-m", "fersnet.cli", "report", run.folder], check=False)


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
