"""DTAGN: an appearance network on clips, a geometry network on landmarks, and their joint fine-tuning.

H. Jung, S. Lee, J. Yim, S. Park and J. Kim, "Joint fine-tuning in deep neural networks for facial expression
recognition", ICCV 2015 (earlier arXiv 1503.01532).

*Appearance* (section 3.1): the first layer has one filter per frame and sums over frames, which is a convolution with
T input channels. 5 x 5 convolution of 64 filters, local response normalisation over 5 channels, pooling by 2; the same
again with normalisation over 3; two fully connected layers of 500; class scores. *Geometry* (section 3.2): 49 landmarks
x 2 x T numbers through fully connected layers of 100 and 600. Each frame's landmarks are centred on the nose and
divided by their standard deviation along x and along y (equation 3). *Joint* (section 3.4): lower layers frozen, the
fully connected layers above them train on L = L_appearance + L_geometry + 0.1 L_joint, where L_joint is the
cross-entropy of softmax(sum of both networks' logits) (equations 4 to 6), which is also what predicts.

*Augmentation* (section 4.2): mirrored or not, rotated by one of seven angles up to 15 degrees; noise on landmarks. Here
drawn anew for every step instead of enlarging the set by 14, mirroring and rotating clip and landmarks alike.

Deviations: Adam replaces momentum descent, and initial weights are those for ReLU networks (He and others); the layer
sizes follow later descriptions of the paper and are not verified against code, of which there is none by its authors. A
clip without landmarks gives the geometry network zeros, the centre of its input.
"""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.baselines.clips import ClipSet
from fersnet.baselines.dtagn import DtagnSettings
from fersnet.baselines.landmarks import MIRROR_68
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
from fersnet.errors import UserError
from fersnet.seeds import derive_seed
from fersnet.training import loop
from fersnet.training.task import Stage, learning_rate_at, set_learning_rate
from fersnet.training.transfer import start_from

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

INNER = [point for point in range(17, 68) if point not in (60, 64)]
"""The 49 of the 68 landmarks that are used: without the jaw and the inner corners of the mouth."""
NOSE = INNER.index(30)
"""The tip of the nose, among the 49."""
MIRROR = [INNER.index(MIRROR_68[point]) for point in INNER]
SMALLEST_SPREAD = 1e-3
"""In pixels: below it landmarks count as one point."""


