"""CAAE (Zhang, Song, Qi, "Age Progression/Regression by Conditional Adversarial Autoencoder", CVPR 2017).

Expressions take the place of ages, and the gender label is dropped. The encoder E gives a code z, the generator G a
face from z and a label l of -1 and +1; D_z tells codes from the uniform prior p, D_img real from generated faces.
With x a face and l its label, the losses (equations 3 to 5 with the weights of the released code) are

    L_EG    = |x - G(E(x), l)|_1 + a BCE(D_img(G(E(x), l), l), 1) + b BCE(D_z(E(x)), 1) + c TV(G(E(x), l))
    L_D_img = BCE(D_img(x, l), 1) + BCE(D_img(G(E(x), l), l), 0)
    L_D_z   = BCE(D_z(z ~ p), 1) + BCE(D_z(E(x)), 0)

with (a, b, c) = (1e-4, 0, 0). All updates of a step come from the same weights, 1:1:1. A face is translated by
encoding it once and decoding it with the target's label. Images (B, C, S, S) are in [0, 1] outside, [-1, 1] inside.

Decided openly:
  * With b = 0, as released, D_z is trained and never reaches the encoder; `adversarial_code: 1e-4` repairs that.
  * The released model for the first weights is of ten ages; the released alternative for training from scratch is
    used instead: ten epochs with (a, b, c) = (0, 0, 0).
  * Since z is free to carry the expression itself, labels may be partly ignored. That is the method.
  * Initial deviations are the published 0.02 at width 64 and keep the layers' gain at other widths
    (`encoder_networks.width_gain`). TensorFlow's uneven padding is kept, turned by 180 degrees
    (`encoder_networks.halving`).
"""

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fersnet.models.light_cnn import LightCNN9
from fersnet.rivals import common
from fersnet.rivals.caae import CAAESettings
from fersnet.rivals.caae.networks import Generator, ImageDiscriminator
from fersnet.rivals.encoder_networks import CodeDiscriminator, Encoder, mini_map
from fersnet.training.batches import FaceSet
from fersnet.training.loop import train
from fersnet.training.task import Stage, TrainingRun, TrainingTask

KEY = "caae"


def fit(faces: FaceSet, settings: CAAESettings, run: TrainingRun, identity: LightCNN9) -> None:
    """Trains CAAE on peak faces and writes checkpoint.pt and history.csv into the run's folder.

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
            "code_size": settings.code_size,
        }
    )
    train(prepared, stages(settings, faces.class_counts()), described)


def task(faces: FaceSet, settings: CAAESettings, run: TrainingRun, identity: LightCNN9) -> "CAAETask":
    """The networks before their first step."""
    return CAAETask(common.prepare(faces, run), settings, run)


def stages(settings: CAAESettings, counts: Mapping[str, int]) -> list[Stage]:
    """The training's stages, on so many faces by expression."""
    return [
        Stage(name, epochs, settings.batch_size, sum(counts.values()))
        for name, epochs in (("warm_up", settings.warm_up_epochs), ("training", settings.epochs))
        if epochs
    ]


def load(checkpoint: Path, device: torch.device) -> "CAAESynthesizer":
    """The trained encoder and generator.

    Raises:
        UserError: if the file is unreadable or no checkpoint of CAAE.
    """
    states, metadata = common.read_rival(checkpoint, KEY)
    keys = ("width", "channels", "code_size", "image_size")
    width, channels, code_size, size = (common.number(metadata, key, checkpoint) for key in keys)
    stages, side = mini_map(size, KEY)
    encoder = Encoder(width, channels, stages, side, code_size)
    expressions = common.class_names(metadata, checkpoint)
    generator = Generator(width, channels, len(expressions), stages, side, code_size)
    return CAAESynthesizer(
        common.rebuild(encoder, states, "encoder", checkpoint, device),
        common.rebuild(generator, states, "generator", checkpoint, device),
        channels,
        size,
        expressions,
    )


