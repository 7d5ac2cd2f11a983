"""DeRL: what has to be taken away from a face to make it neutral says which expression it had.

H. Yang, U. Ciftci and L. Yin, "Facial expression recognition by de-expression residue learning", CVPR 2018.

*Generator.* A conditional GAN maps any face x to a neutral face y of the same subject. G is an autoencoder of 4 x 4
convolutions of stride 2 with BatchNorm, its maps e1 to e4 on the way down (leaky ReLU), d1 to d3 on the way up (ReLU),
and has no connection past e4. D sees patches of (x, y) and of (x, G(x)). With D the sigmoid of its logits,

    L_D = -E log D(x, y) - E log(1 - D(x, G(x)))
    L_G = -E log D(x, G(x)) + theta * mean |y - G(x)|

    faces (B, C, S, S) -> e1 (B, w, S/2, S/2), e2 (2w, S/4), e3 (4w, S/8), e4 (8w, S/16)
    e4 -> d1 (B, 4w, S/8, S/8), d2 (2w, S/4), d3 (w, S/2) -> G(x) (B, C, S, S)

*Classifiers.* The generator is then frozen, running statistics and all. [e1, d3], [e2, d2], [e3, d1] and e4 each go to
a local network (two 3 x 3 convolutions of 2w and 4w filters with BatchNorm, ReLU and pooling by 2, then 4w units) with
a classifier of its own; a fifth classifier reads the units of all four and e4. The loss is the sum of the five
cross-entropies. The fifth alone recognises, from the one face: a subject's own neutral face is never looked at.

*Known of the paper*: the idea, the frozen generator, maps of one size read together by local networks with losses of
their own, and the five losses. *Recalled, so our choice*: 4 x 4 convolutions of stride 2 and BatchNorm, Adam with a
first rate of 0.5, 300 epochs in batches of 150 for the generator; batches of 50, weight decay 5e-4 and dropout 1/2 for
the classifiers. *Declared, since not known*: all widths and the layers of local networks and discriminator, four stages
whatever the size, the smallest map as the fourth input, theta of 10, learning rates, all five weights 1.

*Deviations.* No BU-4DFE and BP4D at the published scale: `pretrained_on` names a stand-in, on which the same training
runs first, generator and all; both then go on with the fold. The generator learns from peak faces and neutral faces in
the place of all frames, towards the neutral face of the same sequence where there is one. It sees the faces that the
classifiers are trained on, so that residues of training faces are somewhat cleaner than those of test faces; a short
schedule keeps that small. Adam trains the classifiers in the place of momentum descent. Faces are cropped at random and
mirrored, but not rotated; the centre is read at test, not five crops. The embedded runs, which show the generator a few
thousand pairs in all, give theta 100.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from fersnet.baselines.derl import DerlSettings
from fersnet.baselines.derl.networks import Classifiers, Derl, Discriminator, Generator, residues
from fersnet.baselines.derl.pairs import NO_NEUTRAL, NeutralPairs
from fersnet.baselines.faces import FaceModel, begun, face_model
from fersnet.errors import UserError
from fersnet.seeds import derive_seed
from fersnet.training import loop
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.classification import ClassificationTask, share_right
from fersnet.training.task import Stage
from fersnet.training.transfer import start_from

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

KEY, GENERATOR = "derl", "generator"


def discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """L_D of the logits of real and of generated pairs, any shape."""
    return functional.softplus(-real.float()).mean() + functional.softplus(generated.float()).mean()


def generator_loss(logits: Tensor, difference: Tensor, weight: float) -> Tensor:
    """L_G of the logits of generated pairs and the mean absolute difference from the neutral faces."""
    return functional.softplus(-logits.float()).mean() + weight * difference


class DerlTask(ClassificationTask):
    """First the generator against its discriminator, then the classifiers on what the frozen generator shows."""

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        classifiers: Classifiers,
        faces: FaceSet,
        pairs: NeutralPairs,
        settings: DerlSettings,
        run: "TrainingRun",
    ) -> None:
        super().__init__(classifiers, faces, faces.labels, run.metadata["image_size"], settings, run)
        self.options, self.pairs, self.stage = settings, pairs, ""
        self.classifiers = classifiers
        self.generator, self.discriminator = run.place(generator), run.place(discriminator)
        self.networks |= {GENERATOR: self.generator, "discriminator": self.discriminator}
        self.adversaries = {
            name: Adam(
                self.networks[name].parameters(),
                lr=settings.generator_learning_rate,
                betas=settings.generator_betas,
                fused=True,
            )
            for name in (GENERATOR, "discriminator")
        }
        self.optimizers = self.optimizers | self.adversaries
        self.neutral = pairs.neutral.images.to(run.device)
        self.inputs = torch.cat((self.images, self.neutral))

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        """The classifiers: they know the generator's last weights alone."""
        return () if stage.name == GENERATOR else ("network",)

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        """The generator learns in its own stage, and stands still in the other."""
        super().begin_epoch(stage, epoch)
        self.stage = stage.name
        learns = stage.name == GENERATOR
        self.generator.train(learns).requires_grad_(learns)

    def training_step(self, indices: Tensor) -> dict[str, Tensor]:
        if self.stage != GENERATOR:
            return super().training_step(indices)
        inputs, targets = (positions.to(self.run.device) for positions in self.pairs.draw(indices))
        faces, neutral = crop_and_flip(self.inputs[inputs], self.crop, train=True, extra=self.neutral[targets])
        with self.run.autocast():
            generated = self.generator(faces)
            judged = discriminator_loss(
                self.discriminator(faces, neutral), self.discriminator(faces, generated.detach())
            )
        self._descend("discriminator", judged)
        with self.run.autocast():
            logits = self.discriminator(faces, generated)
        difference = (generated.float() - neutral).abs().mean()
        self._descend(GENERATOR, generator_loss(logits, difference, self.options.reconstruction))
        return {"discriminator": judged.detach(), "difference": difference.detach()}

    def _descend(self, name: str, loss: Tensor) -> None:
        self.adversaries[name].zero_grad(set_to_none=True)
        loss.backward(inputs=list(self.networks[name].parameters()))
        self.adversaries[name].step()

    def terms(self, indices: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The five cross-entropies of the classifiers on a batch."""
        images, labels = crop_and_flip(self.images[indices], self.crop, train=True), self.labels[indices]
        with self.run.autocast():
            with torch.no_grad():
                maps = residues(*self.generator.maps(images))
            logits, local = self.classifiers(maps)
        terms = {"cross_entropy": functional.cross_entropy(logits.float(), labels)}
        for number, scores in enumerate(local, start=1):
            loss = functional.cross_entropy(scores.float(), labels)
            terms[f"local_{number}"] = self.options.local_weight * loss
        return terms, {"training_accuracy": share_right(logits, labels)}


def fit(
    train: FaceSet,
    validation: FaceSet,
    settings: DerlSettings,
    run: "TrainingRun",
    classes: int,
    pretrained: Path | None = None,
    *,
    neutral: FaceSet | None,
) -> FaceModel:
    """Trains on the training and the validation faces, and on the neutral faces of their subjects.

    Raises:
        UserError: for less than two faces, no neutral one, a start that does not fit, or a loss that is not finite.
    """
    faces, described = begun(KEY, train, validation, settings, run)
    prepared = task(faces, settings, described, classes, pretrained, neutral=neutral)
    loop.train(prepared, _stages(settings, len(faces), len(prepared.pairs)), described)
    return face_model(Derl(prepared.generator, prepared.classifiers), faces, described)


def task(
    faces: FaceSet,
    settings: DerlSettings,
    run: "TrainingRun",
    classes: int,
    pretrained: Path | None = None,
    *,
    neutral: FaceSet | None,
) -> DerlTask:
    """The networks before their first step.

    Raises:
        UserError: where no subject has a neutral face, or for a start that does not fit.
    """
    if neutral is None:
        raise UserError(NO_NEUTRAL)
    pairs = NeutralPairs(faces, neutral)
    torch.manual_seed(derive_seed(run.seed, KEY))
    channels = faces.images.shape[1]
    generator, discriminator = Generator(settings.width, channels), Discriminator(settings.width, channels)
    classifiers = Classifiers(settings, run.metadata["image_size"], classes)
    networks: dict[str, nn.Module] = {"network": classifiers, GENERATOR: generator, "discriminator": discriminator}
    start_from(pretrained, KEY, networks, faces.expressions, by_class=("classifier.", "local_classifiers."))
    return DerlTask(generator, discriminator, classifiers, faces, pairs, settings, run)


def stages(settings: DerlSettings, samples: int, *, neutral: int) -> list[Stage]:
    """The generator's stage, on so many faces and neutral faces, and the classifiers', on the faces."""
    return _stages(settings, samples, samples + neutral)


def _stages(settings: DerlSettings, samples: int, pairs: int) -> list[Stage]:
    return [
        Stage(GENERATOR, settings.generator_epochs, settings.generator_batch_size, pairs),
        Stage("classifiers", settings.epochs, settings.batch_size, samples),
    ]
