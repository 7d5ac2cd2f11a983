"""The two networks of CycleGAN (Zhu et al., "Unpaired Image-to-Image Translation", ICCV 2017, appendix 7.2)."""

from functools import partial

from torch import Tensor, nn

from fersnet.errors import UserError
from fersnet.models.blocks import InstanceNorm, Normalisation
from fersnet.rivals.convolutions import EdgeConv
from fersnet.rivals.cyclegan import CycleGANSettings
from fersnet.settings.methods import GeneratorNormalisation

NORMALISATIONS: dict[GeneratorNormalisation, Normalisation] = {
    "instance": partial(InstanceNorm, affine=False),
    "batch": nn.BatchNorm2d,
}


def check_image_size(image_size: int) -> None:
    """Raises UserError for a size that CycleGAN's networks cannot take: it must be a multiple of 4, at least 24."""
    try:
        CycleGANSettings().check_size(image_size)
    except ValueError as error:
        raise UserError(str(error)) from None


def initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), or N(1, 0.02) of BatchNorm, biases zero, as in the released code."""
    if isinstance(module, nn.BatchNorm2d):
        module.reset_running_stats()
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)


class _ResidualBlock(nn.Module):
    """Two reflection-padded 3x3 convolutions; nothing follows the sum."""

    def __init__(self, channels: int, normalised: Normalisation) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            normalised(channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            normalised(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        return features + self.body(features)


class Generator(nn.Module):
    """A residual translator between two domains, without any label input.

    Args:
        width: channels of the first convolution.
        channels: image channels.
        residual_blocks: blocks at a quarter of the image size.
        normalisation: what follows the convolutions.
    """

    def __init__(
        self,
        width: int,
        channels: int,
        residual_blocks: int = 6,
        normalisation: GeneratorNormalisation = "instance",
    ) -> None:
        super().__init__()
        normalised = NORMALISATIONS[normalisation]
        layers: list[nn.Module] = [
            nn.ReflectionPad2d(3),
            EdgeConv(channels, width),
            normalised(width),
            nn.ReLU(inplace=True),
        ]
        for inputs in (width, 2 * width):
            layers += [
                nn.Conv2d(inputs, 2 * inputs, 3, stride=2, padding=1),
                normalised(2 * inputs),
                nn.ReLU(inplace=True),
            ]
        layers += [_ResidualBlock(4 * width, normalised) for _ in range(residual_blocks)]
        for inputs in (4 * width, 2 * width):
            layers += [
                nn.ConvTranspose2d(inputs, inputs // 2, 3, stride=2, padding=1, output_padding=1),
                normalised(inputs // 2),
                nn.ReLU(inplace=True),
            ]
        layers += [nn.ReflectionPad2d(3), EdgeConv(width, channels), nn.Tanh()]
        self.body = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, S, S) in [-1, 1] to images of the same shape and range."""
        return self.body(images)


class Discriminator(nn.Module):
    """The 70x70 patch discriminator with LeakyReLU(0.2).

    Args:
        width: channels of the first convolution.
        channels: image channels.
    """

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        for inputs, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
            layers += [
                nn.Conv2d(inputs, 2 * inputs, 4, stride=stride, padding=1),
                InstanceNorm(2 * inputs, affine=False),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        layers.append(nn.Conv2d(8 * width, 1, 4, padding=1))
        self.body = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, S, S) in [-1, 1] to patch scores (B, 1, S/8 - 2, S/8 - 2)."""
        return self.body(images)
