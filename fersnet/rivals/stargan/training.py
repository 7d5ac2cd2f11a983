"""StarGAN (Choi et al., "StarGAN: Unified Generative Adversarial Networks", CVPR 2018) on facial expressions.

One generator G(x, c) serves all targets c; the discriminator judges patches and names the expression. With x a
face of label c', c a drawn target, and x^ = G(x, c), the losses (equations 1 to 8; WGAN-GP form) are

    L_D = -E[D(x)] + E[D(x^)] + 10 E[(|grad D(x~)| - 1)^2] + 1 CE(D_cls(x), c')
    L_G = -E[D(x^)] + 1 CE(D_cls(x^), c) + 10 E[|x - G(x^, c')|_1]

with x~ at one random point per face between x and x^, and G updated once per five steps of D. Images (B, C, S, S) are
in [0, 1] outside and [-1, 1] inside.

Decided openly:
  * Learning rate: the paper lets it fall linearly to zero over the second half, which is the default. The released
    code subtracts a thousandth of what it should, so that its rate hardly moves: `decay_from: 1` gives that.
  * Targets: a permutation of the batch's labels, as published, which inherits the imbalance of the classes;
    `targets: uniform` draws them evenly.
  * Depth of the discriminator: follows the image size (see `networks.discriminator_depth`).
  * First weights: the framework's, as published. The discriminator has no normalisation, so that they let its signals
    fade from layer to layer, and it spends thousands of steps before it tells one expression from another. The
    published 200,000 steps do not notice; `discriminator_weights: scaled` spares short trainings the wait.
  * Weight of the critic: 1, as published. The gradient penalty bounds its slope over the whole image, so that the
    verdict's range shrinks with the number of values in an image (128 x 128 x 3 as published), while the other two
    terms are means and do not. On small grey faces it hardly counts, and the generator draws patterns that satisfy
    the other two; `adversarial` makes up for that.
  * Normalisation: per instance, as published, takes each face's own brightness and contrast out, and the network has to
    learn to put them back; thousands of steps do not suffice: dark people come out bright. `normalisation: batch` keeps
    them.
  * Epochs count passes of the discriminator over the training faces, as in the paper's RaFD experiment.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fersnet.models.light_cnn import LightCNN9
from fersnet.rivals import common
from fersnet.rivals.stargan import StarGANSettings
from fersnet.rivals.stargan.networks import Discriminator, Generator, check_image_size
from fersnet.training.batches import FaceSet
from fersnet.training.loop import train
from fersnet.training.task import Stage, TrainingRun, TrainingTask, set_learning_rate

KEY = "stargan"


def fit(faces: FaceSet, settings: StarGANSettings, run: TrainingRun, identity: LightCNN9) -> None:
    """Trains StarGAN on peak faces and writes checkpoint.pt and history.csv into the run's folder.

    The published method uses no identity network, so `identity` is not used.

    Raises:
        UserError: for an image size that the method does not take, or too few faces.
    """
    prepared = task(faces, settings, run, identity)
    described = run.describing(
        {
            "method": KEY,
            "expressions": prepared.faces.expressions,
            "channels": prepared.faces.channels,
            "width": settings.width,
            "residual_blocks": settings.residual_blocks,
            "normalisation": settings.normalisation,
        }
    )
    train(prepared, stages(settings, faces.class_counts()), described)


def task(faces: FaceSet, settings: StarGANSettings, run: TrainingRun, identity: LightCNN9) -> "StarGANTask":
    """The networks before their first step."""
    data = common.prepare(faces, run)
    check_image_size(data.image_size)
    return StarGANTask(data, settings, run)


def stages(settings: StarGANSettings, counts: Mapping[str, int]) -> list[Stage]:
    """The training's one stage, on so many faces by expression."""
    return [Stage("training", settings.epochs, settings.batch_size, sum(counts.values()))]


def load(checkpoint: Path, device: torch.device) -> "StarGANSynthesizer":
    """The trained generator.

    Raises:
        UserError: if the file is unreadable or no checkpoint of StarGAN.
    """
    states, metadata = common.read_rival(checkpoint, KEY)
    keys = ("width", "channels", "residual_blocks", "image_size")
    width, channels, blocks, size = (common.number(metadata, key, checkpoint) for key in keys)
    expressions = common.class_names(metadata, checkpoint)
    network = Generator(width, channels, len(expressions), blocks, common.normalisation(metadata, checkpoint))
    generator = common.rebuild(network, states, "generator", checkpoint, device)
    return StarGANSynthesizer(generator, channels, size, expressions)


