"""What the plain implementations of the recognisers' steps share."""

from itertools import chain

import torch.nn.functional as F
from plain.parts import CLASSES, descend
from torch import Tensor, nn
from torch.optim import Adam

__all__ = ["CLASSES", "Block", "PlainRecogniser", "descend", "stage", "stem"]


class PlainRecogniser:
    """A method's step: called with faces (B, C, S, S) in [0, 1], classes and subjects (B,), returns its loss.

    Made for a width, image channels, an image size and a number of subjects. `networks` are to be moved to the faces'
    device before the first call.
    """

    networks: tuple[nn.Module, ...]

    def adam(self) -> Adam:
        return Adam(chain.from_iterable(network.parameters() for network in self.networks), lr=1e-4)

    def __call__(self, images: Tensor, labels: Tensor, subjects: Tensor) -> Tensor:
        raise NotImplementedError


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first, self.first_norm = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.second, self.second_norm = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, features: Tensor) -> Tensor:
        inner = self.second_norm(self.second(F.relu(self.first_norm(self.first(features)))))
        return F.relu(inner + self.shortcut(features))


def stem(channels: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)
    )


def stage(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(Block(inputs, outputs, stride), Block(outputs, outputs, 1))
