"""3DCNN: three-dimensional convolutions over a clip, pooling, and a softmax classifier.

M. Liu, S. Li, S. Shan, R. Wang and X. Chen, "Deeply learning deformable facial action parts model for dynamic
expression analysis", ACCV 2014: its baseline without deformable parts, the row "3DCNN" of the tables.

A first layer of 16 filters of 9 x 9 pixels and 3 frames on 64 x 64 clips is as published. The rest are choices, since
no figure for it is known to us: a first step of 2 pixels, later filters of 5 x 5 x 3 and 3 x 3 x 3, doubling in number,
each layer followed by ReLU and maximum pooling (the first over space alone, since clips have few frames), then one
fully connected layer with dropout and the class scores; initial weights as for ReLU networks (He and others).
Deviations: clips are standardised, mirrored at random, and Adam replaces plain gradient descent.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fersnet.baselines.clips import ClipSet
from fersnet.baselines.cnn3d import Cnn3dSettings
from fersnet.baselines.networks import (
    ClipTask,
    NetworkModel,
    all_clips,
    classes_of,
    clip_tensor,
    description,
    initialise,
    seen_classes,
)
from fersnet.seeds import derive_seed
from fersnet.training import loop
from fersnet.training.task import Stage
from fersnet.training.transfer import start_from

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

KEY = "cnn3d"


class Cnn3d(nn.Module):
    """Class scores of clips."""

    def __init__(self, settings: Cnn3dSettings, clip: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        width = settings.width
        layers: list[nn.Module] = []
        channels = 1
        for number, (side, pool) in enumerate(((9, (1, 2, 2)), (5, (2, 2, 2)), (3, (2, 2, 2)))):
            filters = width * 2**number
            step = 2 if number == 0 else 1
            padding = (1, side // 2, side // 2)
            layers += [nn.Conv3d(channels, filters, (3, side, side), stride=(1, step, step), padding=padding)]
            # Rounding up keeps a frame of the shortest clips.
            layers += [nn.ReLU(), nn.MaxPool3d(pool, ceil_mode=True)]
            channels = filters
        self.convolutions = nn.Sequential(*layers)
        with torch.no_grad():
            flat = self.convolutions(torch.zeros(1, 1, *clip)).numel()
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(flat, settings.hidden),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.hidden, classes),
        )
        initialise(self)

    def forward(self, clips: Tensor) -> Tensor:
        """Logits (B, classes) of standardised clips (B, T, H, W)."""
        return self.classifier(self.convolutions(clips[:, None]))


def fit(
    train: ClipSet,
    validation: ClipSet,
    settings: Cnn3dSettings,
    run: "TrainingRun",
    classes: int,
    pretrained: Path | None = None,
) -> NetworkModel:
    """Trains on the training and the validation clips for the scheduled epochs.

    Args:
        pretrained: checkpoint of the same method on another dataset, to start from.

    Raises:
        UserError: for an empty training set, a checkpoint that does not fit, or a loss that is not finite.
    """
    clips = all_clips(train, validation)
    described = run.describing(description(KEY, clips, settings, classes))
    prepared = task(clips, settings, described, classes, pretrained)
    loop.train(prepared, stages(settings, len(clips)), described)
    network = prepared.networks[KEY].eval()
    return NetworkModel(
        lambda batch: network(clip_tensor(batch.clips).to(run.device)), classes, seen_classes(clips, classes)
    )


def task(
    clips: ClipSet, settings: Cnn3dSettings, run: "TrainingRun", classes: int, pretrained: Path | None = None
) -> ClipTask:
    """The network before its first step."""
    frames, height, width = clips.clips.shape[1:]
    torch.manual_seed(derive_seed(run.seed, KEY))
    networks: dict[str, nn.Module] = {KEY: Cnn3d(settings, (frames, height, width), classes)}
    start_from(pretrained, KEY, networks, classes_of(run), by_class=("classifier.4.",))
    return ClipTask(clips, settings, networks, run)


def stages(settings: Cnn3dSettings, samples: int) -> list[Stage]:
    """The training's one stage, on so many clips."""
    return [Stage(KEY, settings.epochs, settings.batch_size, samples)]
