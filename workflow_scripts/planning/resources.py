"""What jobs need of a host, by class of work."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snakemake.io import Wildcards


def needs(megabytes: int, minutes: int, gpus: int | Callable[["Wildcards"], int] = 0) -> dict[str, Any]:
    """Resources of a class of work; a retry gets more memory."""
    return {"gpu": gpus, "mem_mb": lambda wildcards, attempt: megabytes * attempt, "runtime": minutes}


def training_minutes(epochs: int) -> int:
    """A generous limit for a training job, from its number of epochs at full size."""
    return max(60, 2 * epochs)
