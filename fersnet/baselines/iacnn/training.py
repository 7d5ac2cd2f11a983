"""IACNN: two streams of shared weights on pairs of faces, with a branch for the expression and one for the subject.

Z. Meng, P. Liu, J. Cai, S. Han and Y. Tong, "Identity-aware convolutional neural network for facial expression
recognition", FG 2017.

*Network.* Three times convolution, PReLU, BatchNorm and maximum pooling by 2 (5 x 5, 3 x 3 and 3 x 3 pixels; 2w, 4w
and 8w filters), a fully connected layer of 16w, and above it two of 4w each, e(x) for the expression and s(x) for the
subject. Class scores come from [e(x), s(x)]; a second classifier reads e(x) alone.

    faces (B, C, S, S) -> maps (B, 8w, S/8, S/8) -> units (B, 16w) -> e, s (B, 4w) -> logits (B, K)

*Loss.* For a pair (x, y) and a branch f, with d^2 = |f(x) - f(y)|^2 and t = 1 where both have the same expression (f =
e) or subject (f = s), 0 otherwise:

    L_contrastive = t d^2 / 2 + (1 - t) max(0, margin - d^2) / 2

The five terms, all of weight 1: this loss on e, the same on s, the cross-entropy of each stream on [e, s], and the mean
of both streams' cross-entropies on e. Means are over all pairs, whether or not the hinge is active. At test one stream
reads a face, and a sequence is the mean of its frames' probabilities.

*Known of the paper*: two identical streams, and the two contrastive losses. *Recalled, so our choice*: the order of
layers, the two fully connected branches, the concatenation, the terms beside the contrastive ones, the margin of 10 on
unnormalised features, last three frames. *Declared, since not known*: sizes of filters and widths, all weights, dropout
on the shared units, the hinge on d^2 (rather than on d), the initial weights (He and others), and the choice of pairs
(`pairs.py`), whose realised shares are in the history.

*Deviations.* The streams share their weights, as streams that are identical and used one at a time. Adam replaces
momentum descent. There is no pre-training on FER2013: `pretrained_on` names a stand-in, on which the same training runs
first. Faces are cropped at random and mirrored, but not rotated. Frames of one sequence do not enter the expression's
contrastive term, which would learn the subject from them; where a set offers a pair no other partner, they still enter
that of the subjects. Neutral faces are not read.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.baselines.faces import FaceModel, begun, trained
from fersnet.baselines.iacnn import IacnnSettings
from fersnet.baselines.iacnn.pairs import PairSampler
from fersnet.baselines.networks import initialise
from fersnet.seeds import derive_seed
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.classification import ClassificationTask, share_right
from fersnet.training.losses import masked_mean
from fersnet.training.task import Stage
from fersnet.training.transfer import start_from

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

KEY = "iacnn"


def contrastive_loss(first: Tensor, second: Tensor, same: Tensor, margin: float) -> Tensor:
    """Of each pair (B,): half its squared distance where it is the `same`, else half of what that lacks to `margin`.

    first, second: (B, F), any range; same: bool (B,).
    """
    squared = (first.float() - second.float()).square().sum(dim=1)
    return torch.where(same, squared, (margin - squared).clamp_min(0)) / 2


class Iacnn(nn.Module):
    """One stream, which stands for both."""

    def __init__(self, settings: IacnnSettings, channels: int, size: int, classes: int) -> None:
        super().__init__()
        width = settings.width
        layers: list[nn.Module] = []
        for stage, side in enumerate((5, 3, 3)):
            filters = 2 * width * 2**stage
            layers += [nn.Conv2d(channels, filters, side, padding=side // 2), nn.PReLU()]
            layers += [nn.BatchNorm2d(filters), nn.MaxPool2d(2)]
            channels = filters
        self.convolutions = nn.Sequential(*layers)
        self.shared = nn.Sequential(
            nn.Flatten(), nn.Linear(8 * width * (size // 8) ** 2, 16 * width), nn.PReLU(), nn.Dropout(settings.dropout)
        )
        self.expression = nn.Linear(16 * width, 4 * width)
        self.identity = nn.Linear(16 * width, 4 * width)
        self.classifier = nn.Linear(8 * width, classes)
        self.branch_classifier = nn.Linear(4 * width, classes)
        initialise(self)

    def branches(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """e and s, (B, 4w) each, of faces (B, C, S, S) in [0, 1]."""
        units = self.shared(self.convolutions(faces))
        return self.expression(units), self.identity(units)

    def forward(self, faces: Tensor) -> Tensor:
        """Logits (B, K) of faces (B, C, S, S) in [0, 1]."""
        return self.classifier(torch.cat(self.branches(faces), dim=1))


class IacnnTask(ClassificationTask):
    """The five terms on pairs that are drawn anew for every step, as many as the batch has faces."""

    def __init__(self, network: Iacnn, faces: FaceSet, settings: IacnnSettings, run: "TrainingRun") -> None:
        super().__init__(network, faces, faces.labels, run.metadata["image_size"], settings, run)
        self.iacnn, self.weights, self.pairs = network, settings, PairSampler(faces)

    def terms(self, indices: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The terms on one batch; only the number of the indices counts."""
        pairs, weights = self.pairs.draw(len(indices)), self.weights
        both = torch.cat((pairs.anchors, pairs.partners)).to(self.run.device)
        images, labels = crop_and_flip(self.images[both], self.crop, train=True), self.labels[both]
        same_expression, same_subject, same_sequence = (
            mask.to(self.run.device) for mask in (pairs.same_expression, pairs.same_subject, pairs.same_sequence)
        )
        with self.run.autocast():
            expression, identity = self.iacnn.branches(images)
            logits = self.iacnn.classifier(torch.cat((expression, identity), dim=1)).float()
            alone = self.iacnn.branch_classifier(expression).float()
        apart = contrastive_loss(*expression.chunk(2), same_expression, weights.margin)
        known = contrastive_loss(*identity.chunk(2), same_subject, weights.margin)
        anchor, partner = (
            functional.cross_entropy(*stream) for stream in zip(logits.chunk(2), labels.chunk(2), strict=True)
        )
        terms = {
            "expression_contrast": weights.expression_weight * masked_mean(apart[:, None], ~same_sequence),
            "identity_contrast": weights.identity_weight * known.mean(),
            "cross_entropy": weights.joint_weight * anchor,
            "partner_cross_entropy": weights.joint_weight * partner,
            "branch_cross_entropy": weights.branch_weight * functional.cross_entropy(alone, labels),
        }
        return terms, {"training_accuracy": share_right(logits, labels), **pairs.shares()}


