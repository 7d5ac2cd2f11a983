"""What the plain training steps share. A method's own is the file of its name: `benchmarks/rivals.py` finds it there.

A plain step takes the published description literally: label planes are concatenated, every loss makes its own passes,
one network is updated after the other. The kernels and matrices have the sizes of those in `fersnet.rivals`. Nothing
here is for training: defaults of the framework stand in for the published first weights.
"""

from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from fersnet.expressions import SIX

CLASSES = len(SIX)
CODE = 50


class Residual(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.body(features)


class Plain:
    """A method's step: called with faces (B, C, S, S) in [-1, 1] and labels (B,), returns one of its losses.

    `networks` are to be moved to the faces' device before the first call.
    """

    networks: tuple[nn.Module, ...]

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        raise NotImplementedError


def adam(*networks: nn.Module) -> Adam:
    return Adam(chain.from_iterable(network.parameters() for network in networks), lr=1e-4, betas=(0.5, 0.999))


def descend(optimizer: Adam, loss: Tensor) -> Tensor:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def with_planes(features: Tensor, values: Tensor) -> Tensor:
    planes = values[:, :, None, None].expand(-1, -1, features.shape[2], features.shape[3])
    return torch.cat((features, planes), dim=1)


def ones(logits: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def zeros(logits: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))


def encoder(width: int, channels: int, stages: int, side: int) -> nn.Module:
    layers: list[nn.Module] = []
    inputs = channels
    for stage in range(stages):
        layers += [nn.Conv2d(inputs, width * 2**stage, 5, 2, 2), nn.ReLU()]
        inputs = width * 2**stage
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * side * side, CODE), nn.Tanh())


def code_judge() -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in ((CODE, 64), (64, 32), (32, 16)):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs, 1e-3), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(16, 1))


def stage_down(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 5, 2, 2), nn.BatchNorm2d(outputs, 1e-3), nn.ReLU())


def scale_of(size: int) -> tuple[int, int]:
    stages = size.bit_length() - 3
    return stages, size // 2**stages
