"""ConvFLU against the slides' equations, computed another way."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fersnet.models.convflu import ConvFLU, Exchange


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


def test_each_task_sends_gradients_into_the_other() -> None:
    torch.manual_seed(2)
    exchange = Exchange(4)
    recognition = torch.randn(2, 4, 5, 5, requires_grad=True)
    synthesis = torch.randn(2, 4, 5, 5, requires_grad=True)
    outputs = exchange(recognition, synthesis)
    for output, other in ((outputs[0], synthesis), (outputs[1], recognition)):
        (gradient,) = torch.autograd.grad(output.sum(), other, retain_graph=True)
        assert gradient.abs().min() > 0


def test_both_directions_read_the_features_before_the_exchange() -> None:
    torch.manual_seed(3)
    exchange = Exchange(4)
    recognition, synthesis = torch.randn(2, 2, 4, 5, 5)
    new_recognition, new_synthesis, gates = exchange(recognition, synthesis)
    torch.testing.assert_close(new_recognition, exchange.recognition(recognition, synthesis)[0])
    torch.testing.assert_close(new_synthesis, exchange.synthesis(synthesis, recognition)[0])
    assert set(gates) == {"recognition", "synthesis"}
