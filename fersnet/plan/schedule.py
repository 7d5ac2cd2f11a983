"""The order in time: what a graph of jobs takes at least, and on given cores and GPUs."""

import heapq
from collections.abc import Sequence
from graphlib import TopologicalSorter

from fersnet.costs.job import Job


def remaining_seconds(jobs: Sequence[Job], seconds: Sequence[float]) -> list[float]:
    """For each job, the longest chain from its start to the end of the run; the largest is the critical path."""
    remaining = list(seconds)
    behind = [0.0] * len(jobs)
    for number in reversed(range(len(jobs))):
        remaining[number] += behind[number]
        for other in jobs[number].after:
            behind[other] = max(behind[other], remaining[number])
    return remaining


def critical_path(jobs: Sequence[Job], seconds: Sequence[float]) -> list[int]:
    """The positions of the jobs on the longest chain, first to last."""
    remaining = remaining_seconds(jobs, seconds)
    path: list[int] = []
    following = list(range(len(jobs)))
    while following:
        path.append(max(following, key=remaining.__getitem__))
        following = [number for number, job in enumerate(jobs) if path[-1] in job.after]
    return path


def run_length(jobs: Sequence[Job], seconds: Sequence[float], cores: int, gpus: int) -> float:
    """Seconds from start to end when what is free goes to the ready jobs with the longest chains behind them.

    A job takes no more cores or GPUs than there are, as Snakemake has it.
    """
    remaining = remaining_seconds(jobs, seconds)
    needs = [(min(job.threads, cores), min(job.gpu, gpus)) for job in jobs]
    graph = TopologicalSorter({number: job.after for number, job in enumerate(jobs)})
    graph.prepare()
    waiting: list[int] = []
    running: list[tuple[float, int]] = []
    now = 0.0
    while graph.is_active():
        ready = sorted((*waiting, *graph.get_ready()), key=lambda number: -remaining[number])
        waiting = []
        for number in ready:
            job_cores, job_gpus = needs[number]
            if job_cores <= cores and job_gpus <= gpus:
                cores, gpus = cores - job_cores, gpus - job_gpus
                heapq.heappush(running, (now + seconds[number], number))
            else:
                waiting.append(number)
        now, ended = heapq.heappop(running)
        cores, gpus = cores + needs[ended][0], gpus + needs[ended][1]
        graph.done(ended)
    return now
