"""IPA2LT: transitions by hand, who labels which faces, and that one perfect annotator leaves the plain network."""

from collections.abc import Callable
from dataclasses import replace
from math import exp

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from fersnet.baselines.ipa2lt import Ipa2ltSettings
from fersnet.baselines.ipa2lt import training as ipa2lt
from fersnet.baselines.ipa2lt.annotators import across_sets, within_set
from fersnet.baselines.ipa2lt.networks import Classifier, Transitions
from fersnet.seeds import derive_seed
from fersnet.settings.training import ScheduleSettings
from fersnet.training import loop
from fersnet.training.batches import FaceSet
from fersnet.training.checkpoint import load_checkpoint
from fersnet.training.classification import ClassificationTask
from fersnet.training.task import TrainingRun

TINY = Ipa2ltSettings(width=2, epochs=1, batch_size=8, milestones=(), annotator_epochs=1, warm_up_epochs=1)
WITHIN = TINY.model_copy(update={"annotators": "within"})
Faces = Callable[..., FaceSet]
NewRun = Callable[[], TrainingRun]
CHANCES = torch.tensor([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
TRUTH = torch.tensor([[0.7, 0.2, 0.1]])


def none_of(faces: FaceSet) -> FaceSet:
    return faces.select(torch.arange(0))


def by_hand(chances: Tensor) -> Transitions:
    transitions = Transitions(torch.ones(1, 3, dtype=torch.bool), 0.9)
    with torch.no_grad():
        transitions.scores.copy_(chances.log()[None])
    return transitions


def test_what_an_annotator_says_by_hand() -> None:
    """With columns in the place of rows the sum would be 1.125, and the loss 1.4271."""
    transitions = by_hand(CHANCES)
    said = transitions(TRUTH.log()).exp()
    assert said.flatten().tolist() == pytest.approx([0.67, 0.215, 0.115], abs=1e-6)
    assert said.sum().item() == pytest.approx(1)
    label, given = torch.tensor([[1]]), torch.tensor([[True]])
    loss = ipa2lt.label_loss(transitions.of_labels(TRUTH.log(), label), given)
    assert loss.item() == pytest.approx(1.5371, abs=1e-4)
    assert transitions.of_labels(TRUTH.log(), label)[0, 0] == transitions(TRUTH.log())[0, 0, 1]
    assert -(TRUTH @ CHANCES.T)[0, 1].log() == pytest.approx(1.4271, abs=1e-4), "the product that must not be taken"


def test_the_loss_is_the_mean_over_faces_of_the_sum_over_annotators() -> None:
    log_chances = torch.tensor([[-1.0, -2.0], [-3.0, -5.0]])
    assert ipa2lt.label_loss(log_chances, torch.tensor([[True, True], [True, False]])) == 3.0


def test_rows_stay_distributions_and_begin_near_the_identity() -> None:
    """The third annotator never says the first class, the last one says a single class."""
    said = torch.tensor([[True] * 6, [True] * 6, [False, *[True] * 5], [False] * 5 + [True]])
    transitions = Transitions(said, 0.9)
    chances = transitions.log_chances().exp()
    torch.testing.assert_close(chances[0], 0.88 * torch.eye(6) + 0.02)
    assert chances[2, 0].tolist() == pytest.approx([0, *[0.2] * 5])
    assert (chances[2, :, 0] == 0).all() and chances[2, 3, 3].item() == pytest.approx(0.9)
    assert chances[3].tolist() == [[0, 0, 0, 0, 0, 1]] * 6
    torch.nn.init.normal_(transitions.scores, std=5.0)
    torch.testing.assert_close(transitions.log_chances().exp().sum(dim=2), torch.ones(4, 6))
    assert transitions(torch.randn(9, 6).log_softmax(dim=1)).exp().sum(dim=2).allclose(torch.ones(9, 4))


def test_no_gradient_is_lost_where_an_annotator_never_says_a_class() -> None:
    said = torch.tensor([[True, True, True], [False, True, True]])
    transitions, scores = Transitions(said, 0.9), torch.randn(4, 3, requires_grad=True)
    labels, given = torch.tensor([[0, 1], [1, 1], [2, 2], [0, 1]]), torch.tensor([[True, True]] * 3 + [[True, False]])
    ipa2lt.label_loss(transitions.of_labels(scores.log_softmax(dim=1), labels), given).backward()
    for gradient in (scores.grad, transitions.scores.grad):
        assert gradient is not None and torch.isfinite(gradient).all() and gradient.abs().sum() > 0
    before = transitions.scores.detach().clone()
    torch.optim.Adam(transitions.parameters(), lr=0.1).step()
    assert not torch.equal(transitions.scores, before), "the parameter that the optimiser holds is the one that is used"


def test_the_transitions_learn_what_an_annotator_confuses() -> None:
    """Of faces of the third class this one says the first half of the time."""
    transitions, truth = Transitions(torch.ones(1, 3, dtype=torch.bool), 0.9), torch.arange(3).repeat(40)
    labels = torch.where((truth == 2) & (torch.arange(120) % 2 == 0), 0, truth)[:, None]
    log_truth = torch.full((120, 3), 1e-4).scatter(1, truth[:, None], 1.0).log()
    optimizer = torch.optim.Adam(transitions.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        ipa2lt.label_loss(transitions.of_labels(log_truth, labels), torch.ones_like(labels)).backward()
        optimizer.step()
    learnt = transitions.log_chances()[0].exp()
    assert learnt[2].tolist() == pytest.approx([0.5, 0, 0.5], abs=0.05) and learnt[0, 0] > 0.95


def test_across_sets_a_model_labels_all_but_its_own_set() -> None:
    people, first, second = across_sets({"a": 2, "none": 0, "b": 3}, 4)
    assert [one.name for one in (people, first, second)] == ["people", "a", "b"]
    assert (people.own.tolist(), people.asked.tolist(), people.says_own) == ([0, 1, 2, 3], [], True)
    assert (first.own.tolist(), first.asked.tolist()) == ([4, 5], [0, 1, 2, 3, 6, 7, 8])
    assert (second.own.tolist(), second.asked.tolist()) == ([6, 7, 8], [0, 1, 2, 3, 4, 5])
    assert [len(one.asked) for one in across_sets({"a": 1}, 4)] == [0, 0], "one face trains no model"


def test_within_a_set_no_model_labels_a_subject_that_it_has_seen(faces: Faces) -> None:
    train = faces(5)
    annotators = within_set(train, 3)
    assert [one.name for one in annotators] == ["people", "part_1", "part_2", "part_3"]
    everyone = set(range(len(train)))
    seen: set[int] = set()
    for one in annotators[1:]:
        own, asked = ({int(train.subjects[place]) for place in places} for places in (one.own, one.asked))
        assert not own & asked and not own & seen and not one.says_own
        assert {*one.own.tolist(), *one.asked.tolist()} == everyone
        seen |= own
    assert seen == set(range(5))
    alone = train.select(train.subjects == 1)
    assert [one.name for one in within_set(alone, 3)] == ["people"], "nobody is left to be labelled"


def test_every_face_has_the_labels_that_it_ought_to_have(faces: Faces, new_run: NewRun) -> None:
    """One set is without a class, which its model then never says; another says no class that the others have."""
    train, others = faces(3), {"a": faces(2, seed=7, prefix="A"), "b": faces(2, seed=8, prefix="B")}
    others["a"] = others["a"].select(others["a"].labels != 1)
    task = ipa2lt.task(train, TINY, run := new_run(), 4, others=others)
    counts = {name: len(one) for name, one in others.items()}
    loop.train(task, ipa2lt.stages(TINY, len(train), others=counts), run)
    here, a, b = (torch.arange(start, stop) for start, stop in ((0, 18), (18, 26), (26, 38)))
    assert task.has_given[here].all() and task.has_given[b][:, 1:].all() and not task.has_given[b][:, 0].any()
    assert task.has_given.sum() == 18 * 3 + 8 * 2 + 12 * 2
    for positions, number in ((here, 0), (a, 1), (b, 2)):
        assert torch.equal(task.given[positions, number], task.labels[positions]), "labels of people on their own set"
    assert (task.given[:, 1] != 1).all(), "a class that its set does not have"
    network = task.networks["annotator_b"].eval()
    images = task.images[here][:, :, 1:17, 1:17] / 255
    assert torch.equal(task.given[here, 2], network(images)[:, :3].argmax(dim=1))


def test_contempt_in_the_target_alone_is_said_by_nobody_else_and_still_learnt(faces: Faces, new_run: NewRun) -> None:
    train, other, run = faces(5), faces(4, seed=7, prefix="A"), new_run()
    # Nobody else shows the first class.
    other = other.select(other.labels != 0)
    longer = TINY.model_copy(
        update={"width": 4, "epochs": 10, "annotator_epochs": 4, "warm_up_epochs": 6, "learning_rate": 3e-3}
    )
    model = ipa2lt.fit(train, none_of(train), longer, run, 4, others={"other": other})
    states, metadata = load_checkpoint(run.folder / "checkpoint.pt")
    assert metadata["annotators"] == ["people", "other"]
    assert states["transitions"]["said"].tolist() == [[True, True, True, False], [False, True, True, False]]
    shown = train.select(train.labels == 0)
    assert (model.predict_proba(shown).argmax(axis=1) == 0).mean() >= 0.9
    history = pd.read_csv(run.folder / "history.csv")
    assert history["agreement_other"].dropna().between(0, 1).all()


def test_a_class_that_the_fold_lacks_is_learnt_from_other_sets(faces: Faces, new_run: NewRun) -> None:
    train, other = faces(3), faces(3, seed=7, prefix="A")
    lacking = train.select(train.labels != 2)
    model = ipa2lt.fit(lacking, none_of(train), TINY, new_run(), 4, others={"other": other})
    probabilities = model.predict_proba(train)
    assert (probabilities[:, 2] > 0).all() and (probabilities[:, 3] == 0).all()
    within = ipa2lt.fit(lacking, none_of(train), WITHIN, new_run(), 4, others={})
    assert (within.predict_proba(train)[:, 2] == 0).all()


@pytest.mark.parametrize("settings", [TINY, WITHIN], ids=["cross", "within"])
def test_strange_sets(settings: Ipa2ltSettings, faces: Faces, new_run: NewRun) -> None:
    """One other set, none, an empty one, one of a single face; subjects with a single expression; one subject."""
    train, other = faces(4), faces(3, seed=7, prefix="A")
    single = train.select(train.subjects % 3 == train.labels)
    alone = train.select(train.subjects == 0)
    one_face = other.select(torch.tensor([4]))
    for given, others in (
        (train, {}),
        (train, {"empty": none_of(other)}),
        (train, {"one": one_face, "other": other}),
        (single, {"other": other}),
        (alone, {"other": other}),
    ):
        probabilities = ipa2lt.fit(given, none_of(train), settings, new_run(), 4, others=others).predict_proba(train)
        assert np.isfinite(probabilities).all()
        task = ipa2lt.task(given, settings, new_run(), 4, others=others)
        counted = ipa2lt.stages(settings, len(given), others={name: len(one) for name, one in others.items()})
        names = [f"annotator_{one.name}" for one in task.annotators if len(one.asked)]
        if settings is TINY or given is train:
            assert [stage.name for stage in counted] == [*names, "warm_up", "latent"]


def test_within_reads_no_other_set(faces: Faces, new_run: NewRun) -> None:
    assert TINY.reads_other_sets and not WITHIN.reads_other_sets
    train, contents = faces(3), []
    for others in ({}, {"other": faces(2, seed=7, prefix="A")}):
        run = new_run()
        ipa2lt.fit(train, none_of(train), WITHIN, run, 4, others=others)
        contents.append((run.folder / "checkpoint.pt").read_bytes())
    assert contents[0] == contents[1]


def test_one_perfect_annotator_leaves_the_plain_network_step_for_step(faces: Faces, new_run: NewRun) -> None:
    train, (mine, plain) = faces(3, classes=4), (new_run(), new_run())
    settings = TINY.model_copy(update={"epochs": 2, "width": 4})
    task = ipa2lt.task(train, settings, mine, 4, others={})
    with torch.no_grad():
        task.transitions.scores.copy_(torch.eye(4).log()[None])
    latent = ipa2lt.stages(settings, len(train), others={})[-1]
    loop.train(task, [latent], mine)
    torch.manual_seed(derive_seed(plain.seed, ipa2lt.KEY))
    network = Classifier(settings.width, 1, 4)
    schedule = ScheduleSettings(**{key: getattr(settings, key) for key in ScheduleSettings.model_fields})
    loop.train(ClassificationTask(network, train, train.labels, 16, schedule, plain), [latent], plain)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(task.networks["network"].state_dict()[name], value, rtol=1e-4, atol=1e-5)
    losses = [pd.read_csv(run.folder / "history.csv") for run in (mine, plain)]
    assert losses[0]["labels"].tolist() == pytest.approx(losses[1]["cross_entropy"].tolist(), rel=1e-4)


def test_f_alone_recognises_and_the_transitions_are_no_part_of_it(faces: Faces, new_run: NewRun) -> None:
    train = faces(3)
    model = ipa2lt.fit(train, none_of(train), TINY, new_run(), 4, others={})
    before = model.predict_proba(train)
    assert isinstance(model.network, Classifier)
    logits = model.network.eval()(train.images[:, :, 1:17, 1:17] / 255)[:, :3]
    assert before[:, 0] == pytest.approx([exp(row[0]) / sum(map(exp, row)) for row in logits.tolist()], abs=1e-4)


def test_a_start_is_that_of_every_network(faces: Faces, new_run: NewRun) -> None:
    first, train = new_run(), faces(3)
    everybody = replace(faces(4, seed=2, prefix="P"), expressions=("contempt", "disgust", "fear", "surprise"))
    ipa2lt.fit(everybody, none_of(everybody), TINY, first, 4, others={})
    checkpoint = first.folder / "checkpoint.pt"
    task = ipa2lt.task(train, TINY, new_run(), 4, checkpoint, others={"other": faces(2, seed=7, prefix="A")})
    expected = load_checkpoint(checkpoint)[0]["network"]["stem.0.weight"]
    for name in ("network", "annotator_other"):
        assert torch.equal(task.networks[name].state_dict()["stem.0.weight"], expected)
