"""The standard FER model: the plain network that judges synthetic faces."""

from torch import Tensor, nn
from torch.nn import functional

from fersnet.models.blocks import residual_stages, residual_stem


class StandardFER(nn.Module):
    """ResNet-18 for small faces (He et al., CVPR 2016).

    Four stages of two residual blocks with w, 2w, 4w and 8w channels. Deviation: a 3x3 stride-1 stem in place of the
    7x7 stride-2 one, which is made for 224x224 photographs. The paper does not say which model it used.
    """

    def __init__(self, width: int, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = residual_stem(channels, width)
        self.blocks = residual_stages(width)
        self.classifier = nn.Linear(8 * width, classes)

    def features(self, images: Tensor) -> Tensor:
        """Pooled features (B, 8w), non-negative. images: (B, C, S, S) in [0, 1], any S from 16."""
        return functional.adaptive_avg_pool2d(self.blocks(self.stem(images)), 1).flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, K). images: (B, C, S, S) in [0, 1]."""
        return self.classifier(self.features(images))