class CAAESynthesizer:
    """Turns faces into target expressions by decoding their codes with the target's label."""

    def __init__(
        self, encoder: nn.Module, generator: nn.Module, channels: int, image_size: int, expressions: tuple[str, ...]
    ) -> None:
        self.encoder, self.generator = encoder, generator
        self.channels, self.image_size, self.expressions = channels, image_size, expressions

    @torch.no_grad()
    def synthesize(self, images: Tensor, target: Tensor) -> Tensor:
        """Images (B, C, S, S) in [0, 1] and class indices (B,) to faces of the same shape and range.

        Raises:
            UserError: for another shape or an unknown class.
        """
        common.check_request(images, target, self.channels, self.image_size, self.expressions)
        codes = self.encoder(common.to_symmetric(images))
        # A label is +1 at the class and -1 elsewhere.
        labels = common.to_symmetric(common.one_hot(target.to(images.device), len(self.expressions)))
        return common.to_unit(self.generator(codes, labels))


class CAAETask(TrainingTask):
    """The four networks and their simultaneous updates."""

    def __init__(self, faces: common.RivalFaces, settings: CAAESettings, run: TrainingRun) -> None:
        self.faces, self.settings, self.run = faces, settings, run
        stages, side = mini_map(faces.image_size, KEY)
        width, channels, code_size = settings.width, faces.channels, settings.code_size
        common.seed_networks(run, KEY)
        self.encoder = Encoder(width, channels, stages, side, code_size)
        self.generator = Generator(width, channels, faces.classes, stages, side, code_size)
        self.code_discriminator = CodeDiscriminator(code_size)
        self.image_discriminator = ImageDiscriminator(width, channels, faces.classes, faces.image_size)
        self.networks = {
            "encoder": run.place(self.encoder),
            "generator": run.place(self.generator),
            "code_discriminator": run.place(self.code_discriminator),
            "image_discriminator": run.place(self.image_discriminator),
        }
        autoencoder = [*self.encoder.parameters(), *self.generator.parameters()]
        rate, betas = settings.learning_rate, settings.betas
        self.optimizers = {
            "autoencoder": common.adam(autoencoder, rate, betas),
            "code_discriminator": common.adam(self.code_discriminator.parameters(), rate, betas),
            "image_discriminator": common.adam(self.image_discriminator.parameters(), rate, betas),
        }
        self.weights = (0.0, 0.0, 0.0)
        self.averaging = settings.averaging

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        return ("encoder", "generator")

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        settings = self.settings
        weights = (settings.adversarial_image, settings.adversarial_code, settings.total_variation)
        self.weights = (0.0, 0.0, 0.0) if stage.name == "warm_up" else weights

    def training_step(self, indices: Tensor) -> dict[str, Tensor]:
        images = self.faces.draw(indices, self.settings)
        labels = common.to_symmetric(self.faces.one_hot(indices))
        prior = (torch.rand(len(images), self.settings.code_size) * 2 - 1).to(images.device)
        image_weight, code_weight, variation_weight = self.weights
        with self.run.autocast():
            codes = self.encoder(images)
            made = self.generator(codes, labels)
            # One pass of each discriminator over what was made serves both sides; without a weight on its verdict
            # the pass is cut off from encoder and generator.
            made_logits = self.image_discriminator(made if image_weight else made.detach(), labels)
            code_logits = self.code_discriminator(codes if code_weight else codes.detach())
            reconstruction = F.l1_loss(made, images)
            loss = reconstruction
            if image_weight:
                loss = loss + image_weight * common.verdict(made_logits, real=True)
            if code_weight:
                loss = loss + code_weight * common.verdict(code_logits, real=True)
            if variation_weight:
                loss = loss + variation_weight * common.total_variation(made)
            image_loss = common.verdict(self.image_discriminator(images, labels), real=True)
            image_loss = image_loss + common.verdict(made_logits, real=False)
            code_loss = common.verdict(self.code_discriminator(prior), real=True)
            code_loss = code_loss + common.verdict(code_logits, real=False)
        for optimizer in self.optimizers.values():
            optimizer.zero_grad()
        common.gradients(loss, self.encoder, self.generator, keep_graph=True)
        common.gradients(image_loss, self.image_discriminator)
        common.gradients(code_loss, self.code_discriminator)
        for optimizer in self.optimizers.values():
            optimizer.step()
        return {
            "reconstruction": reconstruction.detach(),
            "image_discriminator": image_loss.detach(),
            "code_discriminator": code_loss.detach(),
        }
