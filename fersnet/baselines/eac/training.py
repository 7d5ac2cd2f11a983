"""EAC: a ResNet whose attention must be the same on a face and in its mirror, whatever part of either is erased.

Y. Zhang, C. Wang, X. Ling and W. Deng, "Learn from all: erasing attention consistency for noisy label facial expression
recognition", ECCV 2022. It is no row of the paper's tables, but a rival of today.

*Network.* ResNet-18 for small faces (`fersnet.models.blocks`), whose last stage keeps its side, so that the map F has
S/8 of it; class scores are a linear map W of the average of F, plus a bias.

    faces (B, C, S, S) -> F (B, 8w, S/8, S/8) -> logits (B, K), attention (B, K, S/8, S/8)

*Loss.* The attention of class k is A_k = sum over channels c of W_kc F_c, with W detached and without the bias. With x
a view of a face and x' a view of its mirror,

    L = cross-entropy(x) + 5 * mean (A(x) - mirror A(x'))^2

over all classes; the gradient goes through both views, and x' has no cross-entropy. On x lies noise of variance 30 (in
squared grey levels) with probability 1/2; a rectangle of 2 to 25 % of the area, of proportions 0.3 to 3.3, is erased
with probability 1/2. x' is the mirror of the plain face, erased independently (the paper's idea, and its code for noisy
labels); `mirrors_erased` takes the mirror of x as it is (its code for clean labels). The released values of all that,
of Adam's learning rate, weight decay, batch and epochs are the defaults, known from the code.

*Deviations.* ResNet-18 without ImageNet or face weights at the project's image size, in place of ResNet-50 on 224
pixels that starts from VGGFace2: `pretrained_on` names a stand-in, on which the same training runs first. Without it
the method is known to be weak, and a small network's maps go flat before it has learnt anything, so that the embedded
runs give the consistency a weight of 1. A stride of 1 in the last stage: a map of 3 x 3 would be too coarse. Faces are
cropped and mirrored at random before the views are made, as for all recognisers here. What is erased becomes grey
(0.5), the middle of the pixels' range, where the code puts ImageNet's mean. The last epoch counts; the authors average
the last five.
"""

from math import log
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.baselines.eac import EacSettings
from fersnet.baselines.faces import FaceModel, begun, trained
from fersnet.models.blocks import residual_stages, residual_stem
from fersnet.seeds import derive_seed
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.classification import ClassificationTask, share_right
from fersnet.training.task import Stage
from fersnet.training.transfer import start_from

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

KEY = "eac"
AREAS = (0.02, 0.25)
"""Least and largest share of a face that is erased."""
PROPORTIONS = (0.3, 3.3)
"""Least and largest height of what is erased, in units of its width."""
GREY = 0.5


def consistency_loss(attention: Tensor, of_mirror: Tensor) -> Tensor:
    """Mean squared difference of two attentions (B, K, h, w), the second of which is mirrored back."""
    return functional.mse_loss(attention.float(), of_mirror.float().flip(-1))


def erased(images: Tensor, share: float) -> Tensor:
    """Images (B, C, S, S), with probability `share` each with a grey rectangle, drawn from the torch global RNG."""
    count, side = len(images), images.shape[-1]
    chosen = torch.rand(count) < share
    area = torch.empty(count).uniform_(*AREAS)
    proportion = torch.empty(count).uniform_(log(PROPORTIONS[0]), log(PROPORTIONS[1])).exp()
    # The largest of the smallest is 0.91 of the side, so that all fit.
    height, width = (side * (area * proportion).sqrt()).round(), (side * (area / proportion).sqrt()).round()
    top, left = (torch.rand(count) * (side - extent + 1) for extent in (height, width))
    steps = torch.arange(side)
    down = (steps >= top.floor()[:, None]) & (steps < (top.floor() + height)[:, None])
    across = (steps >= left.floor()[:, None]) & (steps < (left.floor() + width)[:, None])
    gone = chosen[:, None, None] & down[:, :, None] & across[:, None, :]
    return images.masked_fill(gone[:, None].to(images.device), GREY)


def noisy(images: Tensor, variance: float) -> Tensor:
    """Images (B, C, S, S) in [0, 1], half of them with noise of a variance in squared grey levels of 255."""
    chosen = torch.rand(len(images), 1, 1, 1) < 0.5
    noise = torch.randn(images.shape) * chosen * (variance**0.5 / 255)
    return (images + noise.to(images.device)).clamp(0, 1)


class Eac(nn.Module):
    """Class scores of faces, and where in the face they come from."""

    def __init__(self, width: int, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = residual_stem(channels, width)
        self.trunk = residual_stages(width, last_stride=1)
        self.classifier = nn.Linear(8 * width, classes)

    def maps(self, faces: Tensor) -> Tensor:
        """F (B, 8w, S/8, S/8), non-negative, of faces (B, C, S, S) in [0, 1]."""
        return self.trunk(self.stem(faces))

    def scores(self, maps: Tensor) -> Tensor:
        """Logits (B, K) of F."""
        return self.classifier(maps.mean(dim=(2, 3)))

    def attention(self, maps: Tensor) -> Tensor:
        """A (B, K, S/8, S/8) of F; no gradient reaches the classifier."""
        return functional.conv2d(maps, self.classifier.weight.detach()[:, :, None, None])

    def forward(self, faces: Tensor) -> Tensor:
        """Logits (B, K) of faces (B, C, S, S) in [0, 1]."""
        return self.scores(self.maps(faces))


class EacTask(ClassificationTask):
    """Cross-entropy on one view of each face, and the consistency of its attention with that on the other."""

    def __init__(self, network: Eac, faces: FaceSet, settings: EacSettings, run: "TrainingRun") -> None:
        super().__init__(network, faces, faces.labels, run.metadata["image_size"], settings, run)
        self.eac, self.views = network, settings

    def terms(self, indices: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The two terms on a batch."""
        settings, labels = self.views, self.labels[indices]
        plain = crop_and_flip(self.images[indices], self.crop, train=True)
        first = erased(noisy(plain, settings.noise_variance), settings.erasing)
        with self.run.autocast():
            maps = self.eac.maps(first)
            logits = self.eac.scores(maps).float()
        terms = {"cross_entropy": functional.cross_entropy(logits, labels)}
        if settings.consistency > 0:
            second = first.flip(-1) if settings.mirrors_erased else erased(plain.flip(-1), settings.erasing)
            with self.run.autocast():
                attention, of_mirror = self.eac.attention(maps), self.eac.attention(self.eac.maps(second))
            terms["consistency"] = settings.consistency * consistency_loss(attention, of_mirror)
        return terms, {"training_accuracy": share_right(logits, labels)}


def fit(
    train: FaceSet,
    validation: FaceSet,
    settings: EacSettings,
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
    faces: FaceSet, settings: EacSettings, run: "TrainingRun", classes: int, pretrained: Path | None = None
) -> EacTask:
    """The network before its first step."""
    torch.manual_seed(derive_seed(run.seed, KEY))
    network = Eac(settings.width, faces.images.shape[1], classes)
    start_from(pretrained, KEY, {"network": network}, faces.expressions, by_class=("classifier.",))
    return EacTask(network, faces, settings, run)


def stages(settings: EacSettings, samples: int) -> list[Stage]:
    """The training's one stage, on so many faces."""
    return [Stage(KEY, settings.epochs, settings.batch_size, samples)]
