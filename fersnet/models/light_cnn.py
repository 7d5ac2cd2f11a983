"""LightCNN-9 (Wu et al., IEEE TIFS 2018): the identity features of L_idt."""

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.errors import UserError

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the grey image (ITU-R BT.601), as in the public model's training."""


def to_luma(images: Tensor) -> Tensor:
    """Grey images (B, 1, H, W) from grey or RGB ones (B, 1 or 3, H, W), same range."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.split(1, dim=1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


class _MaximumOfHalves(torch.autograd.Function):
    """`torch.maximum` of both halves of the channels; on a CPU its own gradient costs a third more, mostly for ties.

    Of two equal values the first counts.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        first, second = features.chunk(2, dim=1)
        ctx.save_for_backward(first >= second)
        return torch.maximum(first, second)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (of_first,) = ctx.saved_tensors
        first = gradient * of_first
        return torch.cat((first, gradient - first), dim=1)


class MaxFeatureMap(nn.Module):
    """A convolution with twice the channels, whose two halves compete by an elementwise maximum."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.filter = nn.Conv2d(inputs, 2 * outputs, kernel, padding=kernel // 2)

    def forward(self, features: Tensor) -> Tensor:
        """features: (B, inputs, H, W) -> (B, outputs, H, W)."""
        return _MaximumOfHalves.apply(self.filter(features))


class LightCNN9(nn.Module):
    """Max-feature-map network of nine layers on grey faces.

    At width 48 and image side 128 it is the published network; other widths scale every layer, and other sides (a
    multiple of 16) change the first fully connected layer alone. Its first weights are drawn as He et al. (ICCV 2015)
    do, which is a choice of ours.
    """

    def __init__(self, width: int, image_size: int, subjects: int) -> None:
        """
        Args:
            width: Channels of the first layer; 48 in the published network.
            image_size: Input side, a multiple of 16; 128 in the published network. Other sizes are resized to it.
            subjects: Number of subjects to tell apart.

        Raises:
            ValueError: for a side that is no multiple of 16.
        """
        super().__init__()
        if image_size < 16 or image_size % 16:
            raise ValueError(f"image_size must be a multiple of 16, not {image_size}")
        self.width = width
        self.image_size = image_size
        last = max(1, 8 * width // 3)
        embedding = max(1, 16 * width // 3)
        channels = ((width, 2 * width), (2 * width, 4 * width), (4 * width, last))
        layers: list[nn.Module] = [MaxFeatureMap(1, width, 5), nn.MaxPool2d(2)]
        for inputs, outputs in channels:
            layers += [MaxFeatureMap(inputs, inputs, 1), MaxFeatureMap(inputs, outputs, 3), nn.MaxPool2d(2)]
        # The last group has no pooling before it: the pool of the third one moves behind the fourth.
        layers[-1:] = [MaxFeatureMap(last, last, 1), MaxFeatureMap(last, last, 3)]
        self.convolutions = nn.Sequential(*layers)
        self.hidden = nn.Linear(last * (image_size // 16) ** 2, 2 * embedding)
        self.classifier = nn.Linear(embedding, subjects)
        # PyTorch's own first weights shrink the maps layer by layer: a short training stays at chance.
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def features(self, images: Tensor) -> Tensor:
        """The last convolutional map (B, 8w/3, S/8, S/8), w the width and S the input side.

        images: (B, 1 or 3, any height, any width) in [0, 1]; colour becomes luma, and the size `image_size`.
        """
        grey = to_luma(images)
        if grey.shape[-2:] != (self.image_size, self.image_size):
            grey = functional.interpolate(
                grey, size=(self.image_size, self.image_size), mode="bilinear", align_corners=False
            )
        return self.convolutions(grey)

    def embedding(self, images: Tensor) -> Tensor:
        """One vector per face (B, 16w/3): 256 values in the published network. images: as in `features`."""
        pooled = functional.max_pool2d(self.features(images), 2)
        return torch.maximum(*self.hidden(pooled.flatten(1)).chunk(2, dim=1))

    def forward(self, images: Tensor) -> Tensor:
        """Subject logits (B, subjects). In training the embedding passes a dropout of one half, as published."""
        return self.classifier(functional.dropout(self.embedding(images), training=self.training))


def load_public_checkpoint(path: Path, sha256: str | None) -> LightCNN9:
    """The public LightCNN-9 from its authors' checkpoint file, in evaluation mode on the CPU.

    The file is read with `weights_only=True`, so nothing in it is executed. Its keys are `features.<layer>.filter`,
    `features.<layer>.conv_a.filter` and `.conv.filter`, `fc1.filter` and `fc2`, each optionally behind `module.`
    and inside a `state_dict` entry.

    Raises:
        UserError: if the file cannot be read, its checksum is another, or it holds another network.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); see identity.checkpoint") from None
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise UserError(f"{path}: its SHA-256 is {found}, not identity.checkpoint_sha256; get the file again")
    del content
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        raise UserError(
            f"{path}: not a PyTorch file of plain tensors; identity.checkpoint must be LightCNN-9"
        ) from None
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    state = _translated(loaded) if isinstance(loaded, dict) else {}
    width_from = state.get("convolutions.0.filter.weight")
    head = state.get("classifier.weight")
    if width_from is None or head is None or width_from.dim() != 4 or head.dim() != 2:
        raise UserError(f"{path}: does not hold the layers of LightCNN-9; see identity.checkpoint")
    network = LightCNN9(width_from.shape[0] // 2, 128, head.shape[0])
    if "classifier.bias" not in state:
        state["classifier.bias"] = torch.zeros(head.shape[0])
    try:
        network.load_state_dict(state)
    except RuntimeError:
        raise UserError(f"{path}: its layers are not those of LightCNN-9; see identity.checkpoint") from None
    return network.eval().requires_grad_(False)


PUBLIC_LAYERS = {
    "features.0": "convolutions.0",
    "features.2.conv_a": "convolutions.2",
    "features.2.conv": "convolutions.3",
    "features.4.conv_a": "convolutions.5",
    "features.4.conv": "convolutions.6",
    "features.6.conv_a": "convolutions.8",
    "features.6.conv": "convolutions.9",
    "features.7.conv_a": "convolutions.10",
    "features.7.conv": "convolutions.11",
}
"""Layers of the public checkpoint and where they stand here."""


def _translated(state: dict[str, Tensor]) -> dict[str, Tensor]:
    names = {f"{public}.filter": f"{own}.filter" for public, own in PUBLIC_LAYERS.items()}
    names |= {"fc1.filter": "hidden", "fc2": "classifier"}
    result = {}
    for key, value in state.items():
        layer, _, kind = str(key).removeprefix("module.").rpartition(".")
        if isinstance(value, Tensor):
            result[f"{names.get(layer, layer)}.{kind}"] = value
    return result
