"""Generator and image discriminator of CAAE (Zhang, Song, Qi, CVPR 2017, figure 3); encoder and D_z are shared."""

import torch
from torch import Tensor, nn

from fersnet.rivals.encoder_networks import (
    BatchShift,
    doubling,
    halving,
    initialise,
    repeats_of_label,
    width_gain,
)


class Generator(nn.Module):
    """G(z, l): the label is tiled beside the code; transposed convolutions of kernel 5 with ReLU, tanh at the end.

    Args:
        width: the encoder's width; the first map here has 16 times as many channels.
        channels: image channels.
        classes: number of expressions.
        stages: number L of stride-2 stages.
        side: side m of the first map.
        code_size: length of z.
    """

    def __init__(self, width: int, channels: int, classes: int, stages: int, side: int, code_size: int) -> None:
        super().__init__()
        self.repeats = repeats_of_label(code_size, classes)
        self.side = side
        inputs = 16 * width
        self.entry = nn.Linear(code_size + classes * self.repeats, inputs * side * side)
        initialise(self.entry, truncated=False)
        layers: list[nn.Module] = [nn.ReLU(inplace=True)]
        for _ in range(stages):
            layers += [doubling(inputs, inputs // 2), nn.ReLU(inplace=True)]
            inputs //= 2
        layers += [nn.ConvTranspose2d(inputs, inputs // 2, 5, padding=2), nn.ReLU(inplace=True)]
        layers += [nn.ConvTranspose2d(inputs // 2, channels, 5, padding=2), nn.Tanh()]
        self.body = nn.Sequential(*layers)
        for layer in self.body:
            initialise(layer, 0.02 * width_gain(width))

    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Codes (B, code_size) and labels (B, K) of -1 and +1 to images (B, C, S, S) in [-1, 1]."""
        features = self.entry(torch.cat((codes, labels.repeat(1, self.repeats)), dim=1))
        return self.body(features.view(len(codes), -1, self.side, self.side))


class ImageDiscriminator(nn.Module):
    """D_img(x, l): four stride-2 convolutions with batch norm and ReLU; label planes join after the first.

    Args:
        width: the encoder's width; the channels are width/4, width/2, width and 2 width.
        channels: image channels.
        classes: number of expressions.
        image_size: side of the input.
    """

    def __init__(self, width: int, channels: int, classes: int, image_size: int) -> None:
        super().__init__()
        widths = discriminator_widths(width)
        self.first = nn.Sequential(halving(channels, widths[0]), BatchShift(widths[0]), nn.ReLU(inplace=True))
        layers: list[nn.Module] = []
        inputs = widths[0] + classes
        for outputs in widths[1:]:
            layers += [halving(inputs, outputs), BatchShift(outputs), nn.ReLU(inplace=True)]
            inputs = outputs
        self.body = nn.Sequential(*layers)
        side = -(-image_size // 2 ** len(widths))
        self.head = nn.Sequential(
            nn.Linear(inputs * side * side, 16 * width), nn.LeakyReLU(0.2, inplace=True), nn.Linear(16 * width, 1)
        )
        for layer in (*self.first, *self.body):
            initialise(layer)
        for layer in self.head:
            initialise(layer, truncated=False)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Images (B, C, S, S) in [-1, 1] and labels (B, K) of -1 and +1 to logits (B, 1); positive means real."""
        features = self.first(images)
        planes = labels[:, :, None, None].expand(-1, -1, *features.shape[2:])
        return self.head(self.body(torch.cat((features, planes), dim=1)).flatten(1))


def discriminator_widths(width: int) -> tuple[int, int, int, int]:
    """Channels of the image discriminator's convolutions: 16, 32, 64 and 128 at the published width of 64."""
    return max(1, width // 4), max(1, width // 2), width, 2 * width
