"""Landmarks as what a network is to predict from a crop."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fersnet.baselines.landmarks import MIRROR_68
from fersnet.training.batches import Crops, FaceSet

SMALLEST_SPREAD = 1e-3
"""In pixels: below it landmarks count as never moving."""


@dataclass(frozen=True)
class LandmarkTargets:
    """How far each point lies from its mean over the training faces and their mirrors, in units of the spread."""

    points: Tensor
    """float32 (N, 68, 2), in pixels of the whole faces; 0 where they are missing."""
    present: Tensor
    """bool (N,): whether a face has landmarks."""
    mean: Tensor
    """float32 (68, 2), in pixels of the centre crop."""
    spread: Tensor
    """Standard deviation in pixels, one for all coordinates."""
    size: int
    """Side of the crops."""

    def of(self, indices: Tensor, crops: Crops) -> tuple[Tensor, Tensor]:
        """Targets float32 (B, 136) of the crops of some faces, 0 where they are missing; and who has any, bool (B,)."""
        device, present = indices.device, self.present[indices]
        offsets = torch.cat((crops.left, crops.top), dim=1).to(device)
        points = self.points[indices] - offsets[:, None]
        points = torch.where(crops.flipped.to(device)[:, :, None], mirrored(points, self.size), points)
        return ((points - self.mean) / self.spread).flatten(1) * present[:, None], present


def landmark_targets(faces: FaceSet, size: int, device: torch.device) -> LandmarkTargets:
    """The targets of the training faces, whose landmarks are all missing where nobody gave any.

    size: side of the crops.
    """
    marks = torch.full((len(faces), 68, 2), torch.nan) if faces.landmarks is None else faces.landmarks.cpu()
    present = torch.isfinite(marks).flatten(1).all(dim=1)
    points = torch.where(present[:, None, None], marks, 0.0)
    margins = torch.tensor([(side - size) // 2 for side in (faces.images.shape[3], faces.images.shape[2])])
    seen = points[present] - margins
    both = torch.cat((seen, mirrored(seen, size)))
    mean = both.mean(dim=0) if len(both) else torch.zeros(68, 2)
    spread = (both - mean).square().mean().sqrt() if len(both) else torch.ones(())
    values = (points, present, mean, spread.clamp_min(SMALLEST_SPREAD))
    return LandmarkTargets(*(value.to(device) for value in values), size=size)


def mirrored(points: Tensor, size: int) -> Tensor:
    """Points (N, 68, 2) of crops of a side, in a mirror."""
    across = size - 1 - points[:, MIRROR_68, :1]
    return torch.cat((across, points[:, MIRROR_68, 1:]), dim=2)
