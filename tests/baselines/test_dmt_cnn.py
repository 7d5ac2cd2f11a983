"""DMT-CNN: its losses and weights by hand, who moves what, centres, and landmarks as the side task."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
import torch

from fersnet.baselines.dmt_cnn import METHOD, DmtCnnSettings
from fersnet.baselines.dmt_cnn import training as dmt_cnn
from fersnet.baselines.dmt_cnn.landmarks import landmark_targets
from fersnet.baselines.dmt_cnn.network import IdentityHead, TaskWeights
from fersnet.errors import UserError
from fersnet.training.batches import FaceSet, centre_crops
from fersnet.training.checkpoint import load_checkpoint
from fersnet.training.task import TrainingRun

TINY = DmtCnnSettings(width=2, hidden=4, epochs=1, batch_size=8, milestones=(), dropout=0.0)
LANDMARKS = TINY.model_copy(update={"side_task": "landmarks"})
Faces = Callable[..., FaceSet]
NewRun = Callable[[], TrainingRun]


def test_the_two_losses_by_hand() -> None:
    scores = torch.zeros(2, requires_grad=True)
    weights, losses = scores.softmax(dim=0), torch.tensor([2.0, 0.5], requires_grad=True)
    assert dmt_cnn.main_loss(weights, losses).item() == pytest.approx(1.25)
    loss = dmt_cnn.weight_loss(weights, losses)
    assert loss.item() == pytest.approx(1.22915, abs=1e-5)
    loss.backward()
    assert scores.grad is not None and losses.grad is None
    # Descent raises the score of the first task, the harder one.
    assert scores.grad.tolist() == pytest.approx([-0.3658, 0.3658], abs=1e-4)


def test_the_centre_loss_by_hand_and_how_a_centre_moves() -> None:
    head = IdentityHead(2, 2, 0.0)
    embeddings, subjects = torch.tensor([[1.0, 0.0]]), torch.tensor([0])
    assert 0.1 * dmt_cnn.centre_loss(embeddings, head.centres[subjects]) == pytest.approx(0.05)
    head.move_centres(embeddings, subjects, 0.5)
    assert head.centres.tolist() == [[0.5, 0.0], [0.0, 0.0]]
    # Two faces of a subject pull half as much each.
    head.move_centres(torch.tensor([[0.0, 1.0], [0.0, -1.0], [1.0, 0.0]]), torch.tensor([0, 0, 1]), 0.5)
    assert head.centres.tolist() == [[0.25, 0.0], [0.5, 0.0]]
    assert set(dict(head.named_parameters())) == {"scores.weight", "scores.bias"}


def test_equal_weights_at_first_whatever_is_seen() -> None:
    weights = TaskWeights(12)
    assert weights(torch.rand(5, 3, 2, 2)).tolist() == [0.5, 0.5]
    torch.nn.init.normal_(weights.layer.weight)
    seen = torch.rand(5, 3, 2, 2)
    torch.testing.assert_close(weights(seen), weights(7 * seen))
    assert weights(seen).sum().item() == pytest.approx(1)


@pytest.mark.parametrize("weighting", ["dynamic", "released", "fixed"])
def test_who_moves_what(weighting: str, faces: Faces, new_run: NewRun) -> None:
    settings = TINY.model_copy(update={"weighting": weighting})
    task = dmt_cnn.task(faces(3), settings, new_run(), 4)
    if weighting == "fixed":
        terms, figures = task.terms(torch.arange(18))
        assert set(terms) == {"main"} and figures["side_weight"] == 0.5 and set(task.networks) == {"network"}
        return
    assert task.weights is not None
    torch.nn.init.normal_(task.weights.layer.weight)
    layer, trunk = task.weights.layer.weight, task.dmt.stem[0].weight
    terms, _ = task.terms(torch.arange(18))
    terms["weights"].backward(retain_graph=True)
    assert layer.grad is not None and layer.grad.abs().sum() > 0
    assert all(value.grad is None for value in task.dmt.parameters())
    layer.grad = None
    terms["main"].backward()
    assert layer.grad is None and trunk.grad is not None
    # With the weights as numbers, the gradient is that of the plain weighted sum; as released, there is more.
    other = dmt_cnn.task(faces(3), TINY, task.run, 4)
    assert other.weights is not None
    other.weights.load_state_dict(task.weights.state_dict())
    torch.manual_seed(1)
    other.terms(torch.arange(18))[0]["main"].backward()
    torch.manual_seed(1)
    again = dmt_cnn.task(faces(3), settings, task.run, 4)
    assert again.weights is not None
    again.weights.load_state_dict(task.weights.state_dict())
    torch.manual_seed(1)
    again.terms(torch.arange(18))[0]["main"].backward()
    assert other.dmt.stem[0].weight.grad is not None and again.dmt.stem[0].weight.grad is not None
    same = torch.equal(other.dmt.stem[0].weight.grad, again.dmt.stem[0].weight.grad)
    assert same == (weighting == "dynamic")


def test_weights_learn_to_favour_the_harder_task() -> None:
    weights, seen = TaskWeights(12), torch.rand(5, 3, 2, 2)
    optimizer = torch.optim.SGD(weights.parameters(), lr=0.1, momentum=0.9)
    for _ in range(20):
        optimizer.zero_grad()
        dmt_cnn.weight_loss(weights(seen), torch.tensor([2.0, 0.5])).backward()
        optimizer.step()
    assert weights(seen)[0] > 0.8


def test_identity_classes_and_centres_are_those_of_the_training_subjects(faces: Faces, new_run: NewRun) -> None:
    train, validation, run = faces(3), faces(2, seed=1, prefix="V"), new_run()
    dmt_cnn.fit(train, validation, TINY, run, 4)
    states, metadata = load_checkpoint(run.folder / "checkpoint.pt")
    assert metadata["subjects"] == len(states["network"]["identity.scores.weight"]) == 5
    assert (states["network"]["identity.centres"].abs().sum(dim=1) > 0).all()
    assert "side_weight" in pd.read_csv(run.folder / "history.csv")


def test_landmark_targets_move_with_the_crop_and_its_mirror(faces: Faces) -> None:
    targets = landmark_targets(train := faces(3), 16, torch.device("cpu"))
    everyone = torch.arange(len(train))
    centre = centre_crops(train.images, 16)
    values, present = targets.of(everyone, centre)
    turned, _ = targets.of(everyone, replace(centre, flipped=~centre.flipped))
    assert present.all()
    # Over faces and mirrors: mean 0 at every point, variance 1 over all.
    both = torch.cat((values, turned))
    torch.testing.assert_close(both.mean(dim=0), torch.zeros(136), atol=1e-4, rtol=0)
    assert both.square().mean().item() == pytest.approx(1, rel=1e-4)
    shifted, _ = targets.of(everyone, replace(centre, left=centre.left + 1))
    moved = (values - shifted).unflatten(1, (68, 2)) * targets.spread
    torch.testing.assert_close(moved, torch.tensor([1.0, 0.0]).expand_as(moved), atol=1e-4, rtol=0)
    # The corner of the mouth that a mirror shows at the left was at the right.
    marks = train.landmarks
    assert marks is not None
    left = turned.unflatten(1, (68, 2))[0, 48] * targets.spread + targets.mean[48]
    torch.testing.assert_close(left, torch.stack((15 - (marks[0, 54, 0] - 1), marks[0, 54, 1] - 1)), atol=1e-4, rtol=0)


def test_landmarks_as_the_side_task(faces: Faces, new_run: NewRun) -> None:
    train, contents = faces(4), []
    nobody = train.select(torch.arange(0))
    assert train.landmarks is not None
    for landmarks in (train.landmarks, train.landmarks, train.landmarks.flip(0)):
        run = new_run()
        dmt_cnn.fit(replace(train, landmarks=landmarks), nobody, LANDMARKS, run, 4)
        contents.append((run.folder / "checkpoint.pt").read_bytes())
    assert contents[0] == contents[1] != contents[2]
    longer = DmtCnnSettings(**{**METHOD.small, "side_task": "landmarks"})
    run = new_run()
    model = dmt_cnn.fit(train, nobody, longer, run, 4)
    history = pd.read_csv(run.folder / "history.csv")
    assert history["side_loss"].iloc[-1] < 0.9 * history["side_loss"].iloc[0]
    assert (model.predict_proba(train).argmax(axis=1) == train.labels.numpy()).mean() >= 0.9


def test_faces_without_landmarks_do_not_count_and_no_landmarks_at_all_are_told(faces: Faces, new_run: NewRun) -> None:
    train = faces(2)
    assert train.landmarks is not None
    some = replace(train, landmarks=train.landmarks.clone())
    assert some.landmarks is not None
    some.landmarks[::2, 5] = torch.nan
    targets = landmark_targets(some, 16, torch.device("cpu"))
    values, present = targets.of(torch.arange(len(some)), centre_crops(some.images, 16))
    assert torch.equal(present, torch.arange(len(some)) % 2 == 1)
    assert torch.isfinite(values).all() and (values[~present] == 0).all()
    with pytest.raises(UserError, match=r"baselines\.dmt_cnn\.side_task: no training face has landmarks"):
        dmt_cnn.fit(replace(train, landmarks=None), train.select(torch.arange(0)), LANDMARKS, new_run(), 4)
