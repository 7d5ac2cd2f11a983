"""CycleGAN (Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017).

CycleGAN knows two domains and no label, so that six expressions take six models: model k translates A to B = faces of
expression k by G, and back by F. A is every other training face (`protocol: rest`, which accepts any input), or the
neutral faces (`protocol: neutral`, for neutral inputs; A stays the rest where neutral is itself expression k). With
least-squares adversarial terms, a face a and a face b:

    L_D = 1/2 E[(D_B(b) - 1)^2] + 1/2 E[D_B(G(a))^2], and the same for D_A
    L_G = E[(D_B(G(a)) - 1)^2] + E[(D_A(F(b)) - 1)^2]
          + 10 |F(G(a)) - a|_1 + 10 |G(F(b)) - b|_1 + 5 |G(b) - b|_1 + 5 |F(a) - a|_1

One joint generator step, then one joint discriminator step on images from a pool of the past 50. An epoch is as long
as the larger domain; faces of B are drawn at random. Images (B, C, S, S) are in [0, 1] outside, [-1, 1] inside.

Decided openly: six models from scratch are dear. `initial: previous` starts each but the first from the model of the
expression before it, whose networks can already reproduce faces; short schedules need it, and `first_epochs` gives the
first model the time to learn that. Published is `fresh`. Normalisation per instance, as published, takes each face's
own brightness out, which short schedules do not learn to put back; `normalisation: batch`, an option of the released
code for both networks, is of the generators alone here.

Deviations: the six models are trained one after another as stages of one training, and only the six generators G go
into the checkpoint, since nothing else synthesises. A face that already has the target expression still passes G_k,
which the identity term covers. The published crop of 143 to 128 pixels is that from the stored to the network's size.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fersnet.errors import UserError
from fersnet.expressions import NEUTRAL
from fersnet.methods.contract import NEUTRAL_FACES
from fersnet.models.light_cnn import LightCNN9
from fersnet.rivals import common
from fersnet.rivals.cyclegan import CycleGANSettings
from fersnet.rivals.cyclegan.networks import Discriminator, Generator, check_image_size, initialise
from fersnet.training.batches import FaceSet
from fersnet.training.loop import train
from fersnet.training.task import Stage, TrainingRun, TrainingTask, set_learning_rate

KEY = "cyclegan"


def fit(
    faces: FaceSet,
    settings: CycleGANSettings,
    run: TrainingRun,
    identity: LightCNN9,
    neutral: FaceSet | None = None,
) -> None:
    """Trains one model per expression that has training faces; writes checkpoint.pt and history.csv.

    Args:
        faces: peak faces of the training subjects.
        identity: not used; the published method has no identity network.
        neutral: neutral faces of the same subjects, needed by `protocol: neutral` alone.

    Raises:
        UserError: for an image size that the method does not take, too few faces, or missing neutral faces.
    """
    prepared = task(faces, settings, run, identity, neutral)
    described = run.describing(
        {
            "method": KEY,
            "expressions": prepared.faces.expressions,
            "channels": prepared.faces.channels,
            "width": settings.width,
            "residual_blocks": settings.residual_blocks,
            "normalisation": settings.normalisation,
            "protocol": settings.protocol,
        }
    )
    counts = faces.class_counts() | (
        {} if prepared.sources is prepared.faces else {NEUTRAL_FACES: len(prepared.sources)}
    )
    train(prepared, stages(settings, counts), described)


def task(
    faces: FaceSet, settings: CycleGANSettings, run: TrainingRun, identity: LightCNN9, neutral: FaceSet | None
) -> "CycleGANTask":
    """The networks before their first step."""
    data = common.prepare(faces, run)
    check_image_size(data.image_size)
    if settings.protocol == "neutral" and neutral is None:
        raise UserError("rivals.cyclegan.protocol: neutral needs neutral faces, and there are none; set it to rest")
    sources = common.prepare(neutral, run) if neutral is not None and settings.protocol == "neutral" else None
    return CycleGANTask(data, sources, settings, run)


def stages(settings: CycleGANSettings, counts: Mapping[str, int]) -> list[Stage]:
    """A stage per expression whose two domains have faces, as long as the larger of them."""
    faces = {name: count for name, count in counts.items() if name != NEUTRAL_FACES}
    total = sum(faces.values())
    sources = {
        name: counts[NEUTRAL_FACES] if settings.protocol == "neutral" and name != NEUTRAL else total - own
        for name, own in faces.items()
    }
    larger = {name: max(own, sources[name]) for name, own in faces.items() if own and sources[name]}
    epochs = [settings.first_epochs or settings.epochs] + [settings.epochs] * (len(larger) - 1)
    return [
        Stage(name, count, settings.batch_size, settings.samples or samples, kind="model")
        for count, (name, samples) in zip(epochs, larger.items(), strict=True)
    ]


def load(checkpoint: Path, device: torch.device) -> "CycleGANSynthesizer":
    """The trained generators.

    Raises:
        UserError: if the file is unreadable or no checkpoint of CycleGAN.
    """
    states, metadata = common.read_rival(checkpoint, KEY)
    keys = ("width", "channels", "residual_blocks", "image_size")
    width, channels, blocks, size = (common.number(metadata, key, checkpoint) for key in keys)
    expressions, norm = common.class_names(metadata, checkpoint), common.normalisation(metadata, checkpoint)
    generators = {
        position: common.rebuild(
            Generator(width, channels, blocks, norm), states, _name(expression), checkpoint, device
        )
        for position, expression in enumerate(expressions)
        if _name(expression) in states
    }
    return CycleGANSynthesizer(generators, channels, size, expressions)


class CycleGANSynthesizer:
    """Turns faces into target expressions, each with its own generator."""

    def __init__(
        self, generators: dict[int, nn.Module], channels: int, image_size: int, expressions: tuple[str, ...]
    ) -> None:
        self.generators, self.channels, self.image_size = generators, channels, image_size
        self.expressions = expressions

    @torch.no_grad()
    def synthesize(self, images: Tensor, target: Tensor) -> Tensor:
        """Images (B, C, S, S) in [0, 1] and class indices (B,) to faces of the same shape and range.

        A face whose target had no training face, and so has no model, stays as it is.

        Raises:
            UserError: for another shape or an unknown class.
        """
        common.check_request(images, target, self.channels, self.image_size, self.expressions)
        result = images.clone()
        for position, generator in self.generators.items():
            chosen = (target == position).to(images.device)
            if chosen.any():
                result[chosen] = common.to_unit(generator(common.to_symmetric(images[chosen])))
        return result


class ImagePool:
    """Generated images of the past (section 4): once full, half of the requests swap a new image for an old one."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.images: list[Tensor] = []

    def exchange(self, images: Tensor) -> Tensor:
        """Images (B, C, S, S) in; as many, new and old, out."""
        result = []
        for image in images.unbind() if self.size else ():
            if len(self.images) < self.size:
                self.images.append(image)
            elif torch.rand(()) < 0.5:
                position = int(torch.randint(self.size, ()))
                image, self.images[position] = self.images[position], image
            result.append(image)
        return torch.stack(result) if result else images


