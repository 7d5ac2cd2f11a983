"""A classifier of faces as a training task: of the identity network, the standard FER model and the recognisers."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from fersnet.settings.training import ScheduleSettings
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.task import Stage, TrainingRun, TrainingTask, learning_rate_at, set_learning_rate


class ClassificationTask(TrainingTask):
    """Cross-entropy on randomly cropped and flipped faces, with Adam.

    A subclass may have other `terms`, and further `networks` and `optimizers`, which step along; the schedule and the
    bound to the gradient are those of `network`.
    """

    def __init__(
        self,
        network: nn.Module,
        faces: FaceSet,
        labels: Tensor,
        crop: int,
        settings: ScheduleSettings,
        run: TrainingRun,
    ) -> None:
        """
        Args:
            network: images float (B, C, crop, crop) in [0, 1] -> logits (B, K).
            faces: the training faces.
            labels: int64 (N,), the class of each face.
            crop: side of the crops.
            settings: the optimisation.
            run: gives device and precision.
        """
        self.network = run.place(network)
        self.networks = {"network": self.network}
        self.optimizer = Adam(
            network.parameters(),
            lr=settings.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.optimizers = {"network": self.optimizer}
        self.images, self.labels = faces.images.to(run.device), labels.to(run.device)
        self.crop, self.settings, self.run = crop, settings, run
        self.averaging = settings.averaging

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        set_learning_rate(self.optimizer, learning_rate_at(self.settings, epoch))

    def training_step(self, indices: Tensor) -> dict[str, Tensor]:
        terms, figures = self.terms(indices.to(self.run.device))
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        if self.settings.gradient_clip is not None:
            clip_grad_norm_(self.network.parameters(), self.settings.gradient_clip)
        for optimizer in self.optimizers.values():
            optimizer.step()
        return {name: value.detach() for name, value in terms.items()} | figures

    def terms(self, indices: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The terms of the loss on a batch, weights included, and figures for the history beside them.

        What a recogniser minimises beside or in place of cross-entropy is said here. indices: int64 (B,), on the
        run's device.
        """
        images = crop_and_flip(self.images[indices], self.crop, train=True)
        with self.run.autocast():
            logits = self.network(images)
        labels = self.labels[indices]
        loss = functional.cross_entropy(logits.float(), labels)
        return {"cross_entropy": loss}, {"training_accuracy": share_right(logits, labels)}


def share_right(logits: Tensor, labels: Tensor) -> Tensor:
    """The share in [0, 1] of logits (B, K) that are largest at their label int64 (B,)."""
    return (logits.detach().argmax(dim=1) == labels).float().mean()
