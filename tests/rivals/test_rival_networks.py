"""The networks of the rivals: published sizes, shapes, conditioning, and the arithmetic of their odd layers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fersnet.errors import UserError
from fersnet.rivals import convolutions, encoder_networks
from fersnet.rivals.caae import networks as caae_networks
from fersnet.rivals.cyclegan import networks as cyclegan_networks
from fersnet.rivals.exprgan import networks as exprgan_networks
from fersnet.rivals.stargan import networks as stargan_networks

STAGES, SIDE = encoder_networks.mini_map(96, "caae")


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: stargan_networks.Generator(64, 3, 6), 8_433_664),
        (lambda: stargan_networks.Discriminator(64, 3, 6, 96), 11_210_688),
        (lambda: cyclegan_networks.Generator(64, 3, 6), 7_837_699),
        (lambda: cyclegan_networks.Generator(64, 3, 9), 11_378_179),
        (lambda: cyclegan_networks.Discriminator(64, 3), 2_764_737),
        (lambda: encoder_networks.Encoder(64, 3, STAGES, SIDE, 50), 5_228_210),
        (lambda: encoder_networks.CodeDiscriminator(50), 6_001),
        (lambda: caae_networks.Generator(64, 3, 6, STAGES, SIDE, 50), 21_112_131),
        (lambda: caae_networks.ImageDiscriminator(64, 3, 6, 96), 4_995_921),
        (lambda: exprgan_networks.Generator(64, 3, 6, STAGES, SIDE, 50), 17_282_250),
        (lambda: exprgan_networks.ImageDiscriminator(64, 3, 6, 96), 5_433_301),
    ],
)
def test_parameter_counts_equal_the_published_networks(make, expected):
    with torch.device("meta"):
        network = make()
    assert count(network) == expected


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 48, 80])
def test_shapes_and_ranges(channels, size):
    torch.manual_seed(0)
    images = torch.rand(2, channels, size, size) * 2 - 1
    one_hot = torch.eye(6)[:2]
    stages, side = encoder_networks.mini_map(size, "caae")
    codes = encoder_networks.Encoder(4, channels, stages, side, 50)(images)
    assert codes.shape == (2, 50)
    assert encoder_networks.CodeDiscriminator(50)(codes).shape == (2, 1)
    faces = [
        stargan_networks.Generator(4, channels, 6, 1)(images, one_hot),
        cyclegan_networks.Generator(4, channels, 1)(images),
        caae_networks.Generator(4, channels, 6, stages, side, 50)(codes, one_hot * 2 - 1),
        exprgan_networks.Generator(4, channels, 6, stages, side, 50)(codes, torch.rand(2, 30)),
    ]
    for face in faces:
        assert face.shape == images.shape
        assert face.abs().max() <= 1
    patches, logits = stargan_networks.Discriminator(4, channels, 6, size)(images)
    assert logits.shape == (2, 6)
    assert patches.shape[2] == size // 2 ** stargan_networks.discriminator_depth(size)
    assert cyclegan_networks.Discriminator(4, channels)(images).shape == (2, 1, size // 8 - 2, size // 8 - 2)
    assert caae_networks.ImageDiscriminator(4, channels, 6, size)(images, one_hot).shape == (2, 1)
    discriminator = exprgan_networks.ImageDiscriminator(4, channels, 6, size)
    real, trunk = discriminator(images, one_hot)
    assert real.shape == (2, 1)
    assert discriminator.regress(trunk).shape == (2, 30)


def test_the_conditioning_reaches_the_image():
    torch.manual_seed(0)
    image = torch.rand(1, 1, 32, 32).expand(2, -1, -1, -1) * 2 - 1
    face = stargan_networks.Generator(4, 1, 6, 1)(image, torch.eye(6)[:2])
    assert not torch.allclose(face[0], face[1], atol=1e-4)
    codes = torch.rand(1, 50).expand(2, -1)
    labels = torch.eye(6)[:2] * 2 - 1
    assert not torch.equal(*caae_networks.Generator(4, 1, 6, 3, 4, 50)(codes, labels))
    expression = exprgan_networks.expression_code(torch.eye(6)[:2], torch.full((2, 5), 0.5))
    assert not torch.equal(*exprgan_networks.Generator(4, 1, 6, 3, 4, 50)(codes, expression))


def test_normalisation_per_instance_takes_a_faces_contrast_out():
    torch.manual_seed(0)
    face = torch.rand(1, 1, 32, 32) * 2 - 1
    for normalisation, kept in (("instance", False), ("batch", True)):
        with torch.no_grad():
            drawn, of_half = cyclegan_networks.Generator(4, 1, 1, normalisation)(torch.cat((face, face / 2)))
        assert torch.allclose(drawn, of_half, atol=0.02) != kept, normalisation


def test_expression_code_is_positive_on_the_target_and_negative_elsewhere():
    draw = torch.tensor([[0.1, -0.2, 0.3, -0.4, 0.5]])
    code = exprgan_networks.expression_code(torch.eye(6)[[2]], draw).view(6, 5)
    for expression in range(6):
        sign = 1 if expression == 2 else -1
        torch.testing.assert_close(code[expression], sign * draw[0].abs())


def turned(maps):
    return maps.flip(2, 3)


@pytest.mark.parametrize("side", [7, 8, 12])
def test_halving_is_tensorflows_convolution_turned_by_180_degrees(side):
    torch.manual_seed(0)
    convolution = encoder_networks.halving(2, 3).double()
    image = torch.randn(1, 2, side, side, dtype=torch.float64)
    half = -(-side // 2)
    missing = 2 * (half - 1) + 5 - side  # SAME: the smaller half of it before, the rest after
    padded = F.pad(turned(image), [missing // 2, missing - missing // 2] * 2)
    kernels = turned(convolution.weight)
    windows = padded.unfold(2, 5, 2).unfold(3, 5, 2)
    published = torch.einsum("bcyxij,ocij->boyx", windows, kernels) + convolution.bias.view(1, -1, 1, 1)
    assert published.shape[2:] == (half, half)
    torch.testing.assert_close(convolution(image), turned(published))


def test_doubling_is_the_transpose_of_halving():
    torch.manual_seed(0)
    forward, backward = encoder_networks.halving(2, 3), encoder_networks.doubling(3, 2)
    nn.init.zeros_(forward.bias)
    nn.init.zeros_(backward.bias)
    backward.weight.data = forward.weight.data
    image, features = torch.randn(1, 2, 8, 8), torch.randn(1, 3, 4, 4)
    torch.testing.assert_close((forward(image) * features).sum(), (backward(features) * image).sum())


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 5), (5, 1), (5, 3), (9, 5), (1, 1)])
def test_the_convolutions_is_a_plain_one(inputs, outputs, bias):
    torch.manual_seed(0)
    edge = convolutions.EdgeConv(inputs, outputs, padding=3, bias=bias).double()
    plain = nn.Conv2d(inputs, outputs, 7, padding=3, bias=bias).double()
    plain.load_state_dict(edge.state_dict())
    images = torch.randn(2, inputs, 9, 11, dtype=torch.float64)
    torch.testing.assert_close(edge(images), plain(images))
    edge(images).square().sum().backward()
    plain(images).square().sum().backward()
    torch.testing.assert_close(edge.weight.grad, plain.weight.grad)


@pytest.mark.parametrize(("inputs", "outputs", "kernel"), [(1, 5, 7), (3, 5, 7), (4, 2, 3)])
def test_constant_planes_are_convolved_as_if_concatenated(inputs, outputs, kernel):
    torch.manual_seed(0)
    convolution = convolutions.PlaneConv(inputs, 6, outputs, kernel).double()
    features = torch.randn(2, inputs, 8, 11, dtype=torch.float64)
    values = torch.randn(2, 6, dtype=torch.float64)
    together = torch.cat((features, values[:, :, None, None].expand(-1, -1, 8, 11)), dim=1)
    expected = nn.functional.conv2d(together, convolution.weight, padding=kernel // 2)
    torch.testing.assert_close(convolution(features, values), expected)


def test_batch_shift_is_batch_normalisation_without_a_scale():
    features = torch.randn(16, 3, 4, 4) * 5 + 2
    layer = encoder_networks.BatchShift(3)
    layer.bias.data = torch.tensor([1.0, 2.0, 3.0])
    mean = features.mean((0, 2, 3), keepdim=True)
    variance = features.var((0, 2, 3), unbiased=False, keepdim=True)
    expected = (features - mean) / (variance + 1e-3).sqrt() + torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
    torch.testing.assert_close(layer(features), expected)


def test_image_sizes_outside_a_methods_rule_are_refused():
    for size in (18, 50, 98):
        with pytest.raises(UserError, match="StarGAN needs a multiple of 4"):
            stargan_networks.check_image_size(size)
        with pytest.raises(UserError, match="CycleGAN needs a multiple of 4"):
            cyclegan_networks.check_image_size(size)
        with pytest.raises(UserError, match="caae needs"):
            encoder_networks.mini_map(size, "caae")
    with pytest.raises(UserError, match="at least 16"):
        encoder_networks.mini_map(12, "exprgan")
    assert encoder_networks.mini_map(96, "caae") == (4, 6)
    assert encoder_networks.mini_map(128, "caae") == (5, 4)
    assert stargan_networks.discriminator_depth(96) == 5
    assert stargan_networks.discriminator_depth(128) == 6
