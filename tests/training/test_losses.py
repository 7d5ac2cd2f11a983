"""The five losses against sums written out by hand."""

import math

import pytest
import torch

from fersnet.training.losses import (
    adversarial_loss,
    classification_loss,
    cycle_loss,
    discriminator_loss,
    identity_loss,
    masked_mean,
    reconstruction_loss,
)

ALL = torch.tensor([True, True])
FIRST = torch.tensor([True, False])
NONE = torch.tensor([False, False])


def test_classification() -> None:
    logits, labels = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]), torch.tensor([1, 0])
    expected = sum(
        -math.log(math.exp(row[label]) / sum(map(math.exp, row)))
        for row, label in zip(logits.tolist(), labels.tolist(), strict=True)
    )
    assert classification_loss(logits, labels).item() == pytest.approx(expected / 2)


@pytest.mark.parametrize(("mask", "rows"), [(ALL, [0, 1]), (FIRST, [0]), (NONE, [])])
def test_reconstruction_and_identity_count_pairs_only(mask: torch.Tensor, rows: list[int]) -> None:
    torch.manual_seed(0)
    made, target = torch.rand(2, 2, 3, 4, 4)

    def mean_over_pairs(values: torch.Tensor) -> float:
        return sum(values[row].mean().item() for row in rows) / max(len(rows), 1)

    squares = (made - target) ** 2
    assert reconstruction_loss(made, target, mask).item() == pytest.approx(mean_over_pairs(squares))
    assert identity_loss(made, target, mask).item() == pytest.approx(mean_over_pairs(squares))
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    luma = ((made - target) * weights).sum(dim=1).abs()
    assert reconstruction_loss(made, target, mask, "released").item() == pytest.approx(mean_over_pairs(luma), rel=1e-5)


def test_masked_samples_send_no_gradient() -> None:
    made = torch.rand(2, 1, 4, 4, requires_grad=True)
    reconstruction_loss(made, torch.rand(2, 1, 4, 4), FIRST).backward()
    assert made.grad is not None
    assert made.grad[0].abs().max() > 0
    assert not made.grad[1].any()
    made.grad = None
    reconstruction_loss(made, torch.rand(2, 1, 4, 4), NONE).backward()
    assert not made.grad.any()


def test_cycle() -> None:
    returned, source = torch.rand(2, 2, 3, 5, 5)
    expected = ((returned - source) ** 2).sum().item() / returned.numel()
    assert cycle_loss(returned, source).item() == pytest.approx(expected, rel=1e-5)


def test_log_gan() -> None:
    real, fake = torch.tensor([[0.3, -1.0], [2.0, 0.1]])[:, None, None], torch.tensor([[0.5], [-2.0]])[:, None, None]

    def score(logit: float) -> float:
        return 1 / (1 + math.exp(-logit))

    on_real = -sum(math.log(score(logit)) for logit in (0.3, -1.0, 2.0, 0.1)) / 4
    on_fake = -sum(math.log(1 - score(logit)) for logit in (0.5, -2.0)) / 2
    assert discriminator_loss(real, fake, ALL).item() == pytest.approx(on_real + on_fake, rel=1e-5)
    for_generator = -sum(math.log(score(logit)) for logit in (0.5, -2.0)) / 2
    assert adversarial_loss(fake).item() == pytest.approx(for_generator, rel=1e-5)


def test_least_squares_gan() -> None:
    real, fake = torch.tensor([0.3, -1.0]).view(2, 1, 1, 1), torch.tensor([0.5, -2.0]).view(2, 1, 1, 1)
    expected = 0.5 * ((0.7**2 + 2.0**2) / 2 + (0.5**2 + 2.0**2) / 2)
    assert discriminator_loss(real, fake, ALL, "released").item() == pytest.approx(expected, rel=1e-5)
    assert adversarial_loss(fake, "released").item() == pytest.approx((0.5**2 + 3.0**2) / 2, rel=1e-5)


def test_log_gan_stays_finite_where_the_discriminator_is_sure() -> None:
    sure = torch.full((2, 1, 3, 3), 500.0)
    assert discriminator_loss(-sure, sure, ALL).item() == pytest.approx(1000)
    assert adversarial_loss(-sure).item() == pytest.approx(500)


def test_synthetic_faces_are_left_out_of_the_real_side() -> None:
    real, fake = torch.randn(2, 2, 1, 3, 3)
    only_first = discriminator_loss(real[:1], fake, ALL[:1])
    assert discriminator_loss(real, fake, FIRST).item() == pytest.approx(only_first.item())


def test_bfloat16_inputs_give_float32_losses() -> None:
    half = torch.rand(2, 1, 4, 4).bfloat16()
    for loss in (
        classification_loss(half[:, 0, 0], torch.tensor([0, 1])),
        reconstruction_loss(half, half, ALL),
        cycle_loss(half, half),
        identity_loss(half, half, ALL),
        discriminator_loss(half, half, ALL),
        adversarial_loss(half),
    ):
        assert loss.dtype == torch.float32


def test_masked_mean_is_the_plain_mean_without_a_mask() -> None:
    values = torch.rand(2, 3, 4)
    torch.testing.assert_close(masked_mean(values, ALL), values.mean())