def normalised_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks centred on the nose, in units of their spread along x and along y.

    Args:
        landmarks: float32 (N, T, 68, 2).

    Returns:
        float32 (N, T, 49, 2); zeros where a frame's landmarks are missing (not finite) or all one point.
    """
    inner = landmarks[:, :, INNER].astype(np.float64)
    centred = inner - inner[:, :, NOSE : NOSE + 1]
    spread = inner.std(axis=2, keepdims=True)
    present = np.isfinite(inner).all(axis=(2, 3), keepdims=True) & (spread > SMALLEST_SPREAD).all(axis=3, keepdims=True)
    return np.where(present, centred / np.where(present, spread, 1), 0).astype(np.float32)


class AppearanceNetwork(nn.Module):
    """DTAN: class scores of clips."""

    def __init__(self, settings: DtagnSettings, clip: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        width, hidden = settings.width, settings.appearance_hidden
        self.lower = nn.Sequential(
            nn.Conv2d(clip[0], width, 5),
            nn.ReLU(),
            nn.LocalResponseNorm(5),
            nn.MaxPool2d(2),
            nn.Conv2d(width, width, 5),
            nn.ReLU(),
            nn.LocalResponseNorm(3),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        with torch.no_grad():
            flat = self.lower(torch.zeros(1, *clip)).shape[1]
        self.upper = _fully_connected((flat, hidden, hidden), settings.dropout, classes)
        initialise(self)

    def forward(self, clips: Tensor) -> Tensor:
        """Logits (B, classes) of standardised clips (B, T, H, W)."""
        return self.upper(self.lower(clips))


class GeometryNetwork(nn.Module):
    """DTGN: class scores of normalised landmarks."""

    def __init__(self, settings: DtagnSettings, frames: int, classes: int) -> None:
        super().__init__()
        first, second = settings.geometry_hidden
        self.lower = nn.Sequential(nn.Flatten(), nn.Linear(frames * len(INNER) * 2, first), nn.ReLU())
        self.upper = nn.Sequential(
            nn.Dropout(settings.dropout), *_fully_connected((first, second), settings.dropout, classes)
        )
        initialise(self)

    def forward(self, landmarks: Tensor) -> Tensor:
        """Logits (B, classes) of normalised landmarks (B, T, 49, 2)."""
        return self.upper(self.lower(landmarks))


def turned(values: Tensor, points: Tensor, angles: Tensor, flipped: Tensor) -> tuple[Tensor, Tensor]:
    """Clips and their normalised landmarks, mirrored and then rotated about the middle, clockwise on the screen.

    Args:
        values: float (B, T, H, W).
        points: float (B, T, 49, 2).
        angles: float (B,), degrees.
        flipped: bool (B,).

    Returns:
        Both in the same shapes. Outside the clip, its border goes on.
    """
    flipped = flipped.to(values.device)
    values = torch.where(flipped[:, None, None, None], values.flip(-1), values)
    mirrored = points[:, :, MIRROR] * points.new_tensor([-1.0, 1.0])
    points = torch.where(flipped[:, None, None, None], mirrored, points)
    radians = torch.deg2rad(angles.to(values.device))
    cosine, sine = radians.cos(), radians.sin()
    rotation = torch.stack([torch.stack([cosine, -sine], dim=1), torch.stack([sine, cosine], dim=1)], dim=1)
    # A grid looks backwards, from the result to the source, so it takes the inverse rotation.
    grid = functional.affine_grid(
        torch.cat([rotation.transpose(1, 2), torch.zeros_like(rotation[:, :, :1])], dim=2),
        list(values.shape),
        align_corners=False,
    )
    values = functional.grid_sample(values, grid, padding_mode="border", align_corners=False)
    return values, torch.einsum("bij,btpj->btpi", rotation, points)


class DtagnTask(ClipTask):
    """The three stages: `appearance`, `geometry`, `joint`."""

    def __init__(self, clips: ClipSet, settings: DtagnSettings, networks: dict[str, nn.Module], run: "TrainingRun"):
        super().__init__(clips, settings, networks, run)
        self.dtagn = settings
        self.points = torch.from_numpy(normalised_landmarks(clips.landmarks)).to(run.device)
        self.optimizers["joint"] = self.adam(
            [parameter for network in networks.values() for parameter in network.upper.parameters()]
        )

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        """The stage's network, or both."""
        return tuple(self.networks) if stage.name == "joint" else (stage.name,)

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        """The stage's optimizer takes its learning rate; joint fine-tuning keeps the smallest of the schedule."""
        self.stage = stage.name
        last = max((*self.settings.milestones, 0)) + 1
        set_learning_rate(
            self.optimizers[stage.name], learning_rate_at(self.settings, last if stage.name == "joint" else epoch)
        )

    def losses(self, indices: Tensor) -> dict[str, Tensor]:
        """Cross-entropy of one network, or the three terms of the joint loss."""
        values, points = self._augmented(indices)
        labels = self.labels[indices]
        appearance, geometry = self.networks["appearance"], self.networks["geometry"]
        if self.stage == "appearance":
            return {"cross_entropy": functional.cross_entropy(appearance(values).float(), labels)}
        if self.stage == "geometry":
            return {"cross_entropy": functional.cross_entropy(geometry(points).float(), labels)}
        with torch.no_grad():
            seen, felt = appearance.lower(values), geometry.lower(points)
        first, second = appearance.upper(seen).float(), geometry.upper(felt).float()
        return {
            "appearance": functional.cross_entropy(first, labels),
            "geometry": functional.cross_entropy(second, labels),
            "joint": self.dtagn.joint_weight * functional.cross_entropy(first + second, labels),
        }

    def _augmented(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        values, points = self.clips[indices], self.points[indices]
        angles = torch.tensor(self.dtagn.rotations or (0.0,))
        drawn = angles[torch.randint(len(angles), (len(indices),))]
        flipped = (torch.rand(len(indices)) < 0.5) & self.settings.flip
        noise = self.dtagn.landmark_noise * torch.randn(points.shape).to(points.device)
        # Missing landmarks stay zeros, as they will be in prediction.
        noise = noise * (points != 0).any(dim=3, keepdim=True).any(dim=2, keepdim=True)
        values, points = turned(values, points, drawn, flipped)
        return values, points + noise


def task(
    clips: ClipSet, settings: DtagnSettings, run: "TrainingRun", classes: int, pretrained: Path | None = None
) -> DtagnTask:
    """The two networks before their first step."""
    frames, height, width = clips.clips.shape[1:]
    torch.manual_seed(derive_seed(run.seed, "dtagn"))
    networks: dict[str, nn.Module] = {
        "appearance": AppearanceNetwork(settings, (frames, height, width), classes),
        "geometry": GeometryNetwork(settings, frames, classes),
    }
    start_from(pretrained, "dtagn", networks, classes_of(run), by_class=("upper.4.", "upper.6."))
    return DtagnTask(clips, settings, networks, run)


def stages(settings: DtagnSettings, samples: int) -> list[Stage]:
    """The training's three stages, on so many clips."""
    epochs = {"appearance": settings.epochs, "geometry": settings.epochs, "joint": settings.joint_epochs}
    return [Stage(name, count, settings.batch_size, samples) for name, count in epochs.items()]


def fit(
    train: ClipSet,
    validation: ClipSet,
    settings: DtagnSettings,
    run: "TrainingRun",
    classes: int,
    pretrained: Path | None = None,
) -> NetworkModel:
    """Trains both networks and then their upper layers together, on the training and the validation clips.

    Args:
        pretrained: checkpoint of the same method on another dataset, to start from.

    Raises:
        UserError: for an empty training set, one without any landmarks, clips too small for the convolutions, or a
            loss that is not finite.
    """
    clips = all_clips(train, validation)
    if not np.isfinite(clips.landmarks).all(axis=(1, 2, 3)).any():
        raise UserError(
            "baselines.dtagn: no training clip has landmarks; choose a faces.backend that finds them, or take dtagn "
            "out of baselines.methods"
        )
    described = run.describing(description("dtagn", clips, settings, classes))
    prepared = task(clips, settings, described, classes, pretrained)
    loop.train(prepared, stages(settings, len(clips)), described)
    appearance, geometry = (prepared.networks[name].eval() for name in ("appearance", "geometry"))

    def logits(batch: ClipSet) -> Tensor:
        values = clip_tensor(batch.clips).to(run.device)
        points = torch.from_numpy(normalised_landmarks(batch.landmarks)).to(run.device)
        return appearance(values) + geometry(points)

    return NetworkModel(logits, classes, seen_classes(clips, classes))


def _fully_connected(sizes: tuple[int, ...], dropout: float, classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], classes))
