"""What the networks of CAAE and ExprGAN share: the size rule, the stages, encoder and code discriminator."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fersnet.errors import UserError
from fersnet.settings.methods import halvings

PUBLISHED_WIDTH = 64
"""Width of the published networks, for which their initial deviations were chosen."""


def mini_map(image_size: int, name: str) -> tuple[int, int]:
    """Number of stride-2 stages L = floor(log2(size)) - 2, and the side m = size / 2^L of the smallest map.

    Raises:
        UserError: if m is not a whole number, or the image is smaller than 16 pixels; `name` is the method's key.
    """
    try:
        return halvings(image_size, name)
    except ValueError as error:
        raise UserError(str(error)) from None


def repeats_of_label(code_size: int, classes: int) -> int:
    """How often the label (or expression code) is tiled beside z, so that it weighs about as much: int(50 / 6) = 8."""
    return max(1, code_size // classes)


def halving(inputs: int, outputs: int) -> nn.Conv2d:
    """The stride-2 convolution of kernel 5 that both published networks are made of.

    TensorFlow's SAME padding gives an even side one row before and two after; this one takes two before and one after,
    which PyTorch does without a copy of the map. So the networks here are the published ones turned by 180 degrees:
    fed with turned faces, and with turned kernels, those give the same maps, turned.
    """
    return nn.Conv2d(inputs, outputs, 5, stride=2, padding=2)


def doubling(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """The transposed convolution of stride 2 and kernel 5 that doubles a side: the transpose of `halving`."""
    return nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)


class BatchShift(nn.Module):
    """Batch normalisation with an offset and no scale, epsilon 1e-3, always by the batch's own statistics.

    Only discriminators have it, and they are never used after training, so that no running statistics are kept.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        normalised = F.batch_norm(features, None, None, training=True, eps=1e-3)
        return normalised + self.bias.view(1, -1, *[1] * (features.dim() - 2))


def width_gain(width: int) -> float:
    """Factor on the published initial deviations at another width.

    These encoders and decoders have no normalisation: with a fixed deviation the signal would fade with the width.
    The factor keeps the gain of each layer at that of the published width, where it is 1.
    """
    return math.sqrt(PUBLISHED_WIDTH / width)


def initialise(module: nn.Module, deviation: float = 0.02, *, truncated: bool = True) -> None:
    """Sets a layer's weights from N(0, deviation), cut off at two deviations if `truncated`, and its bias to zero."""
    if not isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        return
    if truncated:
        nn.init.trunc_normal_(module.weight, 0.0, deviation, -2 * deviation, 2 * deviation)
    else:
        nn.init.normal_(module.weight, 0.0, deviation)
    if module.bias is not None:
        nn.init.zeros_(module.bias)


class Encoder(nn.Module):
    """E(x): L stride-2 convolutions of kernel 5 with ReLU and no normalisation, then a linear layer and tanh.

    Args:
        width: channels of the first convolution; they double at every stage.
        channels: image channels.
        stages: number L of convolutions.
        side: side m of the last map.
        code_size: length of z.
    """

    def __init__(self, width: int, channels: int, stages: int, side: int, code_size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for stage in range(stages):
            convolution = halving(inputs, width * 2**stage)
            initialise(convolution, 0.02 * (width_gain(width) if stage else 1.0))
            layers += [convolution, nn.ReLU(inplace=True)]
            inputs = width * 2**stage
        self.body = nn.Sequential(*layers)
        self.code = nn.Linear(inputs * side * side, code_size)
        initialise(self.code, 0.02 * width_gain(width), truncated=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, S, S) in [-1, 1] to codes z (B, code_size) in (-1, 1)."""
        return torch.tanh(self.code(self.body(images).flatten(1)))


class CodeDiscriminator(nn.Module):
    """D_z: tells encoded faces from the uniform prior; linear layers of 64, 32 and 16 with batch norm and ReLU."""

    def __init__(self, code_size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = code_size
        for outputs in (64, 32, 16):
            layers += [nn.Linear(inputs, outputs), BatchShift(outputs), nn.ReLU(inplace=True)]
            inputs = outputs
        layers.append(nn.Linear(inputs, 1))
        self.body = nn.Sequential(*layers)
        for layer in self.body:
            initialise(layer, truncated=False)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B, code_size) to logits (B, 1); positive means drawn from the prior."""
        return self.body(codes)
