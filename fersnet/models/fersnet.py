"""FERSNet: recognition and synthesis of facial expressions in one network (ICPR 2020)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.models.blocks import InstanceNorm, ResidualBlock
from fersnet.models.convflu import Gates
from fersnet.models.decoder import Decoder
from fersnet.models.sharing import exchange
from fersnet.settings.training import FREE_UNITS, Sharing

Output = Literal["face", "change"]


@dataclass(frozen=True)
class FERSNetOutput:
    """What one pass gives."""

    logits: Tensor
    """(B, K): one score per expression, any range."""
    image: Tensor | None
    """(B, C, S, S): the face with the target expression, near [0, 1] and not clipped; None without a target."""
    gates: dict[str, Gates]
    """`<stage>/<task that receives>`, e.g. `2/recognition`: that ConvFLU's gates; empty unless sharing is convflu."""


@dataclass(frozen=True)
class Encoding:
    """The features on which the two heads stand."""

    images: Tensor
    """(B, C, S, S): the faces encoded."""
    recognition: Tensor
    """(B, 8w, ceil(S/32), ceil(S/32))."""
    synthesis: Tensor
    """(B, 8w, ceil(S/32), ceil(S/32)); the same tensor as `recognition` where there is one trunk."""
    stem: Tensor
    """(B, w, S/2, S/2)."""
    skips: tuple[Tensor, Tensor, Tensor]
    """(B, 2w, S/4, S/4), (B, 4w, S/8, S/8), (B, 8w, S/16, S/16)."""
    gates: dict[str, Gates]


