"""FERSNet's discriminator."""

import torch
from torch import Tensor, nn

from fersnet.models.blocks import InstanceNorm


class Discriminator(nn.Module):
    """PatchGAN that judges a face together with an expression (reference release of FERSNet).

    Four 4x4 stride-2 convolutions with w, 2w, 4w and 8w channels, InstanceNorm on all but the first, LeakyReLU 0.2;
    then a row and a column of zeros on the left and top, and a 4x4 convolution to one logit per patch. Works for every
    image side that is a multiple of 16.
    """

    def __init__(self, width: int, channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels + classes
        for depth in range(4):
            outputs = width * 2**depth
            layers.append(nn.Conv2d(inputs, outputs, 4, 2, 1))
            if depth > 0:
                layers.append(InstanceNorm(outputs, affine=False))
            layers.append(nn.LeakyReLU(0.2))
            inputs = outputs
        layers += [nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(inputs, 1, 4, 1, 1, bias=False)]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Patch logits (B, 1, S/16, S/16). images: (B, C, S, S) in [0, 1]; labels: one-hot (B, K)."""
        planes = labels.to(images.dtype)[:, :, None, None].expand(-1, -1, *images.shape[-2:])
        return self.layers(torch.cat((images, planes), dim=1))
