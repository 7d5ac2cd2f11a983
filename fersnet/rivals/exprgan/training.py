"""ExprGAN (Ding, Sricharan, Chellappa, "ExprGAN: Facial Expression Editing With Controllable Intensity", AAAI 2018).

A face is an identity code z and an expression code c, five numbers per expression: with u ~ U(-1, 1)^5, the block of
its label is |u| and every other block -|u| (equation 1); the size of u is the intensity. E gives z, G(z, c) the face,
D_z tells codes from the uniform prior, D_img(x, y) real from generated faces by label y, and Q, on the trunk of D_img,
reads c back from generated faces (a bound of the mutual information). With x^ the generated face:

    Q(x^)  = sum over the blocks of the mean squared error of the estimated block
    L_D    = BCE(D_img(x, y), 1) + BCE(D_img(x^, y), 0) + Q(x^)
    L_D_z  = BCE(D_z(z ~ prior), 1) + BCE(D_z(E(x)), 0)
    stage 1, controller:      L_G  = BCE(D_img(x^, y), 1) + Q(x^),            x^ = G(z ~ U(-1, 1)^50, c)
    stage 2, reconstruction:  L_EG = |x - x^|_1 + P(x, x^) + Q(x^),           x^ = G(E(x), c)
    stage 3, refinement:      L_EG = |x - x^|_1 + P(x, x^) + Q(x^) + 0.01 BCE(D_img(x^, y), 1)
                                     + 0.01 BCE(D_z(E(x)), 1) + 0.001 TV(x^)

Each stage begins with the networks of the last and fresh moments of Adam; all updates of a step come from the same
weights. Images (B, C, S, S) are in [0, 1] outside, [-1, 1] inside.

Decided openly:
  * P is published as an L1 distance of five layers of VGG-Face, an external download. Here it is the L1 distance of
    the last convolutional map of the fold's identity network. Its weight is calibrated once, on pairs of different
    training faces, to `perceptual_share` of the pixel term: 1 for each published term lets P almost vanish.
  * At test the released code draws u at random. Here each slot of u is the requested intensity v.
  * The released code reseeds its generator every epoch, so that noise, codes and flips repeat; the paper describes
    fresh draws, which are the default, and `repeated_noise` gives the released behaviour.
  * Initial deviations as in CAAE (`encoder_networks.width_gain`). TensorFlow's uneven padding is kept,
    turned by 180 degrees (`encoder_networks.halving`).
"""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fersnet.errors import UserError
from fersnet.models.light_cnn import LightCNN9
from fersnet.rivals import common
from fersnet.rivals.encoder_networks import CodeDiscriminator, Encoder, mini_map
from fersnet.rivals.exprgan import ExprGANSettings
from fersnet.rivals.exprgan.networks import CODE_SLOTS, Generator, ImageDiscriminator, expression_code
from fersnet.seeds import derive_seed
from fersnet.training.batches import FaceSet
from fersnet.training.loop import train
from fersnet.training.task import Stage, TrainingRun, TrainingTask

KEY = "exprgan"
CALIBRATION_FACES = 64
"""Training faces, at most, on which the weight of the identity-feature term is calibrated."""


def fit(faces: FaceSet, settings: ExprGANSettings, run: TrainingRun, identity: LightCNN9) -> None:
    """Trains the three stages on peak faces; writes checkpoint.pt and history.csv into the run's folder.

    Args:
        identity: network trained on the training subjects alone; it is not changed.

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
            "intensity": settings.intensity,
            "perceptual_weight": prepared.perceptual_weight,
        }
    )
    train(prepared, stages(settings, faces.class_counts()), described)


def task(faces: FaceSet, settings: ExprGANSettings, run: TrainingRun, identity: LightCNN9) -> "ExprGANTask":
    """The networks before their first step."""
    return ExprGANTask(common.prepare(faces, run), settings, run, identity)


def stages(settings: ExprGANSettings, counts: Mapping[str, int]) -> list[Stage]:
    """The training's three stages, on so many faces by expression."""
    samples = sum(counts.values())
    return [
        Stage("controller", settings.controller_epochs, settings.controller_batch_size, samples),
        Stage("reconstruction", settings.reconstruction_epochs, settings.batch_size, samples),
        Stage("refinement", settings.refinement_epochs, settings.batch_size, samples),
    ]


