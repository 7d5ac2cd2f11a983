"""The training step of EAC, written out plainly; its views are two noises in the place of erased rectangles."""

import torch
import torch.nn.functional as F
from plain.recognition import CLASSES, PlainRecogniser, descend, stage, stem
from torch import Tensor, nn


class EAC(PlainRecogniser):
    def __init__(self, width: int, channels: int, size: int, subjects: int) -> None:
        self.trunk = nn.Sequential(
            stem(channels, width), stage(width, width, 1), stage(width, 2 * width, 2),
            stage(2 * width, 4 * width, 2), stage(4 * width, 8 * width, 1),
        )  # fmt: skip
        self.classifier = nn.Linear(8 * width, CLASSES)
        self.networks = (self.trunk, self.classifier)
        self.optimizer = self.adam()

    def attention(self, maps: Tensor) -> Tensor:
        return torch.einsum("bchw,kc->bkhw", maps, self.classifier.weight.detach())

    def __call__(self, images: Tensor, labels: Tensor, subjects: Tensor) -> Tensor:
        first = self.trunk(images + 0.02 * torch.randn_like(images))
        second = self.trunk(images.flip(3) + 0.02 * torch.randn_like(images))
        loss = F.cross_entropy(self.classifier(F.adaptive_avg_pool2d(first, 1).flatten(1)), labels)
        difference = self.attention(first) - self.attention(second).flip(3)
        return descend(self.optimizer, loss + 5 * difference.pow(2).mean())


STEP = EAC
