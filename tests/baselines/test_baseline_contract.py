"""What every baseline has to do, whatever it computes."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from fersnet.baselines.clips import ClipSet, fold_clips
from fersnet.errors import UserError
from fersnet.faces.store import FaceStore
from fersnet.folds import split_subjects
from fersnet.methods.find import find_known, load_code
from fersnet.training.checkpoint import load_checkpoint, save_checkpoint
from fersnet.training.task import TrainingRun

CLASSES = 4
EXPRESSIONS = ("anger", "disgust", "fear", "surprise")
KNOWN = {key: found for key, found in find_known({}).recognisers.items() if "clips" in found.declared.reads}
SMALL: dict[str, Any] = {key: found.declared.settings(**found.declared.small) for key, found in KNOWN.items()}
NETWORKS = [key for key, found in KNOWN.items() if found.declared.trains_networks]
HANDCRAFTED = [key for key, found in KNOWN.items() if not found.declared.trains_networks]
Spots = Callable[..., ClipSet]
NewRun = Callable[[], TrainingRun]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def fit(method: str, train: ClipSet, validation: ClipSet, run: TrainingRun) -> Any:
    return load_code(KNOWN[method].module).fit(train, validation, SMALL[method], run, CLASSES)


def none_of(clips: ClipSet) -> ClipSet:
    return clips.select(np.arange(0))


@pytest.mark.parametrize("method", SMALL)
def test_learns_what_it_is_shown_and_generalises_to_new_subjects(method: str, spots: Spots, new_run: NewRun) -> None:
    clips, unseen = spots(6), spots(3, seed=5)
    run = new_run()
    model = fit(method, clips.select(np.arange(12)), clips.select(np.arange(12, 18)), run)
    probabilities = model.predict_proba(clips)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (18, CLASSES)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities[:, 3] == 0).all(), "a class without training clips has no probability"
    assert (probabilities.argmax(axis=1) == clips.labels).mean() >= 0.95
    assert (model.predict_proba(unseen).argmax(axis=1) == unseen.labels).mean() >= 2 / 3
    _, metadata = load_checkpoint(run.folder / "checkpoint.pt")
    assert metadata["method"] == method
    assert len(pd.read_csv(run.folder / "history.csv"))


@pytest.mark.parametrize("method", SMALL)
def test_equal_seeds_give_equal_bytes_and_test_clips_do_not_see_each_other(
    method: str, spots: Spots, new_run: NewRun
) -> None:
    train, validation, test = spots(3), spots(1, seed=3), spots(2, seed=9)
    held_out = dataclasses.replace(validation, subjects=["V"] * 3, sequence_ids=[f"V-{k}" for k in range(3)])
    first = fit(method, train, held_out, new_run()).predict_proba(test)
    model = fit(method, train, held_out, new_run())
    assert model.predict_proba(test).tobytes() == first.tobytes()
    relabelled = dataclasses.replace(test, labels=(test.labels + 1) % 3, subjects=["X"] * len(test))
    assert model.predict_proba(relabelled).tobytes() == first.tobytes()
    alone = model.predict_proba(test.select(np.array([1])))
    np.testing.assert_allclose(alone[0], first[1], atol=1e-4)
    assert model.predict_proba(none_of(test)).shape == (0, CLASSES)


def stored(clips: ClipSet) -> FaceStore:
    """The clips as a face store, a row per frame."""
    count, frames, height, width = clips.clips.shape
    table = pd.DataFrame(
        {
            "sequence_id": np.repeat(clips.sequence_ids, frames),
            "subject": np.repeat(clips.subjects, frames),
            "expression": np.repeat(np.array(EXPRESSIONS)[clips.labels], frames),
            "frame": np.tile(np.arange(frames), count),
            "role": "clip",
        }
    )
    return FaceStore(clips.clips.reshape(-1, height, width, 1), table, clips.landmarks.reshape(-1, 68, 2))


@pytest.mark.parametrize("method", SMALL)
def test_nothing_of_the_test_subjects_reaches_the_fit(method: str, spots: Spots, new_run: NewRun) -> None:
    clips = spots(4)
    folds = pd.DataFrame({"subject": clips.subjects, "fold": [int(name[1:]) % 3 + 1 for name in clips.subjects]})
    split = split_subjects(folds, 1, hold_out_validation=True)
    rng = np.random.default_rng(4)

    def spoilt(subjects: frozenset[str]) -> ClipSet:
        chosen = np.isin(clips.subjects, sorted(subjects))
        images, landmarks, labels = clips.clips.copy(), clips.landmarks.copy(), clips.labels.copy()
        images[chosen] = rng.integers(0, 256, images[chosen].shape)
        landmarks[chosen] += rng.normal(0, 5, landmarks[chosen].shape)
        labels[chosen] = (labels[chosen] + 1) % 3
        return dataclasses.replace(clips, clips=images, landmarks=landmarks, labels=labels)

    contents = []
    for given in (clips, spoilt(split.test), spoilt(split.train)):
        train, validation, test = fold_clips(stored(given), split, EXPRESSIONS, size=32, frames=8, crop=32)
        assert set(test.subjects) == split.test
        run = new_run()
        fit(method, train, validation, run)
        contents.append((run.folder / "checkpoint.pt").read_bytes())
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize("method", SMALL)
def test_survives_constant_and_frozen_clips(method: str, spots: Spots, new_run: NewRun) -> None:
    clips = spots(3)
    images, landmarks = clips.clips.copy(), clips.landmarks.copy()
    images[0], images[1] = 128, images[1, :1]
    landmarks[0], landmarks[1] = np.nan, landmarks[1, :1]
    odd = dataclasses.replace(clips, clips=images, landmarks=landmarks)
    probabilities = fit(method, odd, none_of(clips), new_run()).predict_proba(odd)
    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize("method", SMALL)
def test_all_clips_equal_or_of_one_class(method: str, spots: Spots, new_run: NewRun) -> None:
    clips = spots(2)
    equal = dataclasses.replace(clips, clips=np.full_like(clips.clips, 77))
    assert np.isfinite(fit(method, equal, none_of(clips), new_run()).predict_proba(clips)).all()
    single = clips.select(clips.labels == 1)
    probabilities = fit(method, single, none_of(clips), new_run()).predict_proba(clips)
    np.testing.assert_array_equal(probabilities[:, 1], 1)


@pytest.mark.parametrize("method", SMALL)
def test_validation_clips_of_classes_that_training_lacks_and_a_fold_of_one_clip(
    method: str, spots: Spots, new_run: NewRun
) -> None:
    clips = spots(3)
    train, validation = clips.select(clips.labels < 2), clips.select(clips.labels == 2)
    strangers = dataclasses.replace(validation, subjects=["V"] * 3)
    assert np.isfinite(fit(method, train, strangers, new_run()).predict_proba(clips)).all()
    alone = fit(method, clips.select(np.array([4])), none_of(clips), new_run()).predict_proba(clips)
    np.testing.assert_array_equal(alone[:, 1], 1)


@pytest.mark.parametrize("method", SMALL)
def test_an_empty_training_fold_is_the_users_to_mend(method: str, spots: Spots, new_run: NewRun) -> None:
    clips = spots(1)
    with pytest.raises(UserError, match="no clip"):
        fit(method, none_of(clips), clips, new_run())


@pytest.mark.parametrize("method", HANDCRAFTED)
def test_parameters_are_chosen_on_subjects_that_the_candidates_have_not_seen(
    method: str, spots: Spots, new_run: NewRun
) -> None:
    everything = spots(6)
    validation = everything.select(np.arange(12, 18))
    apart, inside = new_run(), new_run()
    fit(method, everything.select(np.arange(12)), validation, apart)
    fit(method, everything, validation, inside)
    rows = pd.read_csv(apart.folder / "history.csv")
    assert rows["validation_accuracy"].between(0, 1).all()
    assert len(rows) == 2 * len(SMALL[method].costs)
    pd.testing.assert_frame_equal(rows, pd.read_csv(inside.folder / "history.csv"))


@pytest.mark.parametrize("method", HANDCRAFTED)
def test_the_training_set_is_joined_by_the_validation_clips_for_the_last_fit(
    method: str, spots: Spots, new_run: NewRun
) -> None:
    clips = spots(4)
    without = clips.select((clips.labels < 2) | np.isin(clips.subjects, ["S03"]))
    train, validation = without.select(np.arange(6)), without.select(np.arange(6, 9))
    assert 2 not in train.labels
    assert (fit(method, train, validation, new_run()).predict_proba(clips)[:, 2] > 0).all()


@pytest.mark.parametrize("method", NETWORKS)
@pytest.mark.parametrize("there", [EXPRESSIONS, ("contempt", *EXPRESSIONS[1:])])
def test_a_start_from_another_dataset(there: tuple[str, ...], method: str, spots: Spots, new_run: NewRun) -> None:
    """Weights are taken over; those of the class scores only where the classes are the same, in the same order."""
    before = new_run().describing({"expressions": list(there)})
    others, train, code = spots(2, seed=2), spots(2), load_code(KNOWN[method].module)
    code.fit(others, none_of(others), SMALL[method], before, CLASSES)
    run = new_run().describing({"expressions": list(EXPRESSIONS)})
    checkpoint = before.folder / "checkpoint.pt"
    states, _ = load_checkpoint(checkpoint)
    scratch = {name: one.state_dict() for name, one in code.task(train, SMALL[method], run, CLASSES).networks.items()}
    start = code.task(train, SMALL[method], run, CLASSES, checkpoint).networks
    fresh = []
    for network, module in start.items():
        for name, value in module.state_dict().items():
            if not torch.equal(value, states[network][name]):
                assert torch.equal(value, scratch[network][name])
                fresh.append(tuple(value.shape))
    assert bool(fresh) == (there != EXPRESSIONS) and all(shape[0] == CLASSES for shape in fresh)
    model = code.fit(train, none_of(train), SMALL[method], run, CLASSES, pretrained=checkpoint)
    assert np.isfinite(model.predict_proba(train)).all()
    with pytest.raises(UserError, match="no pre-training of"):
        states, metadata = load_checkpoint(checkpoint)
        other = before.folder / "other.pt"
        save_checkpoint(other, {name: start[name] for name in start}, metadata | {"method": "other"})
        code.task(train, SMALL[method], run, CLASSES, other)
