"""LBVCNN: convolutions with fixed sparse filters on three orientations of a clip, joined by a classifier.

S. Kumawat, M. Verma and S. Raman, "LBVCNN: Local binary volume convolutional neural network for facial expression
recognition from image sequences", arXiv 1904.07647, 2019.

A local-binary-volume layer convolves with fixed filters of 3 x 3 x 3 weights -1, 0, +1, applies a non-linearity, and
mixes the responses with a learned 1 x 1 x 1 convolution, so it trains 27 times fewer weights than a convolution of that
size. Three networks of such layers see the clip along XY, XT and YT: the axis that a network does not span takes the
part that time has in the first. Their features are joined by a classifier.

Choices, since the layer sizes are not known to us: three layers of doubling width, each after batch normalisation, with
ReLU on the fixed responses and maximum pooling over y and x between them, at half the clip's resolution; means over 4 x
4 regions of the face and 2 of time, normalised by channel, lead to the hidden units; the joint classifier trains on
those of the frozen networks; initial weights as for ReLU networks (He and others). `density` is the chance that a fixed
weight is non-zero, drawn independently (a released two-dimensional counterpart draws positions with replacement, so
that its "sparsity 0.9" leaves about 59 % non-zero).
The filters are buffers, drawn from the seed and kept in the checkpoint.
Deviations: clips are standardised and mirrored at random, and Adam is the optimizer.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.baselines.clips import ClipSet
from fersnet.baselines.lbvcnn import LbvcnnSettings
from fersnet.baselines.networks import (
    ClipTask,
    NetworkModel,
    all_clips,
    classes_of,
    clip_tensor,
    description,
    initialise,
    mirrored,
    seen_classes,
)
from fersnet.seeds import derive_seed
from fersnet.training import loop
from fersnet.training.task import Stage, learning_rate_at, set_learning_rate
from fersnet.training.transfer import start_from

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

PLANES: dict[str, tuple[int, int, int]] = {"xy": (0, 1, 2), "xt": (1, 0, 2), "yt": (2, 0, 1)}
"""Order of the axes (time, y, x) of a clip that each network sees: across the plane, then the plane's two."""
REGIONS = (2, 4, 4)
"""Parts of time, y and x over which a network's last layer is averaged."""


class LocalBinaryVolume(nn.Module):
    """Fixed sparse filters, ReLU, and a learned mixture of the responses."""

    def __init__(self, channels: int, width: int, settings: LbvcnnSettings) -> None:
        super().__init__()
        shape = (settings.fixed_filters, channels, 3, 3, 3)
        signs = torch.where(torch.rand(shape) < 0.5, -1.0, 1.0)
        self.register_buffer("filters", signs * (torch.rand(shape) < settings.density))
        self.normalisation = nn.BatchNorm3d(channels)
        self.mixture = nn.Conv3d(settings.fixed_filters, width, 1)
        # Responses grow with the number of non-zero weights; this keeps their variance.
        self.scale = (27 * channels * settings.density) ** -0.5

    def forward(self, volumes: Tensor) -> Tensor:
        """float (B, channels, D, H, W) becomes float (B, width, D, H, W)."""
        filters: Tensor = self.filters.to(volumes.dtype)
        responses = functional.conv3d(self.normalisation(volumes), filters, padding=1)
        return self.mixture(functional.relu(responses * self.scale))


