"""Building blocks that more than one network uses."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Normalisation = Callable[[int], nn.Module]
"""Makes a normalisation layer for a number of channels: `nn.BatchNorm2d` or `InstanceNorm`."""


class InstanceNorm(nn.Module):
    """InstanceNorm with a learned scale and shift that also takes 1x1 maps.

    A single pixel has no spread to normalise by; such a map passes with the scale and shift alone.
    """

    def __init__(self, channels: int, affine: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, features: Tensor) -> Tensor:
        """Normalise each map of each sample. features: (B, C, H, W), any range; the same shape comes back."""
        channels = features.shape[1]
        if features.shape[-1] * features.shape[-2] > 1:
            # Group normalisation with one channel per group: the same sums in half the time on a CPU.
            result = functional.group_norm(features.contiguous(), channels, self.weight, self.bias)
            return result if features.is_contiguous() else result.contiguous(memory_format=torch.channels_last)
        if self.weight is None or self.bias is None:
            return features
        return features * self.weight[:, None, None] + self.bias[:, None, None]


def residual_stem(channels: int, width: int) -> nn.Sequential:
    """The beginning of a ResNet for small faces: (B, channels, S, S) -> (B, width, S / 2, S / 2), non-negative."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)
    )


def residual_stages(width: int, stages: range = range(4), last_stride: int = 2) -> nn.Sequential:
    """Stages of two residual blocks each of such a ResNet; stage k has width * 2^k channels.

    Each stage but stage 0 halves the side; the last of the four does so by `last_stride`. Stage 0 takes `width`
    channels, stage k those of stage k - 1.
    """
    blocks: list[nn.Module] = []
    for stage in stages:
        inputs, outputs = width * 2 ** max(stage - 1, 0), width * 2**stage
        stride = 1 if stage == 0 else last_stride if stage == 3 else 2
        blocks.append(ResidualBlock(inputs, outputs, nn.BatchNorm2d, stride=stride))
        blocks.append(ResidualBlock(outputs, outputs, nn.BatchNorm2d))
    return nn.Sequential(*blocks)


class ResidualBlock(nn.Module):
    """Basic residual block (He et al., CVPR 2016): two 3x3 convolutions, 1x1 projection where the shape changes."""

    def __init__(self, inputs: int, outputs: int, normalisation: Normalisation, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = normalisation(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = normalisation(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs or stride != 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), normalisation(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """features: (B, inputs, H, W) -> (B, outputs, H / stride, W / stride), non-negative."""
        inner = functional.relu(self.first_norm(self.first(features)))
        inner = self.second_norm(self.second(inner))
        return functional.relu(inner + self.shortcut(features))
