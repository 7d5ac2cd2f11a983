"""The state of an unfinished training, and its file beside the outputs."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fersnet.errors import UserError
from fersnet.training.checkpoint import read_tensors, write_tensors

if TYPE_CHECKING:
    from fersnet.training.averaging import Averages
    from fersnet.training.task import TrainingTask

logger = logging.getLogger(__name__)

RESUME_FILE = "resume.pt"
LAST_GOOD_FILE = "last_good.pt"


@dataclass
class Progress:
    """How far a training has come: the position of the next step, and what has been gathered on the way."""

    stage: int = 0
    epoch: int = 1
    step: int = 0
    seconds: float = 0.0
    """Time spent in the present epoch."""
    sums: dict[str, float] = field(default_factory=dict)
    """Sum over samples of each loss in the present epoch."""
    weights: dict[str, int] = field(default_factory=dict)
    """Samples behind each sum."""
    history: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What a selection rule has chosen so far, by the rule's name: `networks` and `averaged`, state dicts on the CPU,
    and `at`, where the training was."""

    def add_loss(self, name: str, value: float, samples: int) -> None:
        """Adds the mean loss of a batch."""
        self.sums[name] = self.sums.get(name, 0.0) + value * samples
        self.weights[name] = self.weights.get(name, 0) + samples

    def mean_losses(self) -> dict[str, float]:
        """The mean of each loss over the epoch's samples so far."""
        return {name: self.sums[name] / self.weights[name] for name in self.sums}

    def next_epoch(self, last: bool) -> None:
        """Moves to the start of the next epoch, or of the next stage after its last."""
        self.stage, self.epoch = (self.stage + 1, 1) if last else (self.stage, self.epoch + 1)
        self.step, self.seconds = 0, 0.0
        self.sums, self.weights = {}, {}


def save_progress(
    folder: Path, fingerprint: str, task: "TrainingTask", averages: "Averages", progress: Progress
) -> bool:
    """Writes the resume state atomically; a disk that does not take it costs a warning, not the training."""
    content = {
        "fingerprint": fingerprint,
        "progress": dict(vars(progress)),
        "networks": {name: dict(network.state_dict()) for name, network in task.networks.items()},
        "averaged": averages.states,
        "optimizers": {name: optimizer.state_dict() for name, optimizer in task.optimizers.items()},
        "extra": task.extra_state(),
    }
    try:
        write_tensors(folder / RESUME_FILE, content)
    except UserError as error:
        logger.warning("going on without a fresh resume state: %s", error)
        return False
    return True


def load_progress(folder: Path, fingerprint: str, task: "TrainingTask", averages: "Averages") -> Progress | None:
    """Puts a task and its averages back to where an earlier run stopped.

    Returns:
        None, with a line in the log, if there is no usable state.

    Raises:
        UserError: if the state carries the right fingerprint and yet does not fit the task.
    """
    path = folder / RESUME_FILE
    if not path.exists():
        return None
    try:
        content = read_tensors(path)
    except UserError as error:
        logger.warning("starting afresh: %s", error)
        return None
    if not isinstance(content, dict) or content.get("fingerprint") != fingerprint:
        logger.info("starting afresh: %s is of another configuration or code version", path)
        return None
    try:
        progress = Progress(**content["progress"])
        for name, network in task.networks.items():
            network.load_state_dict(content["networks"][name])
        averages.load(content["averaged"])
        for name, optimizer in task.optimizers.items():
            optimizer.load_state_dict(content["optimizers"][name])
        task.load_extra_state(content["extra"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{path}: does not fit this training; delete it and run again") from error
    logger.info("going on from epoch %d, step %d (%s)", progress.epoch, progress.step, path)
    return progress


def discard(folder: Path) -> None:
    """Removes the resume state and what a failed run may have left beside it."""
    for name in (RESUME_FILE, LAST_GOOD_FILE):
        (folder / name).unlink(missing_ok=True)
        (folder / f"{name}.part").unlink(missing_ok=True)
