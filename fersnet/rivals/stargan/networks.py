"""The two networks of StarGAN (Choi et al., "StarGAN", CVPR 2018, tables 4 and 5)."""

from torch import Tensor, nn

from fersnet.errors import UserError
from fersnet.models.blocks import InstanceNorm, Normalisation
from fersnet.rivals.convolutions import EdgeConv, PlaneConv
from fersnet.settings.methods import GeneratorNormalisation

NORMALISATIONS: dict[GeneratorNormalisation, Normalisation] = {"instance": InstanceNorm, "batch": nn.BatchNorm2d}
SLOPE = 0.01
"""Of the discriminator's LeakyReLU."""


def discriminator_depth(image_size: int) -> int:
    """Stride-2 stages of the discriminator: floor(log2(size)) - 1, which is the published 6 at 128 pixels.

    The published network has 6 stages at every size; below 128 pixels that would leave a patch map of one
    element, so that the depth follows the size here.
    """
    return image_size.bit_length() - 2


def check_image_size(image_size: int) -> None:
    """Raises UserError for a size that StarGAN's networks cannot take: it must be a multiple of 4, at least 16."""
    if image_size % 4 or image_size < 16:
        raise UserError(
            f"model.image_size: StarGAN needs a multiple of 4 that is at least 16, got {image_size}; "
            "choose another size or leave stargan out of rivals.methods"
        )


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions; nothing follows the sum."""

    def __init__(self, channels: int, normalised: Normalisation) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            normalised(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            normalised(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        return features + self.body(features)


class Generator(nn.Module):
    """G(x, c): the one-hot target is tiled into planes and concatenated to the image.

    Zero padding is part of the design: instance normalisation cancels a constant plane, so that under
    reflection padding the first convolution would lose the target.

    Args:
        width: channels of the first convolution.
        channels: image channels.
        classes: number of expressions.
        residual_blocks: blocks at a quarter of the image size.
        normalisation: what follows the convolutions.
    """

    def __init__(
        self,
        width: int,
        channels: int,
        classes: int,
        residual_blocks: int = 6,
        normalisation: GeneratorNormalisation = "instance",
    ) -> None:
        super().__init__()
        normalised = NORMALISATIONS[normalisation]
        self.entry = PlaneConv(channels, classes, width, 7)
        layers: list[nn.Module] = [normalised(width), nn.ReLU(inplace=True)]
        for inputs in (width, 2 * width):
            layers += [
                nn.Conv2d(inputs, 2 * inputs, 4, stride=2, padding=1, bias=False),
                normalised(2 * inputs),
                nn.ReLU(inplace=True),
            ]
        layers += [_ResidualBlock(4 * width, normalised) for _ in range(residual_blocks)]
        for inputs in (4 * width, 2 * width):
            layers += [
                nn.ConvTranspose2d(inputs, inputs // 2, 4, stride=2, padding=1, bias=False),
                normalised(inputs // 2),
                nn.ReLU(inplace=True),
            ]
        layers += [EdgeConv(width, channels, padding=3, bias=False), nn.Tanh()]
        self.body = nn.Sequential(*layers)

    def forward(self, images: Tensor, target: Tensor) -> Tensor:
        """Images (B, C, S, S) in [-1, 1] and one-hot targets (B, K) to images of the same shape and range."""
        return self.body(self.entry(images, target))


class Discriminator(nn.Module):
    """D(x): a patch critic and an expression classifier on one trunk of LeakyReLU(0.01) without normalisation.

    Args:
        width: channels of the first convolution; they double at every stage.
        channels: image channels.
        classes: number of expressions.
        image_size: side of the input, of which `discriminator_depth` makes the number of stages.
    """

    def __init__(self, width: int, channels: int, classes: int, image_size: int) -> None:
        super().__init__()
        depth = discriminator_depth(image_size)
        layers: list[nn.Module] = []
        inputs = channels
        for stage in range(depth):
            outputs = width * 2**stage
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
            inputs = outputs
        self.trunk = nn.Sequential(*layers)
        self.patches = nn.Conv2d(inputs, 1, 3, padding=1, bias=False)
        self.expression = nn.Conv2d(inputs, classes, image_size // 2**depth, bias=False)

    def keep_scale(self) -> None:
        """Draws the trunk's weights anew so that each layer keeps the scale of its input (He et al., ICCV 2015)."""
        for layer in self.trunk:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, SLOPE)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, S, S) in [-1, 1] to patch scores (B, 1, s, s) and expression logits (B, K)."""
        features = self.trunk(images)
        return self.patches(features), self.expression(features).flatten(1)
