"""Convolutions of images and of constant planes, in forms that cost less and give the same sums."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EdgeConv(nn.Conv2d):
    """A 7x7 convolution of stride 1 from or to an image, with the weights of `nn.Conv2d`.

    CPU kernels vectorise over channels, of which an image has one or three. There the kernel's rows are handled as
    further channels of a 1x7 convolution: the same sums, about three times as fast (`benchmarks/rivals.py`).
    """

    def __init__(self, inputs: int, outputs: int, padding: int = 0, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 7, padding=padding, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """features: (B, inputs, H, W) -> (B, outputs, H + 2 padding - 6, W + 2 padding - 6)."""
        return convolve(features, self.weight, self.bias, int(self.padding[0]))


class PlaneConv(nn.Conv2d):
    """A convolution of a feature map beside constant planes, zero padding, stride 1, odd kernel, no bias.

    The weights are those of a convolution of the concatenation. The planes' share of the result depends on the place
    only near the border, so that it is computed on a plane as small as the kernel and spread from there.

    Args:
        inputs: channels of the feature map.
        planes: number of constant planes.
        outputs: channels of the result.
        kernel: side of the kernel, 3 or 7.
    """

    def __init__(self, inputs: int, planes: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs + planes, outputs, kernel, padding=kernel // 2, bias=False)
        self.feature_channels = inputs

    def forward(self, features: Tensor, values: Tensor) -> Tensor:  # type: ignore[override]
        """features (B, inputs, H, W), values of the planes (B, planes) -> (B, outputs, H, W); H, W >= kernel."""
        kernel = self.kernel_size[0]
        own, constant = self.weight.split([self.feature_channels, values.shape[1]], dim=1)
        ones = values.new_ones(1, 1, kernel, kernel)
        small = F.conv2d(ones, constant.flatten(0, 1)[:, None], padding=kernel // 2)
        share = torch.einsum("bp,opyx->boyx", values, small.unflatten(1, constant.shape[:2])[0])
        return convolve(features, own, None, kernel // 2) + _spread(share, features.shape[2], features.shape[3])


def convolve(features: Tensor, weight: Tensor, bias: Tensor | None, padding: int) -> Tensor:
    """A convolution of stride 1 with zero padding, by rows where that is faster: see `EdgeConv`.

    features (B, I, H, W), weight (O, I, K, K), bias (O,) -> (B, O, H + 2 padding - K + 1, W + 2 padding - K + 1).
    """
    outputs, inputs, kernel, _ = weight.shape
    few_outputs = outputs <= 3
    if features.device.type != "cpu" or kernel != 7 or not (few_outputs or inputs == 1):
        return F.conv2d(features, weight, bias, padding=padding)
    if padding:
        features = F.pad(features, [padding] * 4)
    height = features.shape[2] - kernel + 1
    if not few_outputs:
        rows = torch.cat([features[:, :, row : row + height] for row in range(kernel)], dim=1)
        return F.conv2d(rows, weight.transpose(1, 2).flatten(1, 2)[:, :, None], bias)
    rows = F.conv2d(features, weight.transpose(1, 2).flatten(0, 1)[:, :, None]).unflatten(1, (-1, kernel))
    result = rows[:, :, 0, :height]
    for row in range(1, kernel):
        result = result + rows[:, :, row, row : row + height]
    return result if bias is None else result + bias[:, None, None]


def _spread(small: Tensor, height: int, width: int) -> Tensor:
    """(B, O, K, K) to (B, O, height, width): borders stay, the middle row and column repeat."""
    half = small.shape[2] // 2
    for dimension, size in ((2, height), (3, width)):
        first, middle, last = small.split([half, 1, half], dim=dimension)
        shape = list(middle.shape)
        shape[dimension] = size - 2 * half
        small = torch.cat((first, middle.expand(shape), last), dim=dimension)
    return small
