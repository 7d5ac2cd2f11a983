"""The networks: shapes, variants, sizes, conditioning and determinism."""

import pytest
import torch
from torch import nn

from fersnet.models.blocks import InstanceNorm
from fersnet.models.describe import count_parameters, describe
from fersnet.models.discriminator import Discriminator
from fersnet.models.fersnet import FERSNet
from fersnet.models.standard_fer import StandardFER


@pytest.mark.parametrize("side", [16, 32, 48, 80, 96])
@pytest.mark.parametrize(("sharing", "channels"), [("hard", 3), ("convflu", 1), ("nddr", 1), ("cross_stitch", 1)])
def test_every_multiple_of_sixteen_goes_through(side: int, sharing: str, channels: int) -> None:
    network = FERSNet(2, side, channels, 7, sharing)
    images = torch.rand(2, channels, side, side)
    output = network(images, torch.eye(7)[:2])
    assert output.logits.shape == (2, 7)
    assert output.image is not None and output.image.shape == images.shape
    assert Discriminator(2, channels, 7)(output.image, torch.eye(7)[:2]).shape == (2, 1, side // 16, side // 16)


def test_single_task_network_has_no_synthesis() -> None:
    network = FERSNet(2, 32, 1, 6, "none")
    output = network(torch.rand(2, 1, 32, 32), torch.eye(6)[:2])
    assert output.image is None and not output.gates and not network.synthesises
    with pytest.raises(ValueError, match="cannot synthesise"):
        network.decode(network.encode(torch.rand(2, 1, 32, 32)), torch.eye(6)[:2])


def test_gates_of_every_level_and_task() -> None:
    gates = FERSNet(2, 32, 1, 6)(torch.rand(2, 1, 32, 32)).gates
    assert sorted(gates) == [f"{level}/{task}" for level in (1, 2, 3) for task in ("recognition", "synthesis")]
    assert [gates[f"{level}/synthesis"].memory.shape[1:] for level in (1, 2, 3)] == [(4, 8, 8), (8, 4, 4), (16, 2, 2)]


def test_published_size() -> None:
    """54.0 M parameters and 14.9 GFLOP in the authors' release; 2.8 M and 0.50 for its discriminator."""
    costs = describe(64, 96, 3, 6, identity_image_size=96)
    assert costs["fersnet"].parameters == pytest.approx(54.0e6, rel=0.02)
    assert costs["fersnet"].flop == pytest.approx(14.9e9, rel=0.02)
    assert costs["discriminator"].parameters == pytest.approx(2.8e6, rel=0.02)
    assert costs["discriminator"].flop == pytest.approx(0.50e9, rel=0.02)
    assert costs["identity network"].flop == pytest.approx(1.1e9, rel=0.02)


def test_counts_agree_with_a_direct_count() -> None:
    costs = describe(2, 32, 1, 6, "hard")
    network = FERSNet(2, 32, 1, 6, "hard")
    assert costs["fersnet"].parameters == sum(parameter.numel() for parameter in network.parameters())
    flop = 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal flop
        if isinstance(layer, nn.Conv2d):
            flop += 2 * layer.weight[0].numel() * output.numel()
        elif isinstance(layer, nn.ConvTranspose2d):
            flop += 2 * layer.weight[0].numel() * inputs[0].numel()
        elif isinstance(layer, nn.Linear):
            flop += 2 * layer.weight[0].numel() * output.numel()

    for layer in network.modules():
        layer.register_forward_hook(count)
    network.eval()(torch.rand(1, 1, 32, 32), torch.eye(6)[:1])
    assert costs["fersnet"].flop == flop


def test_target_changes_the_image_and_not_the_recognition() -> None:
    torch.manual_seed(0)
    network = FERSNet(4, 32, 1, 6).eval()
    images = torch.rand(1, 1, 32, 32).expand(6, -1, -1, -1)
    output = network(images, torch.eye(6))
    assert output.image is not None
    assert all((output.image[0] - other).abs().max() > 1e-4 for other in output.image[1:])
    torch.testing.assert_close(output.logits, output.logits[:1].expand(6, -1))


def test_noise_in_training_only() -> None:
    torch.manual_seed(0)
    network = FERSNet(4, 32, 1, 6)
    for name, parameter in network.named_parameters():
        if name.endswith("amplitude"):
            nn.init.ones_(parameter)
    images, target = torch.rand(2, 1, 32, 32), torch.eye(6)[:2]

    def twice() -> tuple[torch.Tensor, ...]:
        with torch.no_grad():
            return tuple(network.decode(network.encode(images), target) for _ in range(2))

    first, second = twice()
    assert not torch.equal(first, second)
    network.eval()
    first, second = twice()
    assert torch.equal(first, second)


def test_brightness_survives_into_the_synthesised_image() -> None:
    torch.manual_seed(0)
    network = FERSNet(4, 32, 1, 6).eval()
    images, target = torch.rand(1, 1, 32, 32), torch.eye(6)[:1]
    encodings = [network.encode(images), network.encode(images * 0.5)]
    assert (network.decode(encodings[0], target) - network.decode(encodings[1], target)).abs().max() > 1e-3


def test_instance_norm_takes_one_pixel() -> None:
    features = torch.randn(3, 2, 1, 1)
    assert torch.equal(InstanceNorm(2)(features), features)
    assert torch.equal(InstanceNorm(2, affine=False)(features), features)
    wide = InstanceNorm(2)(torch.randn(3, 2, 8, 8) * 5 + 3)
    torch.testing.assert_close(wide.mean(dim=(2, 3)), torch.zeros(3, 2), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 40}, "multiple of 16"),
        ({"convflu_kernel": 2}, "must be odd"),
        ({"sharing": "soft"}, "none, hard, none_two_branches, convflu, cross_stitch, nddr, not 'soft'"),
    ],
)
def test_impossible_networks_are_refused(arguments: dict[str, object], message: str) -> None:
    make = {"width": 2, "image_size": 32, "channels": 1, "classes": 6} | arguments
    with pytest.raises(ValueError, match=message):
        FERSNet(**make)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be \(B, 1, 32, 32\)"):
        FERSNet(2, 32, 1, 6)(torch.rand(2, 1, 48, 48))


