"""A classifier of faces as a training task: the identity network and the standard FER model differ in little else."""

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from fersnet.settings.training import ScheduleSettings
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.task import Stage, TrainingRun, TrainingTask, learning_rate_at, set_learning_rate


class ClassificationTask(TrainingTask):
    """Cross-entropy on randomly cropped and flipped faces, with Adam."""

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
        here = indices.to(self.run.device)
        images = crop_and_flip(self.images[here], self.crop, train=True)
        with self.run.autocast():
            logits = self.network(images)
        logits, labels = logits.float(), self.labels[here]
        loss = functional.cross_entropy(logits, labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.settings.gradient_clip is not None:
            clip_grad_norm_(self.network.parameters(), self.settings.gradient_clip)
        self.optimizer.step()
        accuracy = (logits.detach().argmax(dim=1) == labels).float().mean()
        return {"cross_entropy": loss.detach(), "training_accuracy": accuracy}
