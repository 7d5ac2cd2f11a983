"""IPA2LT: faces with several labels, of people and of models that learnt from others, and the truth behind them.

J. Zeng, S. Shan and X. Chen, "Facial expression recognition with inconsistently annotated datasets", ECCV 2018.

*Stages.* (1) A network per annotator learns from the annotator's own faces and their labels. (2) It labels the faces
that are not its own. (3) A network f of the same make is warmed up with the labels that people gave; then f and the
annotators' transitions learn from all labels of all faces ("LTNet"). (4) f alone recognises, by p.

    faces (B, C, S, S) -> p = softmax f (B, K); q^j = p T^j (B, K) for annotator j
    T^j[k, l]: the chance that j says l of a face of class k; rows are softmaxes of free numbers
    loss = - mean over faces, sum over the annotators j that label it, of log q^j[label]

T^j begins with 0.9 on its diagonal. A class that an annotator's own faces do not have (contempt, where only the target
set has it) it never says: that column is 0, and that row spread over the others.

*annotators: cross*, as published: annotators are the people who labelled the target set, whose labels count on the
fold's training faces, and each of the run's other sets, whose people's labels count on its own faces and whose model's
answers on all others. All these faces are trained on. **So the labels of the other sets are used.** One other set is
enough. Of a set that the same reader reads nobody is taken whom the fold tests.
*annotators: within*: nothing but the fold's training faces; annotators are the people, and models of three disjoint
parts of the subjects, each of which labels the other two parts.

*Known of the paper*: several labels per face from people and models of other sets, and the latent truth. *Recalled, so
our choice*: the stages, row-stochastic transitions near the identity, the negative log-likelihood of q, an answer by p.
*Declared, since not known*: a model's most probable class is its label; one matrix for people and model of a set; 0.9;
the warm-up, without which truth could be any permutation of the classes; Adam, and no weight decay on T.

*Deviations.* A small ResNet in the place of one of 80 layers. The target set is trained on: the published figures are
of sets that were not. The target's own model labels nobody, and there are no faces without labels. The annotating
models are trained again for every fold, though other sets are the same for all. `pretrained_on` names a set on which
f is trained first, without other sets; every network starts from it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from fersnet.baselines.faces import FaceModel, begun, face_model
from fersnet.baselines.ipa2lt import Ipa2ltSettings
from fersnet.baselines.ipa2lt.annotators import Annotator, across_sets, within_set
from fersnet.baselines.ipa2lt.networks import Classifier, Transitions
from fersnet.seeds import derive_seed
from fersnet.training import loop
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.classification import ClassificationTask, share_right
from fersnet.training.other_sets import joined_sets
from fersnet.training.task import Stage
from fersnet.training.transfer import start_from

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

KEY = "ipa2lt"
WARM_UP, LATENT, ANNOTATOR = "warm_up", "latent", "annotator_"
LABELLING_BATCH = 128


class Ipa2ltTask(ClassificationTask):
    """One network per stage: each annotator's, then f with the labels of people, then f with all labels."""

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        transitions: Transitions,
        annotators: Sequence[Annotator],
        faces: FaceSet,
        settings: Ipa2ltSettings,
        run: "TrainingRun",
    ) -> None:
        """networks: f by the name `network`, and one for every annotator that is asked."""
        super().__init__(networks["network"], faces, faces.labels, run.metadata["image_size"], settings, run)
        self.faces, self.annotators = faces, annotators
        self.transitions = transitions.to(run.device)
        for name, network in networks.items():
            if name != "network":
                self.networks[name] = run.place(network)
                self.optimizers[name] = self._adam(network, settings.learning_rate, settings.weight_decay)
        self.networks["transitions"] = self.transitions
        self.optimizers["transitions"] = self._adam(transitions, settings.transitions_learning_rate, 0.0)
        self.stage, self.own, self.labelled = "", torch.empty(0, dtype=torch.int64), False
        # An annotator's first class stands where it gives no label.
        nothing = self.transitions.said.float().argmax(dim=1)
        self.given = nothing.expand(len(faces), -1).clone()
        self.has_given = torch.zeros(self.given.shape, dtype=torch.bool, device=run.device)

    def _adam(self, network: nn.Module, rate: float, decay: float) -> Adam:
        return Adam(network.parameters(), lr=rate, betas=self.settings.betas, weight_decay=decay, fused=True)

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        """What recognises, f."""
        return ("network",) if stage.name in (WARM_UP, LATENT) else ()

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        """The stage's network takes the learning rate of the epoch; before the last stage the annotators answer."""
        name = "network" if stage.name in (WARM_UP, LATENT) else stage.name
        self.network, self.optimizer = self.networks[name], self.optimizers[name]
        super().begin_epoch(stage, epoch)
        self.stage = stage.name
        own = {ANNOTATOR + one.name: one.own for one in self.annotators}
        self.own = own.get(stage.name, torch.arange(len(self.labels))).to(self.run.device)
        if stage.name == LATENT and not self.labelled:
            self._gather_labels()
            self.labelled = True

    def _gather_labels(self) -> None:
        """The labels of all annotators, which depend on their trained networks alone."""
        for number, annotator in enumerate(self.annotators):
            own, asked = (positions.to(self.run.device) for positions in (annotator.own, annotator.asked))
            if annotator.says_own:
                self.given[own, number], self.has_given[own, number] = self.labels[own], True
            if len(asked):
                network, said = self.networks[ANNOTATOR + annotator.name], self.transitions.said[number]
                self.given[asked, number] = self._answers(network, said, asked)
                self.has_given[asked, number] = True

    @torch.no_grad()
    def _answers(self, network: nn.Module, said: Tensor, asked: Tensor) -> Tensor:
        network.eval()
        answers = []
        for positions in asked.split(LABELLING_BATCH):
            logits = network(crop_and_flip(self.images[positions], self.crop, train=False))
            answers.append(logits.masked_fill(~said, -torch.inf).argmax(dim=1))
        network.train()
        return torch.cat(answers)

    def terms(self, indices: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The loss of the stage's network on a batch of the stage's faces."""
        positions = self.own[indices]
        images, labels = crop_and_flip(self.images[positions], self.crop, train=True), self.labels[positions]
        with self.run.autocast():
            logits = self.network(images).float()
        figures = {"training_accuracy": share_right(logits, labels)}
        if self.stage != LATENT:
            return {"cross_entropy": functional.cross_entropy(logits, labels)}, figures
        log_chances = self.transitions.of_labels(logits.log_softmax(dim=1), self.given[positions])
        agreements = self.transitions.log_chances().detach().diagonal(dim1=1, dim2=2).exp().mean(dim=1)
        figures |= {f"agreement_{one.name}": agreements[number] for number, one in enumerate(self.annotators)}
        return {"labels": label_loss(log_chances, self.has_given[positions])}, figures


def label_loss(log_chances: Tensor, given: Tensor) -> Tensor:
    """The mean over faces of minus the sum of log q (B, J) at the labels that are given, bool (B, J)."""
    return -(log_chances * given).sum(dim=1).mean()


def fit(
    train: FaceSet,
    validation: FaceSet,
    settings: Ipa2ltSettings,
    run: "TrainingRun",
    classes: int,
    pretrained: Path | None = None,
    *,
    others: Mapping[str, FaceSet],
) -> FaceModel:
    """Trains on the training and the validation faces, and on the other sets' where these annotate.

    Raises:
        UserError: for less than two faces, a start that does not fit, or a loss that is not finite.
    """
    faces, described = begun(KEY, train, validation, settings, run)
    prepared = task(faces, settings, described, classes, pretrained, others=others)
    counts = {one.name: len(one.own) for one in prepared.annotators if len(one.asked)}
    names = {"annotators": [one.name for one in prepared.annotators]}
    loop.train(prepared, _stages(settings, counts, len(prepared.faces)), described.describing(names))
    return face_model(prepared.networks["network"], prepared.faces, described)


def task(
    faces: FaceSet,
    settings: Ipa2ltSettings,
    run: "TrainingRun",
    classes: int,
    pretrained: Path | None = None,
    *,
    others: Mapping[str, FaceSet],
) -> Ipa2ltTask:
    """The networks before their first step."""
    everything = faces
    if settings.annotators == "cross":
        annotators = across_sets({name: len(one) for name, one in others.items()}, len(faces))
        everything = joined_sets([faces, *others.values()])
    else:
        annotators = within_set(faces, settings.parts)
    torch.manual_seed(derive_seed(run.seed, KEY))
    names = ["network", *(ANNOTATOR + one.name for one in annotators if len(one.asked))]
    networks = {name: Classifier(settings.width, faces.images.shape[1], classes) for name in names}
    for network in networks.values():
        start_from(pretrained, KEY, {"network": network}, faces.expressions, by_class=("classifier.",))
    said = torch.stack([one.says(everything.labels, classes) for one in annotators])
    transitions = Transitions(said, settings.agreement)
    return Ipa2ltTask(networks, transitions, annotators, everything, settings, run)


def stages(settings: Ipa2ltSettings, samples: int, *, others: Mapping[str, int]) -> list[Stage]:
    """A stage for every annotator that is asked, the warm-up, and the last on all labels.

    others: the numbers of other sets' faces.
    """
    if settings.annotators == "cross":
        own = {name: count for name, count in others.items() if count > 1}
        return _stages(settings, own, samples + sum(others.values()))
    parts = [
        samples * (part + 1) // settings.parts - samples * part // settings.parts for part in range(settings.parts)
    ]
    return _stages(settings, {f"part_{part + 1}": count for part, count in enumerate(parts)}, samples)


def _stages(settings: Ipa2ltSettings, own: Mapping[str, int], samples: int) -> list[Stage]:
    """own: the number of faces that each annotator's network is trained on."""
    size = settings.batch_size
    return [
        *(Stage(ANNOTATOR + name, settings.annotator_epochs, size, count) for name, count in own.items()),
        Stage(WARM_UP, settings.warm_up_epochs, size, samples),
        Stage(LATENT, settings.epochs, size, samples),
    ]
