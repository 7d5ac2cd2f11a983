"""The synthesis decoder: from the bottleneck and the skips to a face with the target expression."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.models.blocks import InstanceNorm


class TargetNorm(nn.Module):
    """InstanceNorm, then a scale and shift per channel that a linear layer reads off the one-hot target expression.

    In training, one plane of Gaussian noise with a learned amplitude per channel is added; in evaluation it is left
    out, so that a synthesised face depends on its source and target alone.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = InstanceNorm(channels, affine=False)
        self.label = nn.Linear(classes, 2 * channels)
        self.amplitude = nn.Parameter(torch.zeros(channels))
        # Around scale one and shift zero, but wide enough that each label looks different from the first step on: with
        # small weights the decoder learns to do without the label, and all expressions come out alike.
        nn.init.normal_(self.label.weight, std=1.0)
        with torch.no_grad():
            self.label.bias.copy_(torch.cat((torch.ones(channels), torch.zeros(channels))))

    def forward(self, features: Tensor, target: Tensor) -> Tensor:
        """features: (B, C, H, W); target: one-hot (B, K); the same shape as `features` comes back."""
        scale, shift = self.label(target)[:, :, None, None].chunk(2, dim=1)
        result = self.norm(features) * scale + shift
        if self.training:
            noise = torch.randn_like(features[:, :1])
            result = result + noise * self.amplitude[:, None, None]
        return result


class Level(nn.Module):
    """Doubles the map with a 4x4 stride-2 transposed convolution, takes in a skip, and mixes with a 3x3 convolution."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
        self.up_norm = nn.BatchNorm2d(outputs)
        self.mix = nn.Conv2d(outputs + skip, outputs, 3, 1, 1, bias=False)
        self.mix_norm = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor, skip: Tensor | None, side: int) -> Tensor:
        """features: (B, inputs, h, h), skip: (B, skip, side, side) -> (B, outputs, side, side), side <= 2 h."""
        features = functional.relu(self.up_norm(self.up(features)[:, :, :side, :side]))
        if skip is not None:
            features = torch.cat((features, skip), dim=1)
        return functional.relu(self.mix_norm(self.mix(features)))


class Decoder(nn.Module):
    """Mirror of VGG-13 with U-Net skips; the target expression enters at the bottleneck and on every gated skip.

    Deviations from what is known of the published decoder: the shared stem's features join as one more skip that is
    not normalised, because InstanceNorm takes out each face's own brightness and contrast, which are part of the
    subject's identity, and the decoder's own layers use BatchNorm for the same reason.
    """

    def __init__(self, width: int, channels: int, classes: int) -> None:
        super().__init__()
        w = width
        self.bottleneck = TargetNorm(8 * w, classes)
        self.skips = nn.ModuleList(TargetNorm(size, classes) for size in (8 * w, 4 * w, 2 * w))
        self.levels = nn.ModuleList(
            (
                Level(8 * w, 8 * w, 8 * w),
                Level(8 * w, 4 * w, 8 * w),
                Level(8 * w, 2 * w, 4 * w),
                Level(4 * w, w, 2 * w),
                Level(2 * w, 0, w),
            )
        )
        self.output = nn.Conv2d(w, channels, 3, 1, 1)

    def forward(self, features: Tensor, stem: Tensor, skips: Sequence[Tensor], target: Tensor) -> Tensor:
        """The synthesised faces (B, C, S, S): near [0, 1], not clipped.

        features: (B, 8w, ceil(S/32), ceil(S/32)); stem: (B, w, S/2, S/2); skips: the three gated maps, finest first,
        (B, 2w, S/4, S/4), (B, 4w, S/8, S/8), (B, 8w, S/16, S/16); target: one-hot (B, K).
        """
        features = self.bottleneck(features, target)
        conditioned: list[Tensor | None] = [
            norm(skip, target) for norm, skip in zip(self.skips, reversed(skips), strict=True)
        ]
        side = skips[-1].shape[-1]
        for level, skip in zip(self.levels, (*conditioned, stem, None), strict=True):
            features = level(features, skip, side)
            side *= 2
        return self.output(features)
