"""The units between the two branches: worked numbers, starts, sizes, and what they make of each other's features."""

import pytest
import torch
from torch import nn

from fersnet.models.describe import count_parameters
from fersnet.models.fersnet import FERSNet
from fersnet.models.sharing import NDDR, Apart, CrossStitch, Exchange, exchange

UNITS = ("convflu", "cross_stitch", "nddr")


@pytest.mark.parametrize("sharing", UNITS)
def test_each_task_sends_gradients_into_the_other(sharing: str) -> None:
    torch.manual_seed(2)
    between = exchange(sharing, 4, 1)
    recognition = torch.randn(2, 4, 5, 5, requires_grad=True)
    synthesis = torch.randn(2, 4, 5, 5, requires_grad=True)
    outputs = between(recognition, synthesis)
    for output, other in ((outputs[0], synthesis), (outputs[1], recognition)):
        (gradient,) = torch.autograd.grad(output.sum(), other, retain_graph=True)
        assert gradient.abs().min() > 0


@pytest.mark.parametrize("sharing", UNITS)
def test_both_directions_read_the_features_before_the_exchange(sharing: str) -> None:
    torch.manual_seed(3)
    between = exchange(sharing, 4, 1)
    recognition, synthesis = torch.randn(2, 2, 4, 5, 5)
    new_recognition, new_synthesis, gates = between(recognition, synthesis)
    torch.testing.assert_close(new_recognition, between.recognition(recognition, synthesis)[0])
    torch.testing.assert_close(new_synthesis, between.synthesis(synthesis, recognition)[0])
    assert set(gates) == ({"recognition", "synthesis"} if sharing == "convflu" else set())


def test_units_start_with_nine_tenths_of_the_own_features_and_one_tenth_of_the_others() -> None:
    own, other = torch.rand(2, 2, 3, 4, 4)
    expected = 0.9 * own + 0.1 * other
    torch.testing.assert_close(CrossStitch(3)(own, other)[0], expected)
    torch.testing.assert_close(NDDR(3, lambda _: nn.Identity())(own, other)[0], expected)


@pytest.mark.parametrize("unit", [CrossStitch(3), NDDR(3, lambda _: nn.Identity())], ids=["cross_stitch", "nddr"])
def test_a_unit_that_takes_its_own_features_alone_is_none(unit: nn.Module) -> None:
    """On maps that are nowhere negative, as those of the branches."""
    own, other = torch.rand(2, 2, 3, 4, 4)
    with torch.no_grad():
        for name, parameter in unit.named_parameters():
            one = torch.cat((torch.eye(3), torch.zeros(3, 3)), dim=1)[..., None, None]
            parameter.copy_({"own": torch.ones(3), "other": torch.zeros(3), "mixed.weight": one}[name])
    assert torch.equal(unit(own, other)[0], Apart()(own, other)[0])


def test_swapping_tasks_and_weights_swaps_what_comes_out() -> None:
    torch.manual_seed(4)
    between, swapped = exchange("cross_stitch", 3, 1), exchange("cross_stitch", 3, 1)
    with torch.no_grad():
        for parameter in between.parameters():
            parameter.uniform_()
    swapped.recognition.load_state_dict(between.synthesis.state_dict())
    swapped.synthesis.load_state_dict(between.recognition.state_dict())
    recognition, synthesis = torch.rand(2, 2, 3, 4, 4)
    first, second, _ = between(recognition, synthesis)
    other_second, other_first, _ = swapped(synthesis, recognition)
    assert torch.equal(first, other_first) and torch.equal(second, other_second)


@pytest.mark.parametrize(
    ("sharing", "kernel", "by_size"),
    [
        ("convflu", 1, {128: 196_608, 256: 786_432, 512: 3_145_728}),
        ("convflu", 3, {128: 9 * 196_608}),
        ("cross_stitch", 1, {128: 512, 256: 1_024, 512: 2_048}),
        ("nddr", 1, {128: 66_048, 256: 263_168, 512: 1_050_624}),
        ("none_two_branches", 1, {128: 0}),
    ],
)
def test_parameters_of_both_directions(sharing: str, kernel: int, by_size: dict[int, int]) -> None:
    with torch.device("meta"):
        found = {size: count_parameters(exchange(sharing, size, kernel)) for size in by_size}
    assert found == by_size


@pytest.mark.parametrize(
    ("sharing", "units"), [("convflu", 258_048), ("cross_stitch", 896), ("nddr", 86_912), ("none_two_branches", 0)]
)
def test_networks_differ_in_their_units_alone(sharing: str, units: int) -> None:
    with torch.device("meta"):
        network = FERSNet(16, 48, 1, 6, sharing)
        apart = FERSNet(16, 48, 1, 6, "none_two_branches")
    assert count_parameters(network) - count_parameters(apart) == units
    free = sum(parameter.numel() for parameter in network.free_units)
    assert free == (units if sharing in ("cross_stitch", "nddr") else 0)


def test_a_trunk_has_no_exchange() -> None:
    with pytest.raises(ValueError, match="no two branches"):
        exchange("hard", 4, 1)
    assert isinstance(exchange("nddr", 4, 1), Exchange)
