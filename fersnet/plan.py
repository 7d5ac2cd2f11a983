"""What a run will take: time per rule, critical path and length, from the times of an earlier run's jobs."""

import heapq
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import pandas as pd

from fersnet.errors import UserError
from fersnet.report.files import read_jobs

KEYS = (("rule", "dataset", "method"), ("rule", "method"), ("rule", "dataset"), ("rule",))
"""What an earlier job must share with a planned one to stand for it, closest kind first."""


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


def read_graph(config_files: Sequence[Path], project: Path = Path()) -> list[PlannedJob]:
    """The graph as Snakemake plans it, for config files laid over the default.

    Raises:
        UserError: outside a project's folder, or with what Snakemake says of the config.
    """
    if not (project / "Snakefile").is_file():
        raise UserError(f"{project.resolve()}: no Snakefile here; run it in the project's folder")
    for path in config_files:
        if not path.is_file():
            raise UserError(f"{path}: no such config file; check the path given to --configfile")
    command = [sys.executable, "-m", "workflow_scripts.plan_jobs", *map(str, config_files)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise UserError(lines[-1] if lines else "Snakemake cannot plan this config; run `snakemake -n` to see why")
    # A named target has no outputs: nothing runs for it, and nothing waits for it.
    nodes = {number: job for number, job in enumerate(json.loads(done.stdout.splitlines()[-1])) if job["outputs"]}
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
        )
        for job in nodes.values()
    ]


def read_history(results: Path) -> pd.DataFrame:
    """The finished jobs of an earlier run: the columns of `jobs.csv`, with empty text for missing wildcards.

    Raises:
        UserError: if the run has no job list, or none of its jobs finished.
    """
    path = results / "jobs.csv"
    if not path.is_file():
        raise UserError(f"{path}: not there; give --history the folder of a run that has ended, e.g. results/smoke")
    jobs = read_jobs(path)
    finished = jobs[jobs["status"] == "FINISHED"]
    if finished.empty:
        raise UserError(f"{path}: no job of it finished; give --history another run")
    return finished


def estimate_seconds(jobs: Sequence[PlannedJob], history: pd.DataFrame) -> list[float | None]:
    """Seconds of each job: the median of the earlier jobs closest in kind (`KEYS`); None where no such rule ran."""
    medians: dict[tuple[str, ...], float] = {}
    for keys in KEYS:
        for values, group in history.groupby(list(keys)):
            medians[keys + values] = float(group["seconds"].median())
    result = []
    for job in jobs:
        kinds = (keys + tuple(getattr(job, key) for key in keys) for keys in KEYS)
        result.append(next((medians[kind] for kind in kinds if kind in medians), None))
    return result


def remaining_seconds(jobs: Sequence[PlannedJob], seconds: Sequence[float]) -> list[float]:
    """For each job, the longest chain from its start to the end of the run; the largest is the critical path."""
    behind = [0.0] * len(jobs)
    remaining = [0.0] * len(jobs)
    order = TopologicalSorter({number: job.after for number, job in enumerate(jobs)}).static_order()
    for number in reversed(list(order)):
        remaining[number] = seconds[number] + behind[number]
        for other in jobs[number].after:
            behind[other] = max(behind[other], remaining[number])
    return remaining


def run_length(jobs: Sequence[PlannedJob], seconds: Sequence[float], cores: int, gpus: int) -> float:
    """Seconds from start to end when what is free goes to the ready jobs with the longest chains behind them.

    A job takes no more cores or GPUs than there are, as Snakemake has it.
    """
    remaining = remaining_seconds(jobs, seconds)
    needs = [(min(job.threads, cores), min(job.gpu, gpus)) for job in jobs]
    graph = TopologicalSorter({number: job.after for number, job in enumerate(jobs)})
    graph.prepare()
    ready: list[int] = []
    running: list[tuple[float, int]] = []
    now = 0.0
    while graph.is_active():
        ready = sorted((*ready, *graph.get_ready()), key=lambda number: -remaining[number])
        waiting = []
        for number in ready:
            if needs[number][0] <= cores and needs[number][1] <= gpus:
                cores -= needs[number][0]
                gpus -= needs[number][1]
                heapq.heappush(running, (now + seconds[number], number))
            else:
                waiting.append(number)
        ready = waiting
        now, ended = heapq.heappop(running)
        cores += needs[ended][0]
        gpus += needs[ended][1]
        graph.done(ended)
    return now


