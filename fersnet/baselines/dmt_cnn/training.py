"""DMT-CNN: expression and identity from one trunk, whose two losses are weighed by what the trunk sees.

Z. Ming, J. Xia, M. M. Luqman, J.-C. Burie and K. Zhao, "Dynamic multi-task learning for face recognition with facial
expression", ICCV Workshops 2019 (arXiv 1911.03281). The paper of the tables calls a row DMT-CNN without our having seen
its reference: this is the likelier of two candidates. `side_task: landmarks` stands for the other, G. Hu and others,
"Deep multi-task learning to recognise subtle facial expressions of mental states", ECCV 2018, without its tensor trace
norm and its pre-training.

*Network.* A trunk up to 4w channels, and above it a branch of two residual blocks of 8w for each task.

    faces (B, C, S, S) -> shared map (B, 4w, S/8, S/8) -> per task (B, 8w, S/16, S/16) -> mean (B, 8w)
    expression: dropout, 128 units, ReLU, logits (B, K); identity: dropout = embedding, logits (B, subjects)

*Losses.* L_exp is cross-entropy. With e the embedding on the unit sphere and c the centre of its subject,

    L_id = cross-entropy + 0.1 * |e - c|^2 / 2
    c <- c + 0.5 * (mean over the subject's faces in the batch of e - c), from c = 0
    w = mean over the batch of softmax(V u + b), u the flattened shared map on the unit sphere
    main loss   w_id L_id + w_exp L_exp                         moves all but V and b
    weight loss w_id / (L_id + 0.01) + w_exp / (L_exp + 0.01)   moves V and b alone

so that the harder task gains weight. All that is known from the released code, as are dropout, the bound of 5 to the
gradient's norm, the batch of 90 and the learning rate of V and b.

*The side task landmarks.* The side branch predicts 136 numbers: how far each of the 68 points lies from its mean over
the training faces (and their mirrors), in units of the deviations' common standard deviation; the loss is smooth L1.
Faces without landmarks do not count in it.

*Deviations.* A small ResNet in the place of Inception-ResNet-v1, and no weights from large sets of faces:
`pretrained_on` names a stand-in, on which the same training runs first. The trunk's normalisation is trained; in the
code that of trunk and identity branch is frozen, as befits a ready network. Adam moves the networks in the place of
RMSProp with an epsilon of 1, and momentum descent V and b, which is what RMSProp with such an epsilon comes to; V and b
are zero first. In the code w is part of the main loss, which pushes the trunk to give weight to the easier task:
`weighting: released` keeps that, the default treats w as numbers. `fixed` has w = 1/2. Left out as slips of the code: a
ReLU on the logits, identities of test subjects among the classes, the choice of an epoch on the test fold, and a weight
decay that is collected and never added (here it is Adam's). Only peak faces are read.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD

from fersnet.baselines.dmt_cnn import DmtCnnSettings
from fersnet.baselines.dmt_cnn.landmarks import landmark_targets
from fersnet.baselines.dmt_cnn.network import DmtCnn, TaskWeights
from fersnet.baselines.faces import FaceModel, begun, trained
from fersnet.errors import UserError
from fersnet.seeds import derive_seed
from fersnet.training.batches import Crops, FaceSet, cut, draw_crops
from fersnet.training.classification import ClassificationTask, share_right
from fersnet.training.losses import masked_mean
from fersnet.training.task import Stage
from fersnet.training.transfer import start_from

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

KEY = "dmt_cnn"
EASIEST = 0.01
"""What is added to a loss before the weights are divided by it."""
MOMENTUM = 0.9
"""Of the descent of the tasks' weights."""


def main_loss(weights: Tensor, losses: Tensor) -> Tensor:
    """What the networks minimise. weights, losses: (2,), of side task and expression."""
    return (weights * losses).sum()


def weight_loss(weights: Tensor, losses: Tensor) -> Tensor:
    """What the weights minimise: smallest where the larger loss has all the weight."""
    return (weights / (losses.detach() + EASIEST)).sum()


def centre_loss(embeddings: Tensor, centres: Tensor) -> Tensor:
    """Mean over a batch of half the squared distance of each embedding from its centre, (B, F) both."""
    return (embeddings - centres).square().sum(dim=1).mean() / 2


