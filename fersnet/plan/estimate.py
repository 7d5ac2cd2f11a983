"""From work to time and memory: what each job of a plan takes, and where that estimate comes from."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from pydantic import ValidationError

from fersnet.costs.counting import TrainingCost, training_cost
from fersnet.costs.job import Job
from fersnet.costs.sizes import RunSizes
from fersnet.errors import UserError
from fersnet.plan.history import History

logger = logging.getLogger(__name__)

KEYS = (("rule", "dataset", "plain_method"), ("rule", "plain_method"), ("rule", "dataset"), ("rule",))
"""What an earlier job must share with a planned one to stand for it, closest kind first."""
CPU_PACE, GPU_PACE = (75e-6, 95e9), (23e-6, 47e12)
"""Where no earlier job tells: seconds of a call of a tensor operation beside its arithmetic, and floating-point
operations per second, of one thread and of a GPU. The CPU's are of the slower of two servers: the trainings of the
embedded default fit them within two fifths, but for those of a few seconds; the faster takes 0.6 of that time. The
GPU's are an H200's time of a launched call, and an H100's fp32 rate: recorded steps take less (docs/speed.md)."""
IDLE_MEMORY_MB = 520.0
"""What a training job holds before it trains, where no earlier job tells: the interpreter and its libraries."""
START_SECONDS = 2.5
"""What a job takes before its first useful work, which its record does not count (`benchmarks/workflow.py`), and about
what it takes after that whatever its data."""
SAME_SIZE = 0.02
"""Largest relative difference in work that still counts as the same size: a set has its rejected sequences."""
SOURCES = {
    "history": "the median of the earlier jobs of this kind, with as many operations (trainings) or sequences (others)",
    "scaled": "the same, carried over to other numbers of calls and operations, or of sequences",
    "other method": "the median of the rule's other methods: a guess",
    "counted": "tensor calls and arithmetic at the pace of the earlier run's other trainings, or at a default pace",
    "unknown": "no earlier job and nothing to count: left out of all times",
}


@dataclass(frozen=True)
class Estimate:
    """What a job will take, or took."""

    job: Job
    seconds: float | None
    """None where nothing is known."""
    source: str
    """Of `SOURCES`."""
    memory_mb: float
    cost: TrainingCost | None = None
    """Of a training of networks."""


def estimate(jobs: Sequence[Job], sizes: RunSizes, history: History | None) -> list[Estimate]:
    """Time and memory of each job, in the order given."""
    past = [] if history is None else past_jobs(history)
    found = []
    for job in jobs:
        cost = training_cost(job, sizes)
        alike = [one for one in past if (one.cost is None) == (cost is None)]
        found.append(_other(job, alike, sizes, history) if cost is None else _training(job, cost, alike))
    return found


def past_jobs(history: History) -> list[Estimate]:
    """What the jobs of an earlier run took; those of another version of their settings are left out with a line."""
    past, unknown = [], set()
    for one in history.jobs:
        gpu = int(one.device.startswith("cuda"))
        job = Job(one.rule, one.dataset, one.method, one.fold, one.threads, gpu, params=one.params)
        try:
            cost = training_cost(job, history.sizes)
            past.append(Estimate(job, one.seconds, "history", one.peak_memory_mb or 0.0, cost))
        except (ValidationError, KeyError, UserError):
            unknown.add(one.rule)
    if unknown:
        rules = ", ".join(sorted(unknown))
        logger.warning("left out of the earlier run, since its settings are of another version: %s", rules)
    return past


def _other(job: Job, past: Sequence[Estimate], sizes: RunSizes, history: History | None) -> Estimate:
    """A job that trains no network takes the median of those before it, beyond its start scaled by the sequences."""
    group, same_method = _closest(job, past)
    if history is None or not group:
        return Estimate(job, None, "unknown", job.memory_mb)
    seconds, scales = [], []
    for one in group:
        now = sizes.sequences(job.dataset) * _folds(job)
        then = history.sizes.sequences(one.job.dataset) * _folds(one.job)
        scales.append(now / then if now and then else 1.0)
        fixed = min(one.seconds, START_SECONDS)
        seconds.append(fixed + (one.seconds - fixed) * scales[-1])
    same_size = all(_same(scale, 1) for scale in scales)
    source = "other method" if not same_method else "history" if same_size else "scaled"
    return Estimate(job, median(seconds), source, max(one.memory_mb for one in past if one.job.rule == job.rule))


def _folds(job: Job) -> int:
    """How many folds a job does where the run's settings say that."""
    return len(job.params.get("folds", (job.fold,)))


def _training(job: Job, cost: TrainingCost, past: Sequence[Estimate]) -> Estimate:
    """A training takes its arithmetic over a rate, and for each of its tensor calls a time of its method's own.

    Narrow networks spend most of a step on what their arithmetic does not explain, so that neither alone carries a
    time over to a wide one. The rate is the best that any earlier training reached, or the default.
    """
    past = [one for one in past if bool(one.job.gpu) == bool(job.gpu)]
    default_rest, rate = GPU_PACE if job.gpu else CPU_PACE
    rate = max([rate, *(one.cost.flop / one.seconds / one.job.lanes for one in past if one.seconds)])
    group, same_method = _closest(job, past)
    alike = group if same_method else past
    rests = [(one.seconds - one.cost.flop / rate / one.job.lanes) / one.cost.calls for one in alike]
    idle = [one.memory_mb - one.cost.step_bytes / 1e6 for one in past if not job.gpu]
    seconds = cost.calls * (median(rests) if rests else default_rest) + cost.flop / rate / job.lanes
    memory = (median(idle) if idle else IDLE_MEMORY_MB) + cost.step_bytes / 1e6
    if not same_method:
        return Estimate(job, seconds, "counted", memory, cost)
    if all(_same(one.cost.flop, cost.flop) and _same(one.cost.calls, cost.calls) for one in group):
        return Estimate(job, seconds, "history", max(one.memory_mb for one in group), cost)
    return Estimate(job, seconds, "scaled", memory, cost)


def _closest(job: Job, past: Sequence[Estimate]) -> tuple[list[Estimate], bool]:
    """The earlier jobs that stand for a job, and whether they are of its method."""
    for keys in KEYS:
        group = [one for one in past if all(getattr(one.job, key) == getattr(job, key) for key in keys)]
        if group:
            return group, "plain_method" in keys or not job.method
    return [], False


def _same(one: float, other: float) -> bool:
    return abs(one / other - 1) < SAME_SIZE
