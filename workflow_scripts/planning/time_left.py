"""How long a run that is on will still take: from its plan, and from how the jobs so far kept to it."""

import time
from collections.abc import Callable, Mapping, Sequence

from fersnet.costs.job import Job
from fersnet.plan.schedule import run_length

ENOUGH = 3
"""Finished jobs after which it counts how much faster or slower than estimated they were."""
FARTHEST = 10.0
"""No factor beyond this, or its inverse, is believed."""


class TimeLeft:
    """The time left of a run, by the numbers that its jobs have in the workflow."""

    def __init__(
        self,
        jobs: Mapping[int, Job],
        cores: int,
        gpus: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._numbers = list(jobs)
        self._jobs = list(jobs.values())
        self._cores, self._gpus, self._clock = cores, gpus, clock
        self._seconds: Sequence[float] | None = None
        self._started: dict[int, float] = {}
        self._taken: dict[int, float] = {}

    def estimate(self, seconds: Sequence[float]) -> None:
        """Take the estimates, in the order of the jobs; until then nothing is foretold."""
        self._seconds = seconds

    def start(self, number: int) -> None:
        """A job has started."""
        self._started[number] = self._clock()

    def finish(self, number: int) -> None:
        """A job has finished."""
        now = self._clock()
        self._taken[number] = now - self._started.pop(number, now)

    def seconds(self) -> float | None:
        """The time left; None while there are no estimates."""
        if self._seconds is None:
            return None
        now, factor, left = self._clock(), self._factor(self._seconds), []
        for number, seconds in zip(self._numbers, self._seconds, strict=True):
            running = now - self._started.get(number, now)
            left.append(0.0 if number in self._taken else max(0.0, seconds * factor - running))
        return run_length(self._jobs, left, self._cores, self._gpus)

    def words(self) -> str:
        """The time left in words, empty where it is not known."""
        seconds = self.seconds()
        if seconds is None:
            return ""
        if seconds < 90:
            return "about a minute left"
        return f"about {seconds / 60:.0f} min left" if seconds < 2 * 3600 else f"about {seconds / 3600:.1f} h left"

    def _factor(self, seconds: Sequence[float]) -> float:
        estimated = dict(zip(self._numbers, seconds, strict=True))
        known = [number for number in self._taken if estimated.get(number)]
        if len(known) < ENOUGH:
            return 1.0
        factor = sum(self._taken[number] for number in known) / sum(estimated[number] for number in known)
        return min(max(factor, 1 / FARTHEST), FARTHEST)
