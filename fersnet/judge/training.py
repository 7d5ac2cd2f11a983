"""Trains the fixed judge: sure of clear expressions, whatever the light, and unsure where nothing can be seen."""

import math

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Adam

from fersnet.expressions import SEVEN
from fersnet.judge.changes import BLINDING, changed, noise_images
from fersnet.judge.fixed import SIDE, WIDTH
from fersnet.judge.people import NOTHING, Portraits
from fersnet.models.standard_fer import StandardFER
from fersnet.seeds import derive_seed
from fersnet.training.batches import crop_and_flip
from fersnet.training.task import Stage, TrainingRun, TrainingTask, set_learning_rate

BATCH, LEARNING_RATE, WEIGHT_DECAY = 64, 2e-3, 1e-4
BLINDED = 0.15
"""Share of the faces whose eyes, or whose mouth, are painted over."""
NOISE = 8
"""Pictures of noise in each step."""
SMOOTHING = 0.05
"""What the targets of clear faces leave to the other expressions."""


class JudgeTask(TrainingTask):
    """Cross-entropy on changed faces, and against an even target where there is no expression to be read.

    The last is outlier exposure (Hendrycks, Mazeika and Dietterich, ICLR 2019).
    """

    def __init__(self, faces: Portraits, epochs: int, run: TrainingRun) -> None:
        torch.manual_seed(derive_seed(run.seed, "judge", "initialise"))
        # Faster here than the other order in memory, at either precision.
        self.network = StandardFER(WIDTH, 1, len(SEVEN)).to(run.device, memory_format=torch.channels_last)
        self.networks = {"network": self.network}
        self.optimizer = Adam(self.network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
        self.optimizers = {"network": self.optimizer}
        self.images, self.targets = torch.from_numpy(faces.images)[:, None], targets_of(torch.from_numpy(faces.labels))
        self.epochs, self.run = epochs, run

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        set_learning_rate(self.optimizer, LEARNING_RATE * (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) / 2)

    def training_step(self, indices: Tensor) -> dict[str, Tensor]:
        images, targets = crop_and_flip(self.images[indices], SIDE, train=True), self.targets[indices].clone()
        kind = torch.rand(len(images))
        for place, blind in enumerate(BLINDING.values()):
            chosen = (kind >= place * BLINDED / 2) & (kind < (place + 1) * BLINDED / 2)
            if chosen.any():
                images[chosen], targets[chosen] = blind(images[chosen]), 1 / len(SEVEN)
        images = torch.cat((changed(images), noise_images(NOISE, SIDE)))
        targets = torch.cat((targets, torch.full((NOISE, len(SEVEN)), 1 / len(SEVEN))))
        with self.run.autocast():
            logits = self.network(images.to(self.run.device)).float()
        losses = functional.cross_entropy(logits, targets.to(logits.device), reduction="none")
        self.optimizer.zero_grad(set_to_none=True)
        losses.mean().backward()
        self.optimizer.step()
        clear = targets.max(dim=1).values > 0.5
        right = (logits.detach().argmax(dim=1).cpu() == targets.argmax(dim=1))[clear]
        return {"cross_entropy": losses.mean().detach(), "training_accuracy": right.float().mean()}


def targets_of(labels: Tensor) -> Tensor:
    """Target probabilities (N, 7): nearly all for what a face shows, even where it shows nothing."""
    even = torch.full((len(labels), len(SEVEN)), 1 / len(SEVEN))
    shown = functional.one_hot(labels.clamp(max=len(SEVEN) - 1), len(SEVEN)).float()
    return torch.where((labels == NOTHING)[:, None], even, (1 - SMOOTHING) * shown + SMOOTHING * even)