class DmtCnnTask(ClassificationTask):
    """Both tasks and their weights in one step."""

    def __init__(
        self,
        network: DmtCnn,
        weights: TaskWeights | None,
        faces: FaceSet,
        settings: DmtCnnSettings,
        run: "TrainingRun",
    ) -> None:
        """weights: None where they are fixed."""
        super().__init__(network, faces, faces.labels, run.metadata["image_size"], settings, run)
        self.dmt, self.options = network, settings
        self.subjects = faces.subjects.to(run.device)
        self.weights = None if weights is None else weights.to(run.device)
        if self.weights is not None:
            self.networks["weights"] = self.weights
            self.optimizers["weights"] = SGD(
                self.weights.parameters(), lr=settings.weights_learning_rate, momentum=MOMENTUM
            )
        landmarks = settings.side_task == "landmarks"
        self.points = landmark_targets(faces, self.crop, run.device) if landmarks else None

    def terms(self, indices: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The weighted losses of both tasks, and the loss of the weights, on a batch."""
        images, labels = self.images[indices], self.labels[indices]
        crops = draw_crops(images, self.crop)
        with self.run.autocast():
            shared = self.dmt.shared(cut(images, self.crop, crops))
            logits = self.dmt.expression(shared).float()
            side = self._side_loss(self.dmt.side(shared), indices, crops)
        losses = torch.stack([side, functional.cross_entropy(logits, labels)])
        terms: dict[str, Tensor] = {}
        if self.weights is None:
            weights = torch.full_like(losses, 0.5)
        elif self.options.weighting == "released":
            weights = self.weights(shared, frozen=True)
        else:
            weights = self.weights(shared.detach()).detach()
        terms["main"] = main_loss(weights, losses)
        if self.weights is not None:
            terms["weights"] = weight_loss(self.weights(shared.detach()), losses)
        figures = {
            "side_loss": losses[0].detach(),
            "cross_entropy": losses[1].detach(),
            "side_weight": weights[0].detach(),
            "training_accuracy": share_right(logits, labels),
        }
        return terms, figures

    def _side_loss(self, features: Tensor, indices: Tensor, crops: Crops) -> Tensor:
        if self.points is not None:
            targets, present = self.points.of(indices, crops)
            distances = functional.smooth_l1_loss(self.dmt.landmarks(features).float(), targets, reduction="none")
            return masked_mean(distances, present)
        head, subjects = self.dmt.identity, self.subjects[indices]
        logits, embeddings = head(features)
        away = centre_loss(embeddings, head.centres[subjects])
        head.move_centres(embeddings, subjects, self.options.centre_rate)
        return functional.cross_entropy(logits.float(), subjects) + self.options.centre_weight * away


def fit(
    train: FaceSet,
    validation: FaceSet,
    settings: DmtCnnSettings,
    run: "TrainingRun",
    classes: int,
    pretrained: Path | None = None,
) -> FaceModel:
    """Trains on the training and the validation faces for the scheduled epochs.

    Raises:
        UserError: for less than two faces, none with landmarks where these are the side task, a start that does not
            fit, or a loss that is not finite.
    """
    faces, described = begun(KEY, train, validation, settings, run)
    prepared = task(faces, settings, described, classes, pretrained)
    if prepared.points is not None and not prepared.points.present.any():
        raise UserError(
            "baselines.dmt_cnn.side_task: no training face has landmarks; choose a faces.backend that finds them, or "
            "the side task identity"
        )
    return trained(prepared, stages(settings, len(faces)), faces, described)


def task(
    faces: FaceSet, settings: DmtCnnSettings, run: "TrainingRun", classes: int, pretrained: Path | None = None
) -> DmtCnnTask:
    """The networks before their first step."""
    torch.manual_seed(derive_seed(run.seed, KEY))
    network = DmtCnn(settings, faces.images.shape[1], classes, len(faces.subject_names))
    networks: dict[str, nn.Module] = {"network": network}
    weights = None
    if settings.weighting != "fixed":
        size = run.metadata["image_size"]
        weights = networks["weights"] = TaskWeights(4 * settings.width * (size // 8) ** 2)
    heads = {"by_class": ("classifier.",), "by_subject": ("identity.",)}
    start_from(pretrained, KEY, networks, faces.expressions, **heads)
    return DmtCnnTask(network, weights, faces, settings, run)


def stages(settings: DmtCnnSettings, samples: int) -> list[Stage]:
    """The training's one stage, on so many faces."""
    return [Stage(KEY, settings.epochs, settings.batch_size, samples)]
