"""The order in time: what a graph of jobs takes at least, and on given cores and GPUs."""

import heapq
from collections.abc import Sequence
from graphlib import TopologicalSorter

from fersnet.plan.graph import PlannedJob


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


def critical_path(jobs: Sequence[PlannedJob], seconds: Sequence[float]) -> list[int]:
    """The positions of the jobs on the longest chain, first to last."""
    remaining = remaining_seconds(jobs, seconds)
    after: dict[int, list[int]] = {}
    for number, job in enumerate(jobs):
        for other in job.after:
            after.setdefault(other, []).append(number)
    path: list[int] = []
    waiting = [number for number, job in enumerate(jobs) if not job.after]
    while waiting:
        path.append(max(waiting, key=lambda number: remaining[number]))
        waiting = after.get(path[-1], [])
    return path


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
