"""What passes between the two branches after each stage: through ConvFLUs, cross-stitch units, NDDR layers, or nothing.

A unit is one direction: `unit(own, other)` gives the new features of the task that owns `own`, and its gates where it
has any. Maps are (B, C, H, W), and keep their shape.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.models.blocks import InstanceNorm, Normalisation
from fersnet.models.convflu import ConvFLU, Gates
from fersnet.settings.training import Sharing

OWN, OTHER = 0.9, 0.1
"""What cross-stitch units and NDDR layers take of the own and of the other task at the start, as in both papers."""


class CrossStitch(nn.Module):
    """One direction of a cross-stitch unit (Misra et al., CVPR 2016) with a pair of weights per channel.

    F_x' = a . F_x + b . F_y, with a = 0.9 and b = 0.1 at the start. The paper has one pair per unit or per channel.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.full((channels,), OWN))
        """a."""
        self.other = nn.Parameter(torch.full((channels,), OTHER))
        """b."""

    def forward(self, own: Tensor, other: Tensor) -> tuple[Tensor, Gates | None]:
        """F_x' of own (F_x) and other (F_y), any range."""
        taken, given = (weight.to(own.dtype)[:, None, None] for weight in (self.own, self.other))
        return taken * own + given * other, None


class NDDR(nn.Module):
    """One direction of an NDDR layer (Gao et al., CVPR 2019).

    F_x' = ReLU(norm(W * [F_x, F_y])), a bias-free 1x1 convolution that starts at W = (0.9 I | 0.1 I). The
    normalisation is of the receiving branch's kind; the paper has BatchNorm in both.
    """

    def __init__(self, channels: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.mixed = nn.Conv2d(2 * channels, channels, 1, bias=False)
        self.norm = normalisation(channels)
        one = torch.eye(channels)
        with torch.no_grad():
            self.mixed.weight.copy_(torch.cat((OWN * one, OTHER * one), dim=1)[..., None, None])

    def forward(self, own: Tensor, other: Tensor) -> tuple[Tensor, Gates | None]:
        """F_x' of own (F_x) and other (F_y), any range; F_x' is non-negative."""
        return functional.relu(self.norm(self.mixed(torch.cat((own, other), dim=1)))), None


class Apart(nn.Module):
    """No exchange: each task keeps its features."""

    def forward(self, own: Tensor, other: Tensor) -> tuple[Tensor, Gates | None]:
        """F_x itself."""
        return own, None


class Exchange(nn.Module):
    """Both directions at one level, each reading the features from before the exchange."""

    def __init__(self, recognition: nn.Module, synthesis: nn.Module) -> None:
        super().__init__()
        self.recognition = recognition
        self.synthesis = synthesis

    def forward(self, recognition: Tensor, synthesis: Tensor) -> tuple[Tensor, Tensor, dict[str, Gates]]:
        """New features of both tasks, and the gates that there are, under `recognition` and `synthesis`."""
        new_recognition, recognition_gates = self.recognition(recognition, synthesis)
        new_synthesis, synthesis_gates = self.synthesis(synthesis, recognition)
        pair = {"recognition": recognition_gates, "synthesis": synthesis_gates}
        return new_recognition, new_synthesis, {task: gates for task, gates in pair.items() if gates is not None}


def exchange(sharing: Sharing, channels: int, convflu_kernel: int) -> Exchange:
    """The exchange between two branches of so many channels, recognition with BatchNorm, synthesis with InstanceNorm.

    Raises:
        ValueError: for a sharing without two branches.
    """
    match sharing:
        case "convflu":
            return Exchange(ConvFLU(channels, convflu_kernel), ConvFLU(channels, convflu_kernel))
        case "cross_stitch":
            return Exchange(CrossStitch(channels), CrossStitch(channels))
        case "nddr":
            return Exchange(NDDR(channels, nn.BatchNorm2d), NDDR(channels, InstanceNorm))
        case "none_two_branches":
            return Exchange(Apart(), Apart())
        case _:
            raise ValueError(f"sharing {sharing!r} has no two branches")
