"""ConvFLU against the slides' equations, computed another way."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fersnet.models.convflu import ConvFLU


def direct(unit: ConvFLU, own: Tensor, other: Tensor) -> Tensor:
    """The four equations as sums over unfolded patches, in double precision."""
    channels = own.shape[1]
    kernel = unit.own.kernel_size[0]

    def convolve(weight: Tensor, features: Tensor) -> Tensor:
        patches = functional.unfold(features, kernel, padding=kernel // 2)
        return torch.einsum("of,bfp->bop", weight.flatten(1), patches).reshape(own.shape)

    both = torch.cat((own, other), dim=1)
    leaky = 1 / (1 + torch.exp(-convolve(unit.gates.weight[:channels], both)))
    memory = 1 / (1 + torch.exp(-convolve(unit.gates.weight[channels:], both)))
    candidate = torch.tanh(convolve(unit.other.weight, leaky * other) + convolve(unit.own.weight, own))
    return (1 - memory) * own + memory * candidate


@pytest.mark.parametrize("kernel", [1, 3])
def test_equations_of_the_slides(kernel: int) -> None:
    torch.manual_seed(0)
    unit = ConvFLU(5, kernel).double()
    own, other = torch.randn(2, 3, 5, 6, 6, dtype=torch.float64)
    result, gates = unit(own, other)
    torch.testing.assert_close(result, direct(unit, own, other))
    assert gates.leaky.shape == gates.memory.shape == own.shape
    assert all(gate.min() > 0 and gate.max() < 1 for gate in (gates.leaky, gates.memory))


def set_to(unit: ConvFLU, leaky: list[float], other: float, own: float, memory: list[float]) -> None:
    with torch.no_grad():
        unit.gates.weight[:, :, 0, 0] = torch.tensor([leaky, memory])
        unit.other.weight.fill_(other)
        unit.own.weight.fill_(own)


def test_worked_numbers() -> None:
    """One channel, F = (1, 2); with all weights zero half of the own features is left."""
    unit, own, other = ConvFLU(1), torch.full((1, 1, 1, 1), 1.0), torch.full((1, 1, 1, 1), 2.0)
    set_to(unit, [0.5, -0.5], 0.5, -1.0, [1.0, 0.0])
    result, gates = unit(own, other)
    assert gates.leaky.item() == pytest.approx(0.37754, abs=1e-5)
    assert gates.memory.item() == pytest.approx(0.73106, abs=1e-5)
    assert result.item() == pytest.approx(-0.13522, abs=1e-5)
    set_to(unit, [0.0, 0.0], 0.0, 0.0, [0.0, 0.0])
    assert unit(own, other)[0].item() == 0.5


def test_convolutions_have_no_bias() -> None:
    assert not [name for name, _ in ConvFLU(4).named_parameters() if "bias" in name]


def test_memory_gate_at_its_limits() -> None:
    torch.manual_seed(1)
    unit = ConvFLU(3)
    own, other = torch.rand(2, 2, 3, 4, 4) + 0.1
    for sign, expected in (
        (-1e4, own),
        (
            1e4,
            torch.tanh(
                unit.other(torch.sigmoid(unit.gates(torch.cat((own, other), 1)))[:, :3] * other) + unit.own(own)
            ),
        ),
    ):
        with torch.no_grad():
            unit.gates.weight[3:] = sign
        torch.testing.assert_close(unit(own, other)[0], expected)
