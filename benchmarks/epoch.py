"""Share of an epoch that FERSNet's networks take at the embedded default's size: at least 90 %.

The rest is drawing targets, cutting faces, seeding, reading losses, keeping the last good state and writing files. One
training of a few epochs runs in the shared loop as in the workflow, on one thread and invented faces; the networks'
time is that of the training steps without their draws and cuts.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from fersnet.expressions import SIX
from fersnet.models.discriminator import Discriminator
from fersnet.models.fersnet import FERSNet
from fersnet.models.light_cnn import LightCNN9
from fersnet.settings.load import load_settings
from fersnet.training import fersnet_task
from fersnet.training.device import choose_precision
from fersnet.training.invented import invented_faces
from fersnet.training.loop import train
from fersnet.training.task import Stage, TrainingRun

SUBJECTS, FACES_EACH = 10, 3
"""As in a training fold of the default's Oulu-CASIA."""


class Clock:
    """Sums the time of the calls of functions, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time added to `name`."""

        def run(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

        return run


def network_share(epochs: int) -> float:
    """The networks' share of a training's time, its files included."""
    settings, clock = load_settings({"preset": "embedded"}, []), Clock()
    model, channels = settings.model, settings.faces.channels
    # The loop calls these by their names in the task's module.
    for name in ("crop_and_flip", "draw_targets"):
        setattr(fersnet_task, name, clock.timed("data", getattr(fersnet_task, name)))
    with tempfile.TemporaryDirectory() as folder:
        device = torch.device("cpu")
        precision = choose_precision(settings.precision, device, model.width)
        run = TrainingRun(Path(folder), 0, device, "benchmark", precision=precision)
        task = fersnet_task.FERSNetTask(
            invented_faces(SUBJECTS * FACES_EACH * len(SIX), settings.faces.size, channels, people=SUBJECTS),
            FERSNet(model.width, model.image_size, channels, len(SIX)),
            Discriminator(model.width, channels, len(SIX)),
            LightCNN9(settings.identity.width, settings.identity.image_size, SUBJECTS),
            settings.losses,
            settings.training,
            run,
        )
        task.training_step = clock.timed("step", task.training_step)  # type: ignore[method-assign]
        stage = Stage("training", epochs, settings.training.batch_size, len(task.faces))
        clock.timed("training", train)(task, [stage], run)
    return (clock.seconds["step"] - clock.seconds["data"]) / clock.seconds["training"]


def main() -> None:
    """Print the share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    share = network_share(arguments.epochs)
    if arguments.json:
        print(json.dumps({"network_share": round(share, 4)}))
    else:
        print(f"networks' share of a FERSNet training at the default's size: {share:.1%} (at least 90 %)")


if __name__ == "__main__":
    main()
