"""The fixed judge of rendered faces, as it reads the faces of a run."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.errors import UserError
from fersnet.judge.record import FILE, checked_sha256
from fersnet.models.standard_fer import StandardFER
from fersnet.training.checkpoint import load_checkpoint, restore

KIND = "fixed judge"
WIDTH = 16
"""Channels of its first stage."""
SIDE = 48
"""Side of its input in pixels."""


class FixedJudge(nn.Module):
    """A standard FER model for rendered faces of any size, grey or in colour, that chooses among some expressions.

    It knows all seven. Those that a dataset does not have are left out before the softmax, so that the probabilities of
    the others keep their proportions, and a face that leaves it unsure stays even among them.
    """

    def __init__(self, network: StandardFER, columns: list[int]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("columns", torch.tensor(columns))

    def features(self, images: Tensor) -> Tensor:
        """Pooled features (B, 8w), non-negative. images: (B, C, S, S) in [0, 1], C being 1 or 3."""
        return self.network.features(_grey_at_its_side(images))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, K) of the chosen expressions. images: (B, C, S, S) in [0, 1]."""
        return self.network(_grey_at_its_side(images))[:, self.columns]


def load_fixed_judge(expressions: tuple[str, ...], device: torch.device | str, file: Path = FILE) -> FixedJudge:
    """The judge in evaluation mode on the device, its logits in the order of these expressions.

    Raises:
        UserError: if the file is not the one of the record, or does not know an expression.
    """
    checked_sha256(file)
    states, metadata = load_checkpoint(file)
    known = list(metadata["expressions"])
    unknown = [expression for expression in expressions if expression not in known]
    if unknown:
        raise UserError(
            f"standard_fer.trained_on: the fixed judge does not know {unknown[0]} (it knows {', '.join(known)}); "
            "take `fold`"
        )
    network = StandardFER(WIDTH, 1, len(known))
    restore(network, states["network"], file)
    judge = FixedJudge(network, [known.index(expression) for expression in expressions])
    return judge.to(device).eval().requires_grad_(False)


def _grey_at_its_side(images: Tensor) -> Tensor:
    if images.shape[1] == 3:
        images = (images * images.new_tensor((0.299, 0.587, 0.114))[:, None, None]).sum(dim=1, keepdim=True)
    if images.shape[-1] == SIDE:
        return images
    return functional.interpolate(images, size=SIDE, mode="bilinear", antialias=images.shape[-1] > SIDE)
