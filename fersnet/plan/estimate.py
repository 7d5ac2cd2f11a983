"""From work to time and memory: what each job of a plan takes, and where that estimate comes from."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from pydantic import ValidationError

from fersnet.plan.cost import TrainingCost, training_cost
from fersnet.plan.graph import PlannedJob
from fersnet.plan.history import History
from fersnet.plan.sizes import RunSizes
from fersnet.repeats import split_repeat

logger = logging.getLogger(__name__)

KEYS = (("rule", "dataset", "method"), ("rule", "method"), ("rule", "dataset"), ("rule",))
"""What an earlier job must share with a planned one to stand for it, closest kind first."""
CPU_RATE = 10e9
"""Operations per second of one thread in a training, where no earlier job tells: two thirds of what the networks of
the default run reach on one core of 2020s hardware."""
GPU_RATE = 10e12
"""Operations per second of a GPU in a training with batches of the published size, where no earlier job tells."""
IDLE_MEMORY_MB = 520.0
"""What a training job holds before it trains, where no earlier job tells: the interpreter and its libraries."""

SAME_SIZE = 0.02
"""Largest relative difference in work that still counts as the same size: a set has its rejected sequences."""

Source = Literal["history", "scaled", "other method", "counted", "unknown"]
SOURCES: dict[str, str] = {
    "history": "the median of the earlier jobs of this kind, with as many operations (trainings) or sequences (others)",
    "scaled": "the same, in proportion to operations or sequences",
    "other method": "the median of the rule's other methods: a guess",
    "counted": "operations over the rate of other trainings, or a default rate",
    "unknown": "no earlier job and nothing to count: left out of all times",
}


@dataclass(frozen=True)
class Estimate:
    """What a job will take."""

    seconds: float | None
    """None where nothing is known."""
    source: Source
    memory_mb: float
    cost: TrainingCost | None = None
    """Of a training of networks."""


@dataclass(frozen=True)
class _Past:
    """An earlier job."""

    rule: str
    dataset: str
    method: str
    seconds: float
    memory_mb: float
    threads: int
    on_gpu: bool
    work: float | None
    cost: TrainingCost | None


def estimate(jobs: Sequence[PlannedJob], sizes: RunSizes, history: History | None) -> list[Estimate]:
    """Time and memory of each job, in the order given."""
    past = _past_jobs(history) if history is not None else []
    return [_estimate(job, sizes, past) for job in jobs]


def _estimate(job: PlannedJob, sizes: RunSizes, past: Sequence[_Past]) -> Estimate:
    cost = training_cost(job.rule, job.dataset, job.method, job.fold, job.params, sizes)
    work = cost.flop if cost is not None else _sequences(job.dataset, sizes)
    alike = [one for one in past if (one.cost is None) == (cost is None)]
    kind, group = _closest(job, alike)
    if cost is not None:
        group = [one for one in group if one.on_gpu == (job.gpu > 0)]
    if not group:
        if cost is None:
            return Estimate(None, "unknown", job.memory_mb)
        seconds = cost.flop / _rate(job, alike)
        return Estimate(seconds, "counted", _idle_memory(alike) + cost.step_bytes / 1e6, cost)
    same_method = "method" in kind or not job.method
    threads = max(job.threads, 1) if cost is not None and not job.gpu else 1
    scales = [_scale(one, work) * (one.threads if threads > 1 else 1) / threads for one in group]
    seconds = median(one.seconds * scale for one, scale in zip(group, scales, strict=True))
    same_size = all(abs(scale - 1) < SAME_SIZE for scale in scales)
    source: Source = "other method" if not same_method else "history" if same_size else "scaled"
    if cost is not None and not same_method:
        source = "counted"
    memory = max(one.memory_mb for one in past if one.rule == job.rule)
    if cost is not None and source != "history":
        memory = _idle_memory(alike) + cost.step_bytes / 1e6
    return Estimate(seconds, source, memory, cost)


def _scale(one: _Past, work: float | None) -> float:
    return work / one.work if work and one.work else 1.0


def _closest(job: PlannedJob, past: Sequence[_Past]) -> tuple[tuple[str, ...], list[_Past]]:
    own = {"rule": job.rule, "dataset": job.dataset, "method": job.plain_method}
    for keys in KEYS:
        group = [one for one in past if all(getattr(one, key) == own[key] for key in keys)]
        if group:
            return keys, group
    return (), []


def _rate(job: PlannedJob, past: Sequence[_Past]) -> float:
    """Operations per second of the job: as in other trainings on the same kind of device, or the default."""
    rates = [
        one.cost.flop / one.seconds / (1 if one.on_gpu else one.threads)
        for one in past
        if one.cost is not None and one.seconds > 0 and one.on_gpu == (job.gpu > 0)
    ]
    if job.gpu:
        return median(rates) if rates else GPU_RATE
    return (median(rates) if rates else CPU_RATE) * max(job.threads, 1)


def _idle_memory(past: Sequence[_Past]) -> float:
    found = [one.memory_mb - one.cost.step_bytes / 1e6 for one in past if one.cost is not None and not one.on_gpu]
    return median(found) if found else IDLE_MEMORY_MB


def _sequences(dataset: str, sizes: RunSizes) -> float | None:
    return float(sizes.sequences(dataset)) or None if dataset else None


def _past_jobs(history: History) -> list[_Past]:
    jobs: list[_Past] = []
    unknown: set[str] = set()
    for row in history.jobs.to_dict("records"):
        params: Mapping[str, Any] = history.params.get(str(row.get("job_key", "")), {})
        rule, dataset, method, fold = (str(row[key]) for key in ("rule", "dataset", "method", "fold"))
        try:
            cost = training_cost(rule, dataset, method, fold, dict(params), history.sizes) if params else None
        except (ValidationError, KeyError):
            # Its settings are of another version; what it trained cannot be counted any more.
            unknown.add(rule)
            continue
        work = cost.flop if cost is not None else _sequences(dataset, history.sizes)
        jobs.append(
            _Past(
                rule,
                dataset,
                split_repeat(method)[0],
                float(row["seconds"]),
                float(row["peak_memory_mb"]),
                int(row.get("threads", 1)),
                str(row["device"]).startswith("cuda"),
                work,
                cost,
            )
        )
    if unknown:
        rules = ", ".join(sorted(unknown))
        logger.warning("left out of the earlier run, since its settings are of another version: %s", rules)
    return jobs