class StarGANSynthesizer:
    """Turns faces into target expressions."""

    def __init__(
        self, generator: torch.nn.Module, channels: int, image_size: int, expressions: tuple[str, ...]
    ) -> None:
        self.generator, self.channels, self.image_size = generator, channels, image_size
        self.expressions = expressions

    @torch.no_grad()
    def synthesize(self, images: Tensor, target: Tensor) -> Tensor:
        """Images (B, C, S, S) in [0, 1] and class indices (B,) to faces of the same shape and range.

        Raises:
            UserError: for another shape or an unknown class.
        """
        common.check_request(images, target, self.channels, self.image_size, self.expressions)
        labels = common.one_hot(target.to(images.device), len(self.expressions))
        return common.to_unit(self.generator(common.to_symmetric(images), labels))


class StarGANTask(TrainingTask):
    """The two networks and their updates."""

    def __init__(self, faces: common.RivalFaces, settings: StarGANSettings, run: TrainingRun) -> None:
        self.faces, self.settings, self.run = faces, settings, run
        common.seed_networks(run, KEY)
        self.generator = Generator(
            settings.width, faces.channels, faces.classes, settings.residual_blocks, settings.normalisation
        )
        self.discriminator = Discriminator(settings.width, faces.channels, faces.classes, faces.image_size)
        if settings.discriminator_weights == "scaled":
            self.discriminator.keep_scale()
        self.networks = {
            "generator": run.place(self.generator),
            "discriminator": run.place(self.discriminator),
        }
        self.optimizers = {
            name: common.adam(network.parameters(), settings.learning_rate, settings.betas)
            for name, network in self.networks.items()
        }
        self.cycle, self.averaging = settings.critic_steps, settings.averaging
        self.drawing = "generator" if settings.normalisation == "batch" else None
        self.steps = 0

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        return ("generator",)

    def pass_through(self, indices: Tensor) -> None:
        """Training faces with targets drawn evenly from all classes, as faces of a comparison are asked for."""
        images = self.faces.draw(indices, self.settings)
        target = torch.randint(self.faces.classes, indices.shape).to(images.device)
        with self.run.autocast():
            self.generator(images, common.one_hot(target, self.faces.classes))

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        rate = common.ramp(self.settings.learning_rate, epoch, stage.epochs, self.settings.decay_from)
        for optimizer in self.optimizers.values():
            set_learning_rate(optimizer, rate)

    def training_step(self, indices: Tensor) -> dict[str, Tensor]:
        images = self.faces.draw(indices, self.settings)
        labels = self.faces.labels[indices.to(images.device)]
        target = self._draw_targets(labels)
        self.steps += 1
        joint = self.steps % self.settings.critic_steps == 0
        # The generator does not move between the two updates, so that one pass of it serves both.
        with self.run.autocast(), torch.set_grad_enabled(joint):
            made = self.generator(images, common.one_hot(target, self.faces.classes))
        losses = self._update_discriminator(images, made.detach(), labels)
        if joint:
            losses |= self._update_generator(images, made, labels, target)
        return losses

    def extra_state(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]

    def _draw_targets(self, labels: Tensor) -> Tensor:
        if self.settings.targets == "uniform":
            return torch.randint(self.faces.classes, labels.shape).to(labels.device)
        return labels[torch.randperm(len(labels)).to(labels.device)]

    def _update_discriminator(self, images: Tensor, made: Tensor, labels: Tensor) -> dict[str, Tensor]:
        settings = self.settings
        between = torch.rand(len(images), 1, 1, 1).to(images.device)
        with self.run.autocast():
            real_scores, logits = self.discriminator(images)
            made_scores, _ = self.discriminator(made)
            critic = made_scores.mean() - real_scores.mean()
            classification = F.cross_entropy(logits, labels)
            penalty = self._gradient_penalty(between * images + (1 - between) * made)
            loss = critic + settings.classification * classification + settings.gradient_penalty * penalty
        self.optimizers["discriminator"].zero_grad()
        loss.backward()
        self.optimizers["discriminator"].step()
        return {
            "critic": critic.detach(),
            "real_classification": classification.detach(),
            "gradient_penalty": penalty.detach(),
        }

    def _gradient_penalty(self, images: Tensor) -> Tensor:
        images = images.detach().requires_grad_()
        scores, _ = self.discriminator(images)
        (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
        return (gradient.float().flatten(1).norm(dim=1) - 1).square().mean()

    def _update_generator(self, images: Tensor, made: Tensor, labels: Tensor, target: Tensor) -> dict[str, Tensor]:
        settings = self.settings
        with self.run.autocast():
            scores, logits = self.discriminator(made)
            classification = F.cross_entropy(logits, target)
            cycle = F.l1_loss(self.generator(made, common.one_hot(labels, self.faces.classes)), images)
            loss = settings.classification * classification + settings.reconstruction * cycle
            loss = loss - settings.adversarial * scores.mean()
        self.optimizers["generator"].zero_grad()
        common.gradients(loss, self.generator)
        self.optimizers["generator"].step()
        return {
            "generator": -scores.detach().mean(),
            "made_classification": classification.detach(),
            "cycle": cycle.detach(),
        }