class PlaneNetwork(nn.Module):
    """The network of one plane."""

    def __init__(self, plane: str, settings: LbvcnnSettings, classes: int) -> None:
        super().__init__()
        self.axes = [0, *[axis + 1 for axis in PLANES[plane]]]
        # Only time has few positions, so it is not pooled.
        pool = tuple(1 if axis == 0 else 2 for axis in PLANES[plane])
        layers: list[nn.Module] = [nn.AvgPool3d(pool, ceil_mode=True)]
        channels = 1
        for number in range(settings.layers):
            width = settings.width * 2**number
            layers += [LocalBinaryVolume(channels, width, settings), nn.ReLU(), nn.MaxPool3d(pool, ceil_mode=True)]
            channels = width
        self.layers = nn.Sequential(*layers)
        regions = tuple(REGIONS[axis] for axis in PLANES[plane])
        self.hidden = nn.Sequential(
            nn.AdaptiveAvgPool3d(regions),
            # Means of what is never negative are much alike in all clips; this leaves the rest.
            nn.BatchNorm3d(channels),
            nn.Flatten(),
            nn.Linear(channels * REGIONS[0] * REGIONS[1] * REGIONS[2], settings.hidden),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(settings.hidden, classes))
        initialise(self)

    def features(self, clips: Tensor) -> Tensor:
        """Hidden units (B, hidden) of standardised clips (B, T, H, W)."""
        return self.hidden(self.layers(clips.permute(self.axes)[:, None]))

    def forward(self, clips: Tensor) -> Tensor:
        """Logits (B, classes) of standardised clips (B, T, H, W)."""
        return self.classifier(self.features(clips))


class LbvcnnTask(ClipTask):
    """A stage for each plane, then `joint`."""

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        """Sets the learning rate; in the joint stage the plane networks are frozen, their statistics included."""
        self.stage = stage.name
        set_learning_rate(self.optimizers[stage.name], learning_rate_at(self.settings, epoch))
        if stage.name == "joint":
            for plane in PLANES:
                self.networks[plane].eval()

    def losses(self, indices: Tensor) -> dict[str, Tensor]:
        """Cross-entropy of a plane's network or of the joint classifier."""
        clips = self.clips[indices]
        if self.settings.flip:
            clips = mirrored(clips)
        if self.stage == "joint":
            logits = self.networks["joint"](joint_features(self.networks, clips))
        else:
            logits = self.networks[self.stage](clips)
        return {"cross_entropy": functional.cross_entropy(logits.float(), self.labels[indices])}


def joint_features(networks: dict[str, nn.Module], clips: Tensor) -> Tensor:
    """Hidden units (B, 3 x hidden) of the three plane networks, without gradients."""
    with torch.no_grad():
        return torch.cat([networks[plane].features(clips) for plane in PLANES], dim=1)


def task(
    clips: ClipSet, settings: LbvcnnSettings, run: "TrainingRun", classes: int, pretrained: Path | None = None
) -> LbvcnnTask:
    """The four networks before their first step."""
    torch.manual_seed(derive_seed(run.seed, "lbvcnn"))
    networks: dict[str, nn.Module] = {plane: PlaneNetwork(plane, settings, classes) for plane in PLANES}
    networks["joint"] = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(3 * settings.hidden, classes))
    start_from(pretrained, "lbvcnn", networks, classes_of(run), by_class=("classifier.", "1."))
    return LbvcnnTask(clips, settings, networks, run)


def stages(settings: LbvcnnSettings, samples: int) -> list[Stage]:
    """A stage per plane, then `joint`, on so many clips."""
    epochs = dict.fromkeys(PLANES, settings.epochs) | {"joint": settings.joint_epochs}
    return [Stage(name, count, settings.batch_size, samples) for name, count in epochs.items()]


def fit(
    train: ClipSet,
    validation: ClipSet,
    settings: LbvcnnSettings,
    run: "TrainingRun",
    classes: int,
    pretrained: Path | None = None,
) -> NetworkModel:
    """Trains a network per plane and then the joint classifier, on the training and the validation clips.

    Args:
        pretrained: checkpoint of the same method on another dataset, to start from.

    Raises:
        UserError: for an empty training set, a checkpoint that does not
            fit, or a loss that is not finite.
    """
    clips = all_clips(train, validation)
    described = run.describing(description("lbvcnn", clips, settings, classes))
    prepared = task(clips, settings, described, classes, pretrained)
    loop.train(prepared, stages(settings, len(clips)), described)
    networks = {name: network.eval() for name, network in prepared.networks.items()}

    def logits(batch: ClipSet) -> Tensor:
        return networks["joint"](joint_features(networks, clip_tensor(batch.clips).to(run.device)))

    return NetworkModel(logits, classes, seen_classes(clips, classes))