def summarise(jobs: Sequence[PlannedJob], seconds: Sequence[float | None], history: pd.DataFrame) -> pd.DataFrame:
    """One line per rule, in the graph's order: `jobs`, `core_hours`, `gpu_hours`, `peak_memory_mb`, `source`.

    Memory is the most that an earlier job of the rule took, else what the rule asks for. `source` is `history`, or
    `unknown` where no job of the rule ran before: its hours are left empty, not guessed.
    """
    peaks = history.groupby("rule")["peak_memory_mb"].max()
    frame = pd.DataFrame(
        {
            "rule": job.rule,
            "core_hours": None if known is None else known * job.threads / 3600,
            "gpu_hours": None if known is None else known * job.gpu / 3600,
            "peak_memory_mb": peaks.get(job.rule, job.memory_mb),
            "source": "unknown" if known is None else "history",
        }
        for job, known in zip(jobs, seconds, strict=True)
    )
    groups = frame.groupby("rule", sort=False)
    hours = groups[["core_hours", "gpu_hours"]].sum(min_count=1)
    return hours.assign(
        jobs=groups.size(), peak_memory_mb=groups["peak_memory_mb"].max(), source=groups["source"].first()
    )[["jobs", "core_hours", "gpu_hours", "peak_memory_mb", "source"]].reset_index()


def describe_plan(jobs: Sequence[PlannedJob], history: pd.DataFrame, cores: int, gpus: int) -> str:
    """What the jobs that would run now take, in lines for the terminal: the table, critical path and length."""
    seconds = estimate_seconds(jobs, history)
    left = [(job, value) for job, value in zip(jobs, seconds, strict=True) if job.needed]
    table = summarise([job for job, _ in left], [value for _, value in left], history)
    # What stands already takes no time, and others wait for it no longer.
    known = [(value or 0.0) if job.needed else 0.0 for job, value in zip(jobs, seconds, strict=True)]
    unknown = ", ".join(table.loc[table["source"] == "unknown", "rule"])
    lines = [table.to_string(index=False, float_format="{:.2f}".format, na_rep="-"), ""]
    lines.append(f"{len(left)} jobs to run; times are those of the earlier run and hold for its sizes.")
    if unknown:
        lines.append(f"Not in it, and left out of the times below: {unknown}.")
    lines.append(f"Critical path: {max(remaining_seconds(jobs, known), default=0.0) / 60:.1f} min.")
    length = run_length(jobs, known, cores, gpus) / 60
    lines.append(f"Estimated time on {cores} cores and {gpus} GPUs: {length:.1f} min.")
    return "\n".join(lines)


def compare(jobs: Sequence[PlannedJob], seconds: Sequence[float | None], actual: pd.DataFrame) -> pd.DataFrame:
    """Estimated against actual seconds of a finished run, one line per rule: `jobs`, `estimated`, `actual`, `ratio`."""
    frame = pd.DataFrame({"rule": [job.rule for job in jobs], "estimated": pd.array(seconds, dtype="Float64")})
    groups = frame.groupby("rule", sort=False)
    table = groups["estimated"].sum(min_count=1).to_frame().assign(jobs=groups.size())
    table["actual"] = actual.groupby("rule")["seconds"].sum()
    table["ratio"] = table["actual"] / table["estimated"]
    return table[["jobs", "estimated", "actual", "ratio"]].reset_index()
