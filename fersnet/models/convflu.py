"""The convolutional feature leaky unit (ConvFLU), the paper's gated exchange between two tasks."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Gates:
    """The two gates of one ConvFLU, each (B, C, H, W) in (0, 1)."""

    leaky: Tensor
    """r: how much of the other task's features is let through."""
    memory: Tensor
    """z: how much of the own features is replaced."""


class ConvFLU(nn.Module):
    r"""One direction of the exchange: features of task y flow, gated, into task x.

    The four equations of the slides (ICPR 2020, section "Convolutional Feature Leaky Unit"):

        r   = sigmoid(W_r * [F_x, F_y])
        F~  = tanh(W * (r . F_y) + U * F_x)
        z   = sigmoid(W_z * [F_x, F_y])
        F_x' = (1 - z) . F_x + z . F~

    with bias-free convolutions (*) and elementwise products (.). W_r and W_z read the same input and are computed as
    one convolution: `gates.weight` holds W_r in its first `channels` rows and W_z in the rest. The authors' release
    swaps z and 1 - z, which is the same function class with the other reading of the gate; the slides' form is used.
    """

    def __init__(self, channels: int, kernel: int = 1) -> None:
        super().__init__()
        padding = kernel // 2
        self.gates = nn.Conv2d(2 * channels, 2 * channels, kernel, padding=padding, bias=False)
        self.other = nn.Conv2d(channels, channels, kernel, padding=padding, bias=False)
        """W, which reads the gated features of the other task."""
        self.own = nn.Conv2d(channels, channels, kernel, padding=padding, bias=False)
        """U, which reads the own features."""

    def forward(self, own: Tensor, other: Tensor) -> tuple[Tensor, Gates]:
        """F_x' and the gates. own (F_x) and other (F_y): (B, C, H, W), any range; F_x' has the same shape."""
        leaky, memory = torch.sigmoid(self.gates(torch.cat((own, other), dim=1))).chunk(2, dim=1)
        candidate = torch.tanh(self.other(leaky * other) + self.own(own))
        return torch.lerp(own, candidate.to(own.dtype), memory.to(own.dtype)), Gates(leaky, memory)
