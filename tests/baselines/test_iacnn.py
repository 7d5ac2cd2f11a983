"""IACNN: its contrastive losses by hand, and whom it pairs with whom."""

from collections.abc import Callable

import pandas as pd
import pytest
import torch

from fersnet.baselines.iacnn import IacnnSettings
from fersnet.baselines.iacnn import training as iacnn
from fersnet.baselines.iacnn.pairs import PairSampler
from fersnet.training.batches import FaceSet
from fersnet.training.task import TrainingRun

TINY = IacnnSettings(width=2, epochs=1, batch_size=8, milestones=(), dropout=0.0)


@pytest.mark.parametrize(
    ("partner", "same", "expected"), [((3, 4), True, 12.5), ((3, 4), False, 0), ((2, 0), False, 3), ((2, 0), True, 2)]
)
def test_the_contrastive_loss_by_hand(partner: tuple[int, int], same: bool, expected: float) -> None:
    """The hinge is on the squared distance: on the distance itself, (2, 0) would cost (10 - 2)^2 / 2 = 32."""
    first, second = torch.zeros(1, 2), torch.tensor([partner], dtype=torch.float32)
    assert iacnn.contrastive_loss(first, second, torch.tensor([same]), 10.0).tolist() == [expected]


def test_a_pair_beyond_the_margin_counts_in_the_mean() -> None:
    first, second = torch.zeros(2, 2), torch.tensor([[3.0, 4.0], [2.0, 0.0]])
    assert iacnn.contrastive_loss(first, second, torch.tensor([False, False]), 10.0).mean() == 1.5


def terms_of(faces: FaceSet, run: TrainingRun) -> tuple[iacnn.IacnnTask, dict[str, torch.Tensor]]:
    task = iacnn.task(faces, TINY, run, 4)
    torch.manual_seed(0)
    return task, task.terms(torch.arange(16))[0]


def test_each_contrast_trains_its_own_branch_and_what_is_shared(
    faces: Callable[..., FaceSet], new_run: Callable[[], TrainingRun]
) -> None:
    for name, other, own in (
        ("identity_contrast", "expression", "identity"),
        ("expression_contrast", "identity", "expression"),
    ):
        task, terms = terms_of(faces(4), new_run())
        terms[name].backward()
        network = task.iacnn
        assert getattr(network, other).weight.grad is None and network.classifier.weight.grad is None
        assert getattr(network, own).weight.grad.abs().sum() > 0
        assert network.convolutions[0].weight.grad.abs().sum() > 0


def test_half_the_partners_share_the_expression_and_half_the_subject(faces: Callable[..., FaceSet]) -> None:
    unbalanced = faces(5, frames=3)
    unbalanced = unbalanced.select((unbalanced.labels != 0) | (unbalanced.subjects == 2))
    sampler = PairSampler(unbalanced)
    torch.manual_seed(0)
    pairs = sampler.draw(3000)
    labels, subjects = unbalanced.labels, unbalanced.subjects
    assert torch.equal(pairs.same_expression, labels[pairs.anchors] == labels[pairs.partners])
    assert torch.equal(pairs.same_subject, subjects[pairs.anchors] == subjects[pairs.partners])
    drawn = torch.bincount(labels[pairs.anchors], minlength=3) / 3000
    assert drawn.tolist() == pytest.approx([1 / 3] * 3, abs=0.05)
    # A class of one subject has no partner of its expression: those differ in both.
    shares = {name: float(value) for name, value in pairs.shares().items()}
    expected = {"same_expression": 1 / 3, "same_subject": 1 / 2, "same_neither": 1 / 6, "same_both": 0}
    for name, value in expected.items():
        assert shares[f"pairs_{name}"] == pytest.approx(value, abs=0.05), name


def test_c_subjects_of_one_expression_are_paired_with_others(faces: Callable[..., FaceSet]) -> None:
    """Each subject shows one expression, two subjects each: nobody is his own partner, no pair shares the subject."""
    everybody = faces(6, frames=1)
    single = everybody.select(everybody.subjects % 3 == everybody.labels)
    torch.manual_seed(0)
    shares = PairSampler(single).draw(400).shares()
    assert shares["pairs_same_subject"] == shares["pairs_same_both"] == 0
    assert 0.4 < shares["pairs_same_expression"] < 0.6


def test_frames_of_one_sequence_are_the_last_resort_and_no_pair_of_the_expression(
    faces: Callable[..., FaceSet], new_run: Callable[[], TrainingRun]
) -> None:
    train = faces(2)
    alone = train.select((train.subjects == 0) & (train.labels == 1))
    pairs = PairSampler(alone).draw(10)
    assert (pairs.anchors != pairs.partners).all() and pairs.same_sequence.all()
    _, terms = terms_of(alone, new_run())
    assert terms["expression_contrast"] == 0 < terms["identity_contrast"]


def test_the_history_tells_the_shares_of_the_pairs(
    faces: Callable[..., FaceSet], new_run: Callable[[], TrainingRun]
) -> None:
    train, run = faces(3), new_run()
    iacnn.fit(train, train.select(torch.arange(0)), TINY, run, 4)
    row = pd.read_csv(run.folder / "history.csv").iloc[0]
    assert row[[name for name in row.index if name.startswith("pairs_")]].sum() == pytest.approx(1)
