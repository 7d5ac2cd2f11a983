"""The training step of IACNN, written out plainly."""

import torch
import torch.nn.functional as F
from plain.recognition import CLASSES, PlainRecogniser, descend
from torch import Tensor, nn


class IACNN(PlainRecogniser):
    def __init__(self, width: int, channels: int, size: int, subjects: int) -> None:
        layers: list[nn.Module] = []
        for stage, side in enumerate((5, 3, 3)):
            filters = 2 * width * 2**stage
            layers += [nn.Conv2d(channels, filters, side, padding=side // 2), nn.PReLU(), nn.BatchNorm2d(filters)]
            layers.append(nn.MaxPool2d(2))
            channels = filters
        flat = 8 * width * (size // 8) ** 2
        self.shared = nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, 16 * width), nn.PReLU(), nn.Dropout(0.5))
        self.expression, self.identity = nn.Linear(16 * width, 4 * width), nn.Linear(16 * width, 4 * width)
        self.joint, self.alone = nn.Linear(8 * width, CLASSES), nn.Linear(4 * width, CLASSES)
        self.networks = (self.shared, self.expression, self.identity, self.joint, self.alone)
        self.optimizer = self.adam()

    def stream(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        units = self.shared(images)
        expression, identity = self.expression(units), self.identity(units)
        return expression, identity, self.joint(torch.cat((expression, identity), dim=1)), self.alone(expression)

    def __call__(self, images: Tensor, labels: Tensor, subjects: Tensor) -> Tensor:
        partners = torch.randperm(len(images), device=images.device)
        first, second = self.stream(images), self.stream(images[partners])
        loss = torch.zeros((), device=images.device)
        for branch, truth in ((0, labels), (1, subjects)):
            squared = (first[branch] - second[branch]).pow(2).sum(1)
            same = (truth == truth[partners]).float()
            loss = loss + (same * squared + (1 - same) * F.relu(10 - squared)).mean() / 2
        others = labels[partners]
        loss = loss + F.cross_entropy(first[2], labels) + F.cross_entropy(second[2], others)
        loss = loss + (F.cross_entropy(first[3], labels) + F.cross_entropy(second[3], others)) / 2
        return descend(self.optimizer, loss)


STEP = IACNN