def test_standard_fer() -> None:
    network = StandardFER(4, 1, 6)
    images = torch.rand(2, 1, 48, 48)
    assert network.features(images).shape == (2, 32)
    assert network(images).shape == (2, 6)
    # ResNet-18 has 11.2 million parameters without its 1000-class head.
    assert count_parameters(StandardFER(64, 3, 6)) == pytest.approx(11.2e6, rel=0.01)


def test_a_network_that_draws_the_change_starts_from_the_input_face_and_learns_away_from_it() -> None:
    torch.manual_seed(0)
    network = FERSNet(4, 32, 1, 6, output="change")
    images, target = torch.rand(3, 1, 32, 32), torch.eye(6)[:3]
    image = network(images, target).image
    assert torch.equal(image, images)
    (image - 0.5).square().mean().backward()
    assert network.decoder.output.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("sharing", ["convflu", "hard"])
@pytest.mark.parametrize("output", ["face", "change"])
def test_guidance_goes_further_away_from_the_mean_over_the_expressions(sharing: str, output: str) -> None:
    torch.manual_seed(0)
    network = FERSNet(4, 32, 1, 3, sharing, output=output, guidance=0.5).eval()
    torch.nn.init.normal_(network.decoder.output.weight, std=0.1)
    images, target = torch.rand(3, 1, 32, 32), torch.eye(3)
    with torch.no_grad():
        encoding = network.encode(images)
        first, second, third = (network(images, target[[number] * 3]).image for number in range(3))
        # Written out for three expressions: 3/2 of the face's own, less a sixth of each.
        plain = torch.stack([first[0], second[1], third[2]])
        expected = 1.5 * plain - (first + second + third) / 6
        torch.testing.assert_close(network.guided(encoding, target), expected)
        assert not torch.allclose(expected, plain, atol=1e-3)
        network.guidance = 0.0
        assert torch.equal(network.guided(encoding, target), network(images, target).image)


def test_an_unknown_output_or_a_negative_guidance_is_refused() -> None:
    with pytest.raises(ValueError, match="face or change"):
        FERSNet(4, 32, 1, 6, output="both")
    with pytest.raises(ValueError, match="guidance must be at least 0"):
        FERSNet(4, 32, 1, 6, guidance=-0.1)