def fit(
    train: FaceSet,
    validation: FaceSet,
    settings: IacnnSettings,
    run: "TrainingRun",
    classes: int,
    pretrained: Path | None = None,
) -> FaceModel:
    """Trains on the training and the validation faces for the scheduled epochs.

    Raises:
        UserError: for less than two faces, a start that does not fit, or a loss that is not finite.
    """
    faces, described = begun(KEY, train, validation, settings, run)
    prepared = task(faces, settings, described, classes, pretrained)
    return trained(prepared, stages(settings, len(faces)), faces, described)


def task(
    faces: FaceSet, settings: IacnnSettings, run: "TrainingRun", classes: int, pretrained: Path | None = None
) -> IacnnTask:
    """The network before its first step."""
    torch.manual_seed(derive_seed(run.seed, KEY))
    network = Iacnn(settings, faces.images.shape[1], run.metadata["image_size"], classes)
    heads = ("classifier.", "branch_classifier.")
    start_from(pretrained, KEY, {"network": network}, faces.expressions, by_class=heads)
    return IacnnTask(network, faces, settings, run)


def stages(settings: IacnnSettings, samples: int) -> list[Stage]:
    """The training's one stage, on so many faces; a step takes as many pairs as the batch has faces."""
    return [Stage(KEY, settings.epochs, settings.batch_size, samples)]