class CycleGANTask(TrainingTask):
    """A model per expression, one at a time; its way back and its discriminators are fresh at each stage."""

    def __init__(
        self,
        faces: common.RivalFaces,
        sources: common.RivalFaces | None,
        settings: CycleGANSettings,
        run: TrainingRun,
    ) -> None:
        self.settings, self.run = settings, run
        self.faces, self.sources = faces, sources or faces
        self.domains: dict[str, tuple[Tensor, Tensor]] = {}
        for position, expression in enumerate(faces.expressions):
            here = (faces.labels == position).cpu()
            rest = self._source_faces(expression) is faces
            source = (~here).nonzero().squeeze(1) if rest else torch.arange(len(self.sources))
            if here.any() and len(source):
                self.domains[expression] = (source, here.nonzero().squeeze(1))
        if not self.domains:
            raise UserError(f"{run.folder}: CycleGAN needs faces of at least two expressions; lower folds.count")
        common.seed_networks(run, KEY)

        def generator() -> nn.Module:
            network = Generator(settings.width, faces.channels, settings.residual_blocks, settings.normalisation)
            return run.place(network)

        self.networks = {_name(expression): generator() for expression in self.domains}
        self.helpers = {"back": generator()}
        for side in ("judge_source", "judge_target"):
            self.helpers[side] = run.place(Discriminator(settings.width, faces.channels))
        judges = [*self.helpers["judge_source"].parameters(), *self.helpers["judge_target"].parameters()]
        self.optimizers = {"judges": common.adam(judges, settings.learning_rate, settings.betas)}
        for expression in self.domains:
            pair = [*self.networks[_name(expression)].parameters(), *self.helpers["back"].parameters()]
            self.optimizers[expression] = common.adam(pair, settings.learning_rate, settings.betas)
        self.pools = {side: ImagePool(settings.pool_size) for side in ("source", "target")}
        self.expression = ""
        self.order = torch.empty(0, dtype=torch.int64)
        self.averaging = settings.averaging

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        return (_name(stage.name),)

    def pass_through(self, indices: Tensor) -> None:
        """Faces of the source domain through the generator of the present expression."""
        source = self._source_faces(self.expression)
        with self.run.autocast():
            self.networks[_name(self.expression)](source.draw(self.order[indices], self.settings))

    def _source_faces(self, expression: str) -> common.RivalFaces:
        """The faces of an expression's source domain; a neutral face is made of the others."""
        return self.faces if expression == NEUTRAL else self.sources

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        source = self.domains[stage.name][0]
        self.order = source[torch.randperm(max(stage.samples, len(source))) % len(source)]
        if self.expression != stage.name:
            self._begin_model(stage.name)
        self.drawing = _name(stage.name) if self.settings.normalisation == "batch" else None
        rate = common.ramp(self.settings.learning_rate, epoch, stage.epochs, self.settings.decay_from)
        for optimizer in self.optimizers.values():
            set_learning_rate(optimizer, rate)

    def training_step(self, indices: Tensor) -> dict[str, Tensor]:
        target = self.domains[self.expression][1]
        first = self._source_faces(self.expression).draw(self.order[indices], self.settings)
        second = self.faces.draw(target[torch.randint(len(target), indices.shape)], self.settings)
        losses, made_first, made_second = self._update_generators(first, second)
        return losses | self._update_judges(first, second, made_first, made_second)

    def extra_state(self) -> dict[str, Any]:
        return {
            "expression": self.expression,
            "helpers": {name: dict(network.state_dict()) for name, network in self.helpers.items()},
            "pools": {side: [image.clone() for image in pool.images] for side, pool in self.pools.items()},
        }

    def load_extra_state(self, state: dict[str, Any]) -> None:
        self.expression = state["expression"]
        for name, network in self.helpers.items():
            network.load_state_dict(state["helpers"][name])
        for side, pool in self.pools.items():
            pool.images = [image.to(self.run.device) for image in state["pools"][side]]

    def _begin_model(self, expression: str) -> None:
        if self.expression and self.settings.initial == "previous":
            previous = self.networks[_name(self.expression)]
            self.networks[_name(expression)].load_state_dict(previous.state_dict())
        else:
            # The loop has seeded the beginning of this epoch: fresh weights do not depend on what ran before.
            for network in self.helpers.values():
                network.apply(initialise)
        self.expression = expression
        for optimizer in self.optimizers.values():
            optimizer.state.clear()
        for pool in self.pools.values():
            pool.images.clear()

    def _update_generators(self, first: Tensor, second: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        there, back = self.networks[_name(self.expression)], self.helpers["back"]
        settings, count = self.settings, len(first)
        with self.run.autocast():
            if settings.identity:
                # One pass for translation and identity mapping; normalisation per batch is over both.
                made_second, same_second = there(torch.cat((first, second))).split(count)
                made_first, same_first = back(torch.cat((second, first))).split(count)
                identity = F.l1_loss(same_first, first) + F.l1_loss(same_second, second)
            else:
                made_second, made_first = there(first), back(second)
                identity = first.new_zeros(())
            adversarial = _squares(self.helpers["judge_target"](made_second), 1.0)
            adversarial = adversarial + _squares(self.helpers["judge_source"](made_first), 1.0)
            cycle = F.l1_loss(back(made_second), first) + F.l1_loss(there(made_first), second)
            loss = adversarial + settings.cycle * (cycle + settings.identity * identity)
        self.optimizers[self.expression].zero_grad()
        common.gradients(loss, there, back)
        self.optimizers[self.expression].step()
        losses = {"generator": adversarial.detach(), "cycle": cycle.detach(), "identity": identity.detach()}
        return losses, made_first.detach(), made_second.detach()

    def _update_judges(
        self, first: Tensor, second: Tensor, made_first: Tensor, made_second: Tensor
    ) -> dict[str, Tensor]:
        loss = torch.zeros((), device=first.device)
        with self.run.autocast():
            for side, real, made in (("source", first, made_first), ("target", second, made_second)):
                judge = self.helpers[f"judge_{side}"]
                old = self.pools[side].exchange(made)
                real_scores, made_scores = judge(torch.cat((real, old.to(real.dtype)))).split(len(real))
                loss = loss + (_squares(real_scores, 1.0) + _squares(made_scores, 0.0)) / 2
        self.optimizers["judges"].zero_grad()
        loss.backward()
        self.optimizers["judges"].step()
        return {"discriminator": loss.detach()}


def _name(expression: str) -> str:
    return f"generator_{expression}"


def _squares(scores: Tensor, wanted: float) -> Tensor:
    return (scores - wanted).square().mean()