class FERSNet(nn.Module):
    """The paper's network and, by `sharing`, those it is compared with.

    `convflu`: a stem shared by both tasks (3x3 convolution, BatchNorm, ReLU, 2x2 max-pool); two branches, recognition
    x with BatchNorm and synthesis y with InstanceNorm, of three residual blocks with 2w, 4w and 8w channels, each
    followed by 2x2 max-pool and one ConvFLU in each direction; one block over both branches' 16w channels, pooled and
    split in half for the classifier (x) and the decoder (y), whose skips are the gated y features.
    `cross_stitch`, `nddr`, `none_two_branches`: the same with other units in the place of the ConvFLUs, or none; the
    block over both branches stays, so that the units alone make the difference.
    `hard` (FERSNet w/o ConvFLU): one trunk with BatchNorm feeds both heads whole.
    `none` (FERSNet w/o MTL): that trunk and the classifier alone; there is no synthesis.

    Max-pool rounds up at the last level, so that the side may be any multiple of 16 (published: 96).

    Deviation, as an option: with `output: change` the decoder draws what is added to the input face, and starts at
    none. The published decoder redraws the whole face (`face`); within the few hundred steps of a small run it only
    gets to a blurred one, on which no expression can be read.
    """

    def __init__(
        self,
        width: int,
        image_size: int,
        channels: int,
        classes: int,
        sharing: Sharing = "convflu",
        convflu_kernel: int = 1,
        output: Output = "face",
        guidance: float = 0.0,
    ) -> None:
        """
        Args:
            width: Base width w; 64 in the published network.
            image_size: Side S of the square input, a multiple of 16.
            channels: 1 for grey, 3 for colour faces.
            classes: Number K of expressions.
            sharing: What the two tasks share.
            convflu_kernel: Odd kernel size of the ConvFLU convolutions.
            output: What the decoder draws.
            guidance: Weight g >= 0 of `guided`.

        Raises:
            ValueError: for a side that is no multiple of 16, an even kernel, an unknown sharing or output, a negative
                guidance.
        """
        super().__init__()
        if image_size < 16 or image_size % 16:
            raise ValueError(f"image_size must be a multiple of 16, not {image_size}")
        if convflu_kernel % 2 == 0:
            raise ValueError(f"convflu_kernel must be odd, not {convflu_kernel}")
        if sharing not in get_args(Sharing):
            raise ValueError(f"sharing must be one of {', '.join(get_args(Sharing))}, not {sharing!r}")
        if output not in ("face", "change"):
            raise ValueError(f"output must be face or change, not {output!r}")
        if guidance < 0:
            raise ValueError(f"guidance must be at least 0, not {guidance}")
        self.output = output
        self.guidance = guidance
        self.image_size = image_size
        self.channels = channels
        self.classes = classes
        self.sharing = sharing
        w = width
        sizes = (w, 2 * w, 4 * w, 8 * w)
        self.stem = nn.Sequential(nn.Conv2d(channels, w, 3, 1, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU())
        self.recognition_stages = nn.ModuleList(
            ResidualBlock(inputs, outputs, nn.BatchNorm2d) for inputs, outputs in pairwise(sizes)
        )
        self.synthesis_stages = nn.ModuleList()
        self.exchanges = nn.ModuleList()
        joint = 8 * w
        if sharing not in ("none", "hard"):
            self.synthesis_stages.extend(
                ResidualBlock(inputs, outputs, InstanceNorm) for inputs, outputs in pairwise(sizes)
            )
            self.exchanges.extend(exchange(sharing, size, convflu_kernel) for size in sizes[1:])
            joint = 16 * w
        self.joint = ResidualBlock(joint, joint, nn.BatchNorm2d)
        self.classifier_features = nn.Sequential(
            nn.Conv2d(8 * w, 4 * w, 3, 1, 1, bias=False), nn.BatchNorm2d(4 * w), nn.ReLU()
        )
        self.classifier = nn.Linear(4 * w, classes)
        self.decoder = Decoder(w, channels, classes) if sharing != "none" else None
        if self.decoder is not None and output == "change":
            nn.init.zeros_(self.decoder.output.weight)
            nn.init.zeros_(self.decoder.output.bias)

    @property
    def synthesises(self) -> bool:
        """Whether the network has a synthesis head."""
        return self.decoder is not None

    @property
    def free_units(self) -> list[nn.Parameter]:
        """Parameters of the sharing units that have a learning rate of their own and no weight decay."""
        return list(self.exchanges.parameters()) if self.sharing in FREE_UNITS else []

    def encode(self, images: Tensor) -> Encoding:
        """Features of both tasks. images: (B, C, S, S) in [0, 1].

        Raises:
            ValueError: if the images have another shape.
        """
        expected = (self.channels, self.image_size, self.image_size)
        if images.dim() != 4 or tuple(images.shape[1:]) != expected:
            raise ValueError(f"images must be (B, {', '.join(map(str, expected))}), not {tuple(images.shape)}")
        stem = functional.max_pool2d(self.stem(images), 2)
        if len(self.exchanges):
            return self._encode_branches(images, stem)
        features, skips = stem, []
        for stage in self.recognition_stages:
            features = functional.max_pool2d(stage(features), 2)
            skips.append(features)
        features = functional.max_pool2d(self.joint(features), 2, ceil_mode=True)
        return Encoding(images, features, features, stem, tuple(skips), {})

    def _encode_branches(self, images: Tensor, stem: Tensor) -> Encoding:
        recognition, synthesis, skips, gates = stem, stem, [], {}
        stages = zip(self.recognition_stages, self.synthesis_stages, self.exchanges, strict=True)
        for number, (recognition_stage, synthesis_stage, between) in enumerate(stages, start=1):
            recognition = functional.max_pool2d(recognition_stage(recognition), 2)
            synthesis = functional.max_pool2d(synthesis_stage(synthesis), 2)
            recognition, synthesis, pair = between(recognition, synthesis)
            gates.update({f"{number}/{task}": value for task, value in pair.items()})
            skips.append(synthesis)
        mixed = self.joint(torch.cat((recognition, synthesis), dim=1))
        recognition, synthesis = functional.max_pool2d(mixed, 2, ceil_mode=True).chunk(2, dim=1)
        return Encoding(images, recognition, synthesis, stem, tuple(skips), gates)

    def classify(self, encoding: Encoding) -> Tensor:
        """Logits (B, K)."""
        return self.classifier(self.classifier_features(encoding.recognition).mean(dim=(2, 3)))

    def decode(self, encoding: Encoding, target: Tensor) -> Tensor:
        """Faces (B, C, S, S) with the target expression, near [0, 1] and not clipped. target: one-hot (B, K).

        Raises:
            ValueError: if the network has no synthesis head.
        """
        if self.decoder is None:
            raise ValueError("a single-task network (sharing: none) cannot synthesise")
        drawn = self.decoder(encoding.synthesis, encoding.stem, encoding.skips, target)
        return encoding.images + drawn if self.output == "change" else drawn

    def guided(self, encoding: Encoding, target: Tensor) -> Tensor:
        """Faces as `decode` draws them, in which what is theirs among the K expressions weighs more.

        With y_k the face that is decoded for expression k: y_t + g (y_t - mean_k y_k), as the guidance of a diffusion
        model (Ho and Salimans 2022, eq. 6), the mean in the place of a network without condition. Deviation, as an
        option: g = 0 draws y_t, as published. A short training gets the direction of a change sooner than its size.
        """
        if not self.guidance:
            return self.decode(encoding, target)
        every = torch.eye(self.classes, device=target.device).unsqueeze(1).expand(-1, len(target), -1)
        faces = torch.stack([self.decode(encoding, expression) for expression in every])
        face = faces[target.argmax(dim=1), torch.arange(len(target), device=target.device)]
        return face + self.guidance * (face - faces.mean(dim=0))

    def forward(self, images: Tensor, target: Tensor | None = None) -> FERSNetOutput:
        """Recognise and, where a target is given and the network can, synthesise.

        images: (B, C, S, S) in [0, 1]; target: one-hot (B, K) float, the expression to synthesise.
        """
        encoding = self.encode(images)
        image = self.decode(encoding, target) if target is not None and self.synthesises else None
        return FERSNetOutput(self.classify(encoding), image, encoding.gates)