def load(checkpoint: Path, device: torch.device) -> "ExprGANSynthesizer":
    """The trained encoder and generator.

    Raises:
        UserError: if the file is unreadable or no checkpoint of ExprGAN.
    """
    states, metadata = common.read_rival(checkpoint, KEY)
    keys = ("width", "channels", "code_size", "image_size")
    width, channels, code_size, size = (common.number(metadata, key, checkpoint) for key in keys)
    intensity = metadata.get("intensity")
    if not isinstance(intensity, int | float) or not intensity > 0:
        raise UserError(f"{checkpoint}: the metadata gives no intensity; train again to replace the checkpoint")
    stages, side = mini_map(size, KEY)
    encoder = Encoder(width, channels, stages, side, code_size)
    expressions = common.class_names(metadata, checkpoint)
    generator = Generator(width, channels, len(expressions), stages, side, code_size)
    return ExprGANSynthesizer(
        common.rebuild(encoder, states, "encoder", checkpoint, device),
        common.rebuild(generator, states, "generator", checkpoint, device),
        channels,
        size,
        expressions,
        float(intensity),
    )


class ExprGANSynthesizer:
    """Turns faces into target expressions of a chosen intensity."""

    def __init__(
        self,
        encoder: nn.Module,
        generator: nn.Module,
        channels: int,
        image_size: int,
        expressions: tuple[str, ...],
        intensity: float,
    ) -> None:
        self.encoder, self.generator = encoder, generator
        self.channels, self.image_size = channels, image_size
        self.expressions, self.intensity = expressions, intensity

    @torch.no_grad()
    def synthesize(self, images: Tensor, target: Tensor, intensity: float | None = None) -> Tensor:
        """Images (B, C, S, S) in [0, 1] and class indices (B,) to faces of the same shape and range.

        Args:
            intensity: the value v of the target's block, -v elsewhere; training covers 0 to 1. None takes the
                setting that the model was trained with (published figures: 1).

        Raises:
            UserError: for another shape or an unknown class.
        """
        common.check_request(images, target, self.channels, self.image_size, self.expressions)
        value = self.intensity if intensity is None else intensity
        labels = common.one_hot(target.to(images.device), len(self.expressions))
        draw = labels.new_full((len(labels), CODE_SLOTS), value)
        return common.to_unit(self.generator(self.encoder(common.to_symmetric(images)), expression_code(labels, draw)))


