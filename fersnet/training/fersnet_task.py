"""One training step of FERSNet: the discriminator and the five-term objective on one shared generator pass."""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.errors import UserError
from fersnet.models.discriminator import Discriminator
from fersnet.models.fersnet import FERSNet
from fersnet.models.light_cnn import LightCNN9
from fersnet.settings.training import FersnetSettings, LossSettings
from fersnet.training.batches import FaceSet, crop_and_flip, draw_targets
from fersnet.training.graphs import Losses, RecordedSteps
from fersnet.training.losses import (
    adversarial_loss,
    classification_loss,
    cycle_loss,
    discriminator_loss,
    identity_loss,
    reconstruction_loss,
)
from fersnet.training.task import Stage, TrainingRun, TrainingTask, learning_rate_at, set_learning_rate


class FERSNetTask(TrainingTask):
    """FERSNet, its discriminator and their optimizers in the shared training loop.

    Deviations from the published step, each of which changes its cost and not what it aims at: the discriminator's
    three steps use the faces of the joint step's own generator pass, detached, in place of those of one more pass in
    evaluation mode; they see real and synthetic faces in one pass (its InstanceNorm keeps samples apart, so the
    logits are the same); BatchNorm's running statistics come from the pass over real faces alone, so that recognition
    of real faces is not evaluated with statistics of synthetic ones.
    """

    def __init__(
        self,
        faces: FaceSet,
        network: FERSNet,
        discriminator: Discriminator | None,
        identity: LightCNN9 | None,
        losses: LossSettings,
        training: FersnetSettings,
        run: TrainingRun,
    ) -> None:
        """
        Args:
            faces: Training faces.
            network: FERSNet; moved to the run's device.
            discriminator: None where the network does not synthesise.
            identity: Frozen identity network; needed for a positive `losses.identity`.

        Raises:
            UserError: if the objective needs an identity network and there is none.
        """
        if network.synthesises and losses.identity > 0 and identity is None:
            raise UserError("losses.identity: needs an identity network; train one, or set the weight to 0")
        self.losses = losses
        self.training = training
        self.run = run
        self.faces = faces.to(run.device)
        self.network = run.place(network)
        self.discriminator = None if discriminator is None else run.place(discriminator)
        self.identity = None if identity is None else run.place(identity).eval().requires_grad_(False)
        self.notes: dict[str, Any] = {}
        """What an evaluation wants to outlive a restart."""
        self.networks = {"fersnet": self.network}
        self.optimizers = {"fersnet": _adam(self.network, training, run, self.network.free_units)}
        if self.discriminator is not None:
            self.networks["discriminator"] = self.discriminator
            self.optimizers["discriminator"] = _adam(self.discriminator, training, run)
        self.recorded = RecordedSteps(run.device) if run.records_steps else None
        self._pair_subjects = _apart_from_synthetic(self.faces)
        self._other_classes = _other_classes(self.faces)
        self.averaging = training.averaging
        self.drawing = "fersnet" if network.synthesises else None
        self.cycle, self.steps = math.lcm(losses.cycle_every, losses.identity_every), 0
        self._shown = torch.arange(len(faces))

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        """The discriminator neither draws nor recognises."""
        return ("fersnet",)

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        """Sets the learning rate of the epoch, and draws its faces where it is shorter than all of them."""
        if stage.samples < len(self.faces):
            self._shown = torch.randperm(len(self.faces))[: stage.samples]
        rate = learning_rate_at(self.training, epoch)
        if self.recorded is not None and rate != self.optimizers["fersnet"].param_groups[0]["lr"]:
            self.recorded.forget()
        for optimizer in self.optimizers.values():
            set_learning_rate(optimizer, rate)
            for group in optimizer.param_groups:
                # The state of a resumed training may come from one that recorded none, or on a GPU.
                group["capturable"] = self.run.records_steps

    def pass_through(self, indices: Tensor) -> None:
        """Training faces with expressions drawn evenly from all classes, as faces of a comparison are asked for."""
        faces = self.faces.images[self._shown[indices].to(self.run.device)]
        wanted = torch.randint(self.network.classes, indices.shape).to(self.run.device)
        with self.run.autocast():
            self.network(crop_and_flip(faces, self.network.image_size, train=True), self._one_hot(wanted))

    def training_step(self, indices: Tensor) -> Losses:
        """The discriminator's steps and the joint step on one batch. indices: int64 (B,)."""
        indices = self._shown[indices].to(self.run.device)
        faces, size = self.faces, self.network.image_size
        labels = faces.labels[indices]
        if not self.network.synthesises:
            source = crop_and_flip(faces.images[indices], size, train=True)
            return self._run(self._recognition_step, source, labels)
        target_indices, paired, wanted = self._draw_targets(indices)
        source, target = crop_and_flip(faces.images[indices], size, train=True, extra=faces.images[target_indices])
        # Where a face has no pair, its target is itself: a real face with its own label.
        target_labels, is_real = faces.labels[target_indices], ~faces.synthetic[target_indices]
        self.steps += 1
        return self._run(
            self._joint_step,
            *(source, labels, wanted, target, target_labels, paired, is_real),
            with_cycle=self.losses.cycle > 0 and self.steps % self.losses.cycle_every == 0,
            with_identity=self.losses.identity > 0 and self.steps % self.losses.identity_every == 0,
        )

    def _run(self, step: Callable[..., Losses], *drawn: Tensor, **options: Hashable) -> Losses:
        """What is left of a step once all is drawn, in one call where the run records its steps."""
        return step(*drawn, **options) if self.recorded is None else self.recorded.run(step, *drawn, **options)

    def _joint_step(
        self,
        source: Tensor,
        labels: Tensor,
        wanted_labels: Tensor,
        target: Tensor,
        target_labels: Tensor,
        paired: Tensor,
        is_real: Tensor,
        *,
        with_cycle: bool,
        with_identity: bool,
    ) -> Losses:
        """source, target: (B, C, S, S) in [0, 1]. labels, wanted_labels, target_labels: int64 (B,), the classes of the
        sources, of the faces to draw and of the targets. paired, is_real: bool (B,), the targets that show the source's
        subject with the wanted expression, and those that were not drawn by a network."""
        weights, wanted = self.losses, self._one_hot(wanted_labels)
        # The cycle pass comes before the discriminator's steps, so that both generator passes share one bf16 copy of
        # the weights; its result does not depend on the discriminator.
        with self.run.autocast():
            encoding = self.network.encode(source)
            logits = self.network.classify(encoding)
            synthesised = self.network.decode(encoding, wanted).float()
            returned = self._return(synthesised, self._one_hot(labels)) if with_cycle else None
        result: Losses = {"classification": classification_loss(logits, labels)}
        result["reconstruction"] = reconstruction_loss(synthesised, target, paired, weights.preset)
        objective = weights.classification * result["classification"]
        objective = objective + weights.reconstruction * result["reconstruction"]
        if weights.adversarial > 0:
            discriminator = self._discriminator_steps(
                target, self._one_hot(target_labels), is_real, synthesised.detach(), wanted
            )
            result["adversarial"] = self._adversarial(synthesised, wanted)
            objective = objective + weights.adversarial * result["adversarial"]
            result["discriminator"] = discriminator
        if returned is not None:
            result["cycle"] = cycle_loss(returned, source)
            objective = objective + weights.cycle * weights.cycle_every * result["cycle"]
        if with_identity:
            result["identity"] = self._identity(synthesised, target, paired)
            objective = objective + weights.identity * weights.identity_every * result["identity"]
        self._step("fersnet", objective)
        result["training_accuracy"] = _accuracy(logits, labels)
        return {name: value.detach() for name, value in result.items()}

    def _recognition_step(self, source: Tensor, labels: Tensor) -> Losses:
        with self.run.autocast():
            logits = self.network(source).logits
        loss = classification_loss(logits, labels)
        self._step("fersnet", self.losses.classification * loss)
        return {"classification": loss.detach(), "training_accuracy": _accuracy(logits, labels)}

    def _return(self, synthesised: Tensor, labels: Tensor) -> Tensor:
        with _running_statistics_kept(self.network):
            return self.network.decode(self.network.encode(synthesised), labels)

    def _discriminator_steps(
        self, real: Tensor, real_labels: Tensor, is_real: Tensor, synthesised: Tensor, wanted: Tensor
    ) -> Tensor:
        """The mean loss over the steps. is_real: bool (B,), false where the `real` face is synthetic after all."""
        images, labels = torch.cat((real, synthesised)), torch.cat((real_labels, wanted))
        steps = []
        for _ in range(self.training.discriminator_steps):
            # Each step has an autocast context of its own: within one, the bf16 copy of the weights is kept.
            with self.run.autocast():
                on_real, on_synthesised = self._discriminator(images, labels).chunk(2)
            loss = discriminator_loss(on_real, on_synthesised, is_real, self.losses.preset)
            self._step("discriminator", loss)
            steps.append(loss.detach())
        return torch.stack(steps).mean()

    def _adversarial(self, synthesised: Tensor, wanted: Tensor) -> Tensor:
        network = self._discriminator.requires_grad_(False)
        with self.run.autocast():
            logits = network(synthesised, wanted)
        network.requires_grad_(True)
        return adversarial_loss(logits, self.losses.preset)

    def _identity(self, synthesised: Tensor, target: Tensor, paired: Tensor) -> Tensor:
        if self.identity is None:
            raise UserError("losses.identity: needs an identity network; train one, or set the weight to 0")
        with self.run.autocast():
            with torch.no_grad():
                target_features = self.identity.features(target)
            return identity_loss(self.identity.features(synthesised), target_features, paired)

    def _step(self, name: str, loss: Tensor) -> None:
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.training.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.networks[name].parameters(), self.training.gradient_clip)
        optimizer.step()

    def _one_hot(self, labels: Tensor) -> Tensor:
        return functional.one_hot(labels, self.network.classes).float()

    def _draw_targets(self, indices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `draw_targets`, and the class that each face is to show, int64 (B,)."""
        labels, subjects = self.faces.labels, self._pair_subjects
        wanted = self._draw_other_classes(labels[indices])
        if self.training.targets == "even":
            return *draw_targets(labels, subjects, indices, wanted), wanted
        targets, paired = draw_targets(labels, subjects, indices)
        return targets, paired, torch.where(paired, labels[targets], wanted)

    def _draw_other_classes(self, labels: Tensor) -> Tensor:
        """For each label another class, uniformly among those that have training faces. int64 (B,) -> (B,)."""
        fits = self._other_classes[labels]
        chance = torch.rand(fits.shape).to(fits.device)
        return chance.masked_fill(~fits, -1.0).argmax(dim=1)

    @property
    def _discriminator(self) -> Discriminator:
        if self.discriminator is None:
            raise ValueError("a network that synthesises is trained with a discriminator")
        return self.discriminator

    def extra_state(self) -> dict[str, Any]:
        """The notes, and how many steps were made."""
        return {"notes": dict(self.notes), "steps": self.steps}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Takes both back, the notes into the dict that evaluations hold."""
        self.steps = state["steps"]
        self.notes.clear()
        self.notes.update(state["notes"])


def _adam(
    network: nn.Module, training: FersnetSettings, run: TrainingRun, units: Sequence[nn.Parameter] = ()
) -> torch.optim.Adam:
    """units: sharing units of the network, which have a learning rate of their own and no weight decay."""
    apart = set(units)
    groups: list[dict[str, Any]] = [{"params": [one for one in network.parameters() if one not in apart]}]
    groups += [{"params": list(units), "weight_decay": 0.0, "factor": training.unit_factor}] if units else []
    return torch.optim.Adam(
        groups,
        lr=training.learning_rate,
        betas=training.betas,
        weight_decay=training.weight_decay,
        fused=True,
        capturable=run.records_steps,
    )


def _apart_from_synthetic(faces: FaceSet) -> Tensor:
    """Subjects (N,) in which every synthetic face stands alone, so that none enters a pair."""
    alone = torch.arange(len(faces), device=faces.subjects.device) + faces.subjects.max() + 1
    return torch.where(faces.synthetic, alone, faces.subjects)


def _other_classes(faces: FaceSet) -> Tensor:
    """bool (K, K): whether the column's class may be the target of an unpaired face of the row's class."""
    classes = len(faces.expressions)
    different = ~torch.eye(classes, dtype=torch.bool, device=faces.labels.device)
    present = torch.bincount(faces.labels, minlength=classes) > 0
    wanted = different & present
    return torch.where(wanted.any(dim=1, keepdim=True), wanted, different)


def _accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    return (logits.detach().argmax(dim=1) == labels).float().mean()


@contextmanager
def _running_statistics_kept(network: nn.Module) -> Iterator[None]:
    """Within it, BatchNorm normalises by the batch as ever, but leaves its running statistics as they are."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
