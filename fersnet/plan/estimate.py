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
CPU_PACE = (35e-6, 100e9)
"""Where no earlier job tells: seconds that a call of a tensor operation takes beside its arithmetic, and floating-point
operations per second of one thread. Between two servers: on the slower, the trainings of the embedded default and of
the study fit 44e-6 and 96e9, all but the judge and those on volumes within a third (volumes take two to three times as
long); the faster takes 0.6 of that time."""
GPU_PACE = (20e-6, 50e12)
"""The same on a GPU with tensor cores. Not measured here."""
IDLE_MEMORY_MB = 520.0
"""What a training job holds before it trains, where no earlier job tells: the interpreter and its libraries."""

START_SECONDS = 2.5
"""What a job takes before its first useful work, which its record does not count (`benchmarks/workflow.py`), and about
what it takes after that whatever its data."""
SAME_SIZE = 0.02
"""Largest relative difference in work that still counts as the same size: a set has its rejected sequences."""

Source = Literal["history", "scaled", "other method", "counted", "unknown"]
SOURCES: dict[str, str] = {
    "history": "the median of the earlier jobs of this kind, with as many operations (trainings) or sequences (others)",
    "scaled": "the same, carried over to other numbers of calls and operations, or of sequences",
    "other method": "the median of the rule's other methods: a guess",
    "counted": "tensor calls and arithmetic at the pace of the earlier run's other trainings, or at a default pace",
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
    sequences: float | None
    cost: TrainingCost | None

    @property
    def lanes(self) -> int:
        """What its operations are spread over: CPU threads, or one GPU."""
        return 1 if self.on_gpu else max(self.threads, 1)


def estimate(jobs: Sequence[PlannedJob], sizes: RunSizes, history: History | None) -> list[Estimate]:
    """Time and memory of each job, in the order given."""
    past = _past_jobs(history) if history is not None else []
    return [_estimate(job, sizes, past) for job in jobs]


def _estimate(job: PlannedJob, sizes: RunSizes, past: Sequence[_Past]) -> Estimate:
    cost = training_cost(job.rule, job.dataset, job.fold, job.params, sizes)
    if cost is not None:
        return _training(job, cost, [one for one in past if one.cost is not None and one.on_gpu == (job.gpu > 0)])
    kind, group = _closest(job, [one for one in past if one.cost is None])
    if not group:
        return Estimate(None, "unknown", job.memory_mb)
    sequences = _sequences(job.dataset, sizes)
    scales = [sequences / one.sequences if sequences and one.sequences else 1.0 for one in group]
    seconds = median(_scaled(one.seconds, scale) for one, scale in zip(group, scales, strict=True))
    same_size = all(abs(scale - 1) < SAME_SIZE for scale in scales)
    same_method = "method" in kind or not job.method
    source: Source = "other method" if not same_method else "history" if same_size else "scaled"
    return Estimate(seconds, source, max(one.memory_mb for one in past if one.rule == job.rule))


def _scaled(seconds: float, scale: float) -> float:
    """A job's time on other data: its first seconds stay."""
    fixed = min(seconds, START_SECONDS)
    return fixed + (seconds - fixed) * scale


def _training(job: PlannedJob, cost: TrainingCost, past: Sequence[_Past]) -> Estimate:
    """A training takes its arithmetic over a rate, and for each of its tensor calls a time of its method's own.

    Narrow networks spend most of a step on what their arithmetic does not explain, so that neither alone carries a
    time over to a wide one. The rate is the best that any earlier training reached, or the default.
    """
    default_rest, default_rate = GPU_PACE if job.gpu else CPU_PACE
    rate = max([default_rate, *(one.cost.flop / one.seconds / one.lanes for one in past if one.cost and one.seconds)])
    kind, group = _closest(job, past)
    same_method = bool(group) and ("method" in kind or not job.method)
    alike = group if same_method else past
    rests = [(one.seconds - one.cost.flop / rate / one.lanes) / one.cost.calls for one in alike if one.cost]
    lanes = 1 if job.gpu else max(job.threads, 1)
    seconds = cost.calls * (median(rests) if rests else default_rest) + cost.flop / rate / lanes
    memory = _idle_memory(past) + cost.step_bytes / 1e6
    if not same_method:
        return Estimate(seconds, "counted", memory, cost)
    if all(_same_size(one.cost, cost) for one in alike if one.cost):
        return Estimate(seconds, "history", max(one.memory_mb for one in alike), cost)
    return Estimate(seconds, "scaled", memory, cost)


def _same_size(one: TrainingCost, other: TrainingCost) -> bool:
    return all(abs(a / b - 1) < SAME_SIZE for a, b in ((one.flop, other.flop), (one.calls, other.calls)))


def _closest(job: PlannedJob, past: Sequence[_Past]) -> tuple[tuple[str, ...], list[_Past]]:
    own = {"rule": job.rule, "dataset": job.dataset, "method": job.plain_method}
    for keys in KEYS:
        group = [one for one in past if all(getattr(one, key) == own[key] for key in keys)]
        if group:
            return keys, group
    return (), []


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
            cost = training_cost(rule, dataset, fold, dict(params), history.sizes) if params else None
        except (ValidationError, KeyError):
            # Its settings are of another version; what it trained cannot be counted any more.
            unknown.add(rule)
            continue
        jobs.append(
            _Past(
                rule,
                dataset,
                split_repeat(method)[0],
                float(row["seconds"]),
                float(row["peak_memory_mb"]),
                int(row.get("threads", 1)),
                str(row["device"]).startswith("cuda"),
                _sequences(dataset, history.sizes),
                cost,
            )
        )
    if unknown:
        rules = ", ".join(sorted(unknown))
        logger.warning("left out of the earlier run, since its settings are of another version: %s", rules)
    return jobs