class ExprGANTask(TrainingTask):
    """The networks and their simultaneous updates in the three stages."""

    def __init__(
        self, faces: common.RivalFaces, settings: ExprGANSettings, run: TrainingRun, identity: LightCNN9
    ) -> None:
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
        self.optimizers = {
            name: common.adam(network.parameters(), settings.learning_rate, settings.betas)
            for name, network in self.networks.items()
        }
        self.identity = run.place(deepcopy(identity)).eval().requires_grad_(False)
        self.perceptual_weight = self._calibrated()
        self.stage = ""
        self.epoch = 0
        self.step = 0
        self.averaging = settings.averaging

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        return ("generator",) if stage.name == "controller" else ("encoder", "generator")

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        if (stage.name, epoch) != (self.stage, self.epoch):
            self.step = 0
        if stage.name != self.stage:
            for optimizer in self.optimizers.values():
                optimizer.state.clear()
        self.stage, self.epoch = stage.name, epoch

    def training_step(self, indices: Tensor) -> dict[str, Tensor]:
        self.step += 1
        if self.settings.repeated_noise:
            torch.manual_seed(derive_seed(self.run.seed, KEY, self.stage, self.step))
        images = self.faces.draw(indices, self.settings)
        device = images.device
        labels = self.faces.one_hot(indices)
        expression = expression_code(labels, torch.rand(len(images), CODE_SLOTS).to(device))
        prior = (torch.rand(len(images), self.settings.code_size) * 2 - 1).to(device)
        if self.stage == "controller":
            return self._control(images, labels, expression, prior)
        return self._reconstruct(images, labels, expression, prior)

    def extra_state(self) -> dict[str, Any]:
        return {"stage": self.stage, "epoch": self.epoch, "step": self.step}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        self.stage, self.epoch, self.step = state["stage"], state["epoch"], state["step"]

    def _control(self, images: Tensor, labels: Tensor, expression: Tensor, prior: Tensor) -> dict[str, Tensor]:
        weight = self.settings.controller
        with self.run.autocast():
            made = self.generator(prior, expression)
            made_logits, code_error, judged = self._judge(images, made, labels, expression)
            adversarial = common.verdict(made_logits, real=True)
            loss = adversarial + weight * code_error
        self._update({"generator": loss, "image_discriminator": judged + weight * code_error})
        return {
            "adversarial": adversarial.detach(),
            "image_discriminator": judged.detach(),
            "code_error": code_error.detach(),
        }

    def _reconstruct(self, images: Tensor, labels: Tensor, expression: Tensor, prior: Tensor) -> dict[str, Tensor]:
        settings, refining = self.settings, self.stage == "refinement"
        with self.run.autocast():
            codes = self.encoder(images)
            made = self.generator(codes, expression)
            made_logits, code_error, judged = self._judge(images, made, labels, expression)
            code_logits = self.code_discriminator(codes)
            pixels = F.l1_loss(made, images)
            perceptual = self._perceptual(images, made)
            loss = settings.reconstruction * (pixels + self.perceptual_weight * perceptual)
            loss = loss + settings.controller * code_error
            if refining:
                loss = loss + settings.refinement_adversarial_image * common.verdict(made_logits, real=True)
                loss = loss + settings.refinement_adversarial_code * common.verdict(code_logits, real=True)
                loss = loss + settings.refinement_total_variation * common.total_variation(made)
            code_loss = common.verdict(self.code_discriminator(prior), real=True)
            code_loss = code_loss + common.verdict(code_logits, real=False)
        self._update(
            {
                "encoder generator": loss,
                "image_discriminator": judged + settings.controller * code_error,
                "code_discriminator": code_loss,
            }
        )
        return {
            "reconstruction": pixels.detach(),
            "perceptual": self.perceptual_weight * perceptual.detach(),
            "image_discriminator": judged.detach(),
            "code_discriminator": code_loss.detach(),
            "code_error": code_error.detach(),
        }

    def _judge(self, images: Tensor, made: Tensor, labels: Tensor, expression: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the made faces, the error of the code read from them, and the discriminator's adversarial loss."""
        made_logits, trunk = self.image_discriminator(made, labels)
        read = self.image_discriminator.regress(trunk)
        code_error = self.faces.classes * F.mse_loss(read, expression)
        real_logits, _ = self.image_discriminator(images, labels)
        return made_logits, code_error, common.verdict(real_logits, real=True) + common.verdict(made_logits, real=False)

    def _update(self, losses: dict[str, Tensor]) -> None:
        """Gradients of every loss for its networks first, then every step: the updates are simultaneous."""
        last = list(losses)[-1]
        moved = [name for names in losses for name in names.split()]
        for name in moved:
            self.optimizers[name].zero_grad()
        for names, loss in losses.items():
            networks = [self.networks[name] for name in names.split()]
            common.gradients(loss, *networks, keep_graph=names != last)
        for name in moved:
            self.optimizers[name].step()

    def _perceptual(self, images: Tensor, made: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.identity.features((images + 1) / 2)
        return F.l1_loss(self.identity.features((made + 1) / 2), wanted)

    @torch.no_grad()
    def _calibrated(self) -> float:
        spread = torch.linspace(0, len(self.faces) - 1, min(CALIBRATION_FACES, len(self.faces))).long()
        images = self.faces.unchanged(spread)
        others = images.roll(1, 0)
        features = float(self._perceptual(images, others))
        return self.settings.perceptual_share * float(F.l1_loss(images, others)) / features if features > 0 else 0.0
