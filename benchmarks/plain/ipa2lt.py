"""The training steps of IPA2LT, written out plainly: an annotating model's, the warm-up's and that on all labels."""

import torch
import torch.nn.functional as F
from plain.recognition import CLASSES, PlainRecogniser, descend, stage, stem
from torch import Tensor, nn
from torch.optim import Adam


def classifier(width: int, channels: int) -> nn.Module:
    stages = [stage(width, width, 1), *(stage(width * k, 2 * width * k, 2) for k in (1, 2, 4))]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * width, CLASSES)]
    return nn.Sequential(stem(channels, width), *stages, *head)


class IPA2LT(PlainRecogniser):
    def __init__(self, width: int, channels: int, size: int, subjects: int) -> None:
        self.network, self.annotator = classifier(width, channels), classifier(width, channels)
        self.transitions = nn.ParameterList(nn.Parameter(torch.eye(CLASSES) * 3) for _ in range(2))
        self.networks = (self.network, self.annotator, self.transitions)
        self.optimizer = Adam([*self.network.parameters(), *self.transitions], lr=1e-3)
        self.of_annotator = Adam(self.annotator.parameters(), lr=1e-3)

    def __call__(self, images: Tensor, labels: Tensor, subjects: Tensor) -> Tensor:
        descend(self.of_annotator, F.cross_entropy(self.annotator(images), labels))
        descend(self.optimizer, F.cross_entropy(self.network(images), labels))
        truth, loss = self.network(images).softmax(1), torch.zeros((), device=images.device)
        for scores in self.transitions:
            said = truth @ scores.softmax(1)
            loss = loss + F.nll_loss(said.log(), labels)
        return descend(self.optimizer, loss)


STEP = IPA2LT
