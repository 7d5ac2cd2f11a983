"""DeRL: its generator's losses by hand, whose neutral faces it learns from, and that it is frozen afterwards."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from fersnet.baselines.derl import METHOD, DerlSettings
from fersnet.baselines.derl import training as derl
from fersnet.baselines.derl.networks import Classifiers, Derl, Discriminator, Generator, residues
from fersnet.baselines.derl.pairs import NeutralPairs
from fersnet.errors import UserError
from fersnet.models.describe import count_parameters
from fersnet.training.batches import FaceSet, join_faces
from fersnet.training.checkpoint import load_checkpoint
from fersnet.training.task import TrainingRun

TINY = DerlSettings(
    width=2, epochs=1, batch_size=8, milestones=(), dropout=0.0, generator_epochs=1, generator_batch_size=8
)
Faces = Callable[..., FaceSet]
NewRun = Callable[[], TrainingRun]


def neutral_of(faces: FaceSet) -> FaceSet:
    """Of every sequence the first frame turned upside down, so that none is one of the faces."""
    first = faces.select(faces.frames == 0)
    return replace(first, images=first.images.flip(2), frames=torch.full_like(first.frames, 9))


def logit(probability: float) -> Tensor:
    return torch.tensor([log(probability / (1 - probability))])


def test_the_losses_of_generator_and_discriminator_by_hand() -> None:
    assert derl.generator_loss(logit(0.25), torch.tensor(0.1), 10.0).item() == pytest.approx(2.3863, abs=1e-4)
    loss = derl.discriminator_loss(logit(0.8), logit(0.25)).item()
    assert loss == pytest.approx(-log(0.8) - log(0.75), abs=1e-6)


def test_the_published_shapes() -> None:
    """At w = 16 and 48 grey pixels; only what a plain autoencoder passes on reaches the generated face."""
    generator, classifiers = Generator(16, 1), Classifiers(DerlSettings(width=16), 48, 6)
    assert (count_parameters(generator), count_parameters(Discriminator(16, 1))) == (345_281, 42_721)
    faces = torch.rand(2, 1, 48, 48)
    encoded, decoded = generator.maps(faces)
    assert [tuple(one.shape[1:]) for one in encoded] == [(16, 24, 24), (32, 12, 12), (64, 6, 6), (128, 3, 3)]
    assert [one.shape[1] for one in residues(encoded, decoded)] == [32, 64, 128, 128]
    logits, local = classifiers(residues(encoded, decoded))
    assert logits.shape == (2, 6) and len(local) == 4
    made = generator.last(decoded[-1])
    assert torch.equal(made, generator(faces)) and made.min() >= 0 and made.max() <= 1
    generator.eval()
    features = generator.maps(faces)[0][-1]
    for layer in generator.decoder:
        features = layer(features)
    assert torch.equal(generator.last(features), generator(faces)), "the smallest map is all that the way up gets"


def test_a_face_meets_the_neutral_one_of_its_sequence_or_else_of_its_subject(faces: Faces) -> None:
    train = faces(3)
    neutral = neutral_of(train)
    # Subject 0 has a neutral face in his first sequence alone, subject 2 has none.
    kept = neutral.select((neutral.subjects == 1) | ((neutral.subjects == 0) & (neutral.labels == 0)))
    pairs = NeutralPairs(train, kept)
    assert len(pairs) == 12 + 4
    torch.manual_seed(0)
    inputs, targets = pairs.draw(torch.arange(16).repeat(20))
    subjects = torch.cat((train.subjects, kept.subjects))
    assert torch.equal(subjects[inputs], kept.subjects[targets])
    names = [*train.sequence_ids, *kept.sequence_ids]
    for position, target in zip(inputs.tolist(), targets.tolist(), strict=True):
        if subjects[position] == 1:
            assert names[position] == kept.sequence_ids[target]
    itself = inputs >= len(train)
    assert torch.equal(inputs[itself] - len(train), targets[itself]), "a neutral face stays as it is"


def test_the_names_of_the_subjects_decide_and_strangers_are_left_out(faces: Faces, new_run: NewRun) -> None:
    """A neutral face of a test subject changes nothing, whatever number he has among the neutral faces."""
    train, stranger = faces(3), faces(1, seed=4, prefix="A")
    contents = []
    for neutral in (neutral_of(train), join_faces(neutral_of(train), neutral_of(stranger))):
        run = new_run()
        derl.fit(train, train.select(torch.arange(0)), TINY, run, 4, neutral=neutral)
        contents.append((run.folder / "checkpoint.pt").read_bytes())
    assert contents[0] == contents[1]
    run = new_run()
    other = replace(neutral_of(train), images=neutral_of(train).images.flip(3).roll(3, dims=3))
    derl.fit(train, train.select(torch.arange(0)), TINY, run, 4, neutral=other)
    assert (run.folder / "checkpoint.pt").read_bytes() != contents[0]


def test_no_neutral_face_is_one_line_before_any_training(faces: Faces, new_run: NewRun) -> None:
    train, stranger, run = faces(2), faces(1, prefix="A"), new_run()
    for neutral in (None, neutral_of(stranger), neutral_of(train).select(torch.arange(0))):
        with pytest.raises(UserError, match=r"baselines\.derl: none of the training subjects has a neutral face"):
            derl.fit(train, train.select(torch.arange(0)), TINY, run, 4, neutral=neutral)
    assert not run.folder.exists()


def states_of(task: derl.DerlTask) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": value.clone()
        for name in ("generator", "discriminator")
        for key, value in task.networks[name].state_dict().items()
    }


def test_the_generator_is_frozen_to_the_bit_and_moves_in_its_own_stage(faces: Faces, new_run: NewRun) -> None:
    """As the loop calls it, which puts every network into training mode first."""
    train = faces(3)
    task = derl.task(train, TINY, new_run(), 4, neutral=neutral_of(train))
    first, second = derl.stages(TINY, len(train), neutral=9)
    assert (first.samples, second.samples) == (len(train) + 9, len(train))
    moved = {}
    for stage in (first, second):
        before = states_of(task)
        read = {name: value.clone() for name, value in task.classifiers.state_dict().items()}
        for network in task.networks.values():
            network.train()
        task.begin_epoch(stage, 1)
        for indices in torch.arange(stage.samples).split(8):
            task.training_step(indices)
        moved[stage.name] = {name for name, value in states_of(task).items() if not torch.equal(value, before[name])}
        same = all(torch.equal(value, read[name]) for name, value in task.classifiers.state_dict().items())
        assert same == (stage is first)
    assert moved == {first.name: set(states_of(task)), second.name: set()}


def test_averaging_leaves_the_generator_that_the_classifiers_know(faces: Faces, new_run: NewRun) -> None:
    train, run = faces(3), new_run()
    averaging = TINY.model_copy(update={"averaging": 0.9, "epochs": 3, "generator_epochs": 3})
    derl.fit(train, train.select(torch.arange(0)), averaging, run, 4, neutral=neutral_of(train))
    averaged, _ = load_checkpoint(run.folder / "checkpoint.pt")
    last, _ = load_checkpoint(run.folder / "checkpoint.pt", last=True)
    same = {name: all(torch.equal(value, last[name][key]) for key, value in averaged[name].items()) for name in last}
    assert same == {"network": False, "generator": True, "discriminator": True}


def test_the_generator_learns_to_take_the_expression_away(faces: Faces, new_run: NewRun) -> None:
    train, run = faces(5), new_run()
    longer = DerlSettings(**{**METHOD.small, "generator_epochs": 25, "epochs": 1})
    blank = neutral_of(train)
    blank = replace(blank, images=torch.full_like(blank.images, 60))
    derl.fit(train, train.select(torch.arange(0)), longer, run, 4, neutral=blank)
    differences = pd.read_csv(run.folder / "history.csv")["difference"].dropna()
    assert differences.iloc[-1] < 0.3 * differences.iloc[0]


class Nothing(Generator):
    """Takes nothing away: every map is the face itself, made smaller."""

    def maps(self, faces: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        encoded = [
            nn.functional.adaptive_avg_pool2d(faces, faces.shape[2] // 2**stage).repeat(1, 2**stage, 1, 1)
            for stage in range(1, 5)
        ]
        return encoded, encoded[2::-1]

    def forward(self, faces: Tensor) -> Tensor:
        return faces


def test_a_generator_that_takes_nothing_away_still_runs(faces: Faces, new_run: NewRun) -> None:
    train, run = faces(3), new_run()
    classifiers, pairs = Classifiers(TINY, 16, 4), NeutralPairs(train, neutral_of(train))
    task = derl.DerlTask(Nothing(2, 1), Discriminator(2, 1), classifiers, train, pairs, TINY, run)
    task.begin_epoch(derl.stages(TINY, len(train), neutral=9)[1], 1)
    assert all(torch.isfinite(value) for value in task.training_step(torch.arange(18)).values())
    assert Derl(task.generator, classifiers).eval()(torch.rand(2, 1, 16, 16)).shape == (2, 4)


def test_five_losses_of_equal_weight(faces: Faces, new_run: NewRun) -> None:
    train = faces(3)
    task = derl.task(train, TINY, new_run(), 4, neutral=neutral_of(train))
    task.begin_epoch(derl.stages(TINY, len(train), neutral=9)[1], 1)
    for parameter in task.classifiers.parameters():
        nn.init.zeros_(parameter)
    terms, _ = task.terms(torch.arange(18))
    assert [exp(value.item()) for value in terms.values()] == pytest.approx([4.0] * 5)
