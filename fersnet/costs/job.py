"""A job of a run, as it is planned or was."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fersnet.repeats import split_repeat
from fersnet.tuning.draws import split_draw


@dataclass(frozen=True)
class Job:
    """A job of a run that is planned, or was."""

    rule: str
    dataset: str = ""
    method: str = ""
    fold: str = ""
    threads: int = 1
    gpu: int = 0
    memory_mb: float = 0.0
    params: dict[str, Any] = field(default_factory=dict)
    needed: bool = True
    """Whether it would run now."""
    after: Sequence[int] = ()
    """Positions of the jobs it waits for; they stand before it."""
    outputs: Sequence[str] = ()

    @property
    def plain_method(self) -> str:
        """The method, whichever of its repeated trainings or draws it is."""
        return split_repeat(split_draw(self.method)[0])[0]

    @property
    def lanes(self) -> int:
        """What its operations are spread over: CPU threads, or one GPU."""
        return 1 if self.gpu else max(self.threads, 1)
