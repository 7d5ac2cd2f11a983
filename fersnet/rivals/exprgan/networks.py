"""Generator, image discriminator and controller of ExprGAN (Ding, Sricharan, Chellappa, AAAI 2018, figure 2)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fersnet.rivals.convolutions import PlaneConv
from fersnet.rivals.encoder_networks import BatchShift, halving, initialise, repeats_of_label, width_gain

CODE_SLOTS = 5
"""Length d of each expression's block in the expression code c."""


def expression_code(labels: Tensor, draw: Tensor) -> Tensor:
    """The expression code c (equation 1): the block of the label is |u|, every other block is -|u|.

    Args:
        labels: one-hot (B, K).
        draw: u (B, 5) in [-1, 1]; its size is the intensity of the expression.

    Returns:
        (B, 5 K), the blocks in class order.
    """
    signs = 2 * labels - 1
    return (signs[:, :, None] * draw.abs()[:, None, :]).flatten(1)


def _with_planes(features: Tensor, values: Tensor) -> Tensor:
    """Features (B, C, H, W) and values (B, K) to (B, C + K, H, W), the values as constant planes."""
    planes = values[:, :, None, None].expand(-1, -1, *features.shape[2:])
    return torch.cat((features, planes), dim=1)


class Generator(nn.Module):
    """G(z, c): c is tiled beside z, and joins every convolution as constant planes.

    Args:
        width: the encoder's width; the first map here has 16 times as many channels.
        channels: image channels.
        classes: number of expressions.
        stages: number L of doublings.
        side: side m of the first map.
        code_size: length of z.
    """

    def __init__(self, width: int, channels: int, classes: int, stages: int, side: int, code_size: int) -> None:
        super().__init__()
        planes = classes * CODE_SLOTS
        self.repeats = repeats_of_label(code_size, classes)
        self.side = side
        inputs = 16 * width
        self.entry = nn.Linear(code_size + planes * self.repeats, inputs * side * side)
        nn.init.kaiming_normal_(self.entry.weight)
        nn.init.zeros_(self.entry.bias)
        self.stages = nn.ModuleList()
        for _ in range(stages):
            self.stages.append(PlaneConv(inputs, planes, inputs // 2, 3))
            inputs //= 2
        self.last = PlaneConv(inputs, planes, inputs // 2, 3)
        self.image = PlaneConv(inputs // 2, planes, channels, 3)
        for convolution in (*self.stages, self.last, self.image):
            initialise(convolution, 0.02 * width_gain(width))

    def forward(self, codes: Tensor, expression: Tensor) -> Tensor:
        """Identity codes (B, code_size) and expression codes (B, 5 K) to images (B, C, S, S) in [-1, 1]."""
        features = F.relu(self.entry(torch.cat((codes, expression.repeat(1, self.repeats)), dim=1)))
        features = features.view(len(codes), -1, self.side, self.side)
        for convolution in self.stages:
            features = F.relu(convolution(F.interpolate(features, scale_factor=2), expression))
        features = F.relu(self.last(features, expression))
        return torch.tanh(self.image(features, expression))


class ImageDiscriminator(nn.Module):
    """D_img and the controller Q on one trunk; the one-hot label joins at every depth.

    Args:
        width: the encoder's width; the channels are width/4, width/2, width and 2 width.
        channels: image channels.
        classes: number of expressions.
        image_size: side of the input.
    """

    def __init__(self, width: int, channels: int, classes: int, image_size: int) -> None:
        super().__init__()
        widths = (max(1, width // 4), max(1, width // 2), width, 2 * width)
        self.stages = nn.ModuleList()
        inputs = channels
        for outputs in widths:
            self.stages.append(
                nn.Sequential(halving(inputs + classes, outputs), BatchShift(outputs), nn.ReLU(inplace=True))
            )
            inputs = outputs
        side = -(-image_size // 2 ** len(widths))
        trunk = 16 * width
        self.trunk = _normalised((inputs + classes) * side * side, trunk)
        self.real = nn.Linear(trunk + classes, 1)
        self.controller = _normalised(trunk + classes, 2 * width)
        self.blocks = nn.ModuleList(
            nn.Sequential(_normalised(2 * width, width), nn.Linear(width, CODE_SLOTS), nn.Tanh())
            for _ in range(classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, S, S) in [-1, 1] and one-hot labels (B, K) to real/fake logits and trunk features.

        Returns:
            logits (B, 1), positive meaning real, and the features (B, F) that `regress` reads the code from.
        """
        features = _with_planes(images, labels)
        for stage in self.stages:
            features = _with_planes(stage(features), labels)
        trunk = torch.cat((self.trunk(features.flatten(1)), labels), dim=1)
        return self.real(trunk), trunk

    def regress(self, trunk: Tensor) -> Tensor:
        """Q: trunk features (B, F) to the estimated expression code (B, 5 K) in (-1, 1)."""
        shared = self.controller(trunk)
        return torch.cat([block(shared) for block in self.blocks], dim=1)


def _normalised(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), BatchShift(outputs), nn.LeakyReLU(0.2))
