"""What every recogniser of peak faces has to do, whatever it computes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from snakemake.iocontainers import Params

from fersnet.errors import UserError
from fersnet.faces.store import COLUMNS, FaceStore
from fersnet.folds import split_subjects
from fersnet.methods.contract import NEUTRAL_FACES, OTHER_SETS
from fersnet.methods.find import find_known, load_code
from fersnet.settings.methods import FaceNetworkSettings
from fersnet.training.batches import FaceSet, join_faces
from fersnet.training.checkpoint import load_checkpoint
from fersnet.training.task import TrainingRun
from workflow_scripts.recogniser_job import read_more, read_parts

KNOWN = {key: found for key, found in find_known({}).recognisers.items() if "peak faces" in found.declared.reads}
SMALL: dict[str, Any] = {key: found.declared.settings(**found.declared.small) for key, found in KNOWN.items()}
EXPRESSIONS = ("anger", "disgust", "fear", "surprise")
CLASSES = len(EXPRESSIONS)
Faces = Callable[..., FaceSet]
NewRun = Callable[[], TrainingRun]
pytestmark = pytest.mark.parametrize("method", SMALL)


def shortened(method: str, epochs: int = 1) -> Any:
    """The small settings with so many epochs of everything."""
    return SMALL[method].model_copy(update={key: epochs for key, _ in SMALL[method] if key.endswith("epochs")})


def fit(method: str, train: FaceSet, validation: FaceSet, run: TrainingRun, settings: Any = None, **more: Any) -> Any:
    """The method fitted on some faces and what it reads beside them, with one epoch where no settings are given."""
    given = beside(method, join_faces(train, validation)) | more
    return load_code(KNOWN[method].module).fit(train, validation, settings or shortened(method), run, CLASSES, **given)


def beside(method: str, faces: FaceSet) -> dict[str, Any]:
    """What a method reads beside some faces: neutral ones of their subjects, and faces of another set."""
    reads, more = KNOWN[method].declared.reads, {}
    if NEUTRAL_FACES in reads:
        more["neutral"] = neutral_of(faces)
    if OTHER_SETS in reads:
        # Made of the same faces, so that what these lack the other set lacks, too.
        more["others"] = {"other": replace(faces, images=faces.images.flip(3))}
    return more


def neutral_of(faces: FaceSet) -> FaceSet:
    """A face without a spot for every sequence, in its first frame's grey."""
    first = faces.select(faces.frames == 0)
    grey = first.images.flatten(1).to(torch.float32).median(dim=1).values.to(torch.uint8)
    images = grey[:, None, None, None].expand_as(first.images).contiguous()
    return replace(first, images=images, frames=torch.full_like(first.frames, 7))


def none_of(faces: FaceSet) -> FaceSet:
    return faces.select(torch.arange(0))


def test_overfits_what_it_is_shown_and_generalises_to_new_subjects(method: str, faces: Faces, new_run: NewRun) -> None:
    train, validation, unseen = faces(4), faces(1, seed=1, prefix="V"), faces(3, seed=5, prefix="T")
    run = new_run()
    model = fit(method, train, validation, run, SMALL[method])
    shown = join_faces(train, validation)
    probabilities = model.predict_proba(shown)
    assert probabilities.dtype == np.float32 and probabilities.shape == (30, CLASSES)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities[:, 3] == 0).all(), "a class without training faces has no probability"
    assert (probabilities.argmax(axis=1) == shown.labels.numpy()).mean() >= 0.95
    assert (model.predict_proba(unseen).argmax(axis=1) == unseen.labels.numpy()).mean() >= 2 / 3
    _, metadata = load_checkpoint(run.folder / "checkpoint.pt")
    assert metadata["method"] == method and metadata["image_size"] == 16
    history = pd.read_csv(run.folder / "history.csv")
    assert history["epoch"].iloc[-1] == (history["stage"] == history["stage"].iloc[-1]).sum() == SMALL[method].epochs


def test_equal_seeds_give_equal_bytes_and_test_faces_do_not_see_each_other(
    method: str, faces: Faces, new_run: NewRun
) -> None:
    train, validation, test = faces(3), faces(1, seed=3, prefix="V"), faces(2, seed=9, prefix="T")
    runs = new_run(), new_run(), replace(new_run(), seed=2)
    models = [fit(method, train, validation, run) for run in runs]
    checkpoints = [(run.folder / "checkpoint.pt").read_bytes() for run in runs]
    assert checkpoints[0] == checkpoints[1] != checkpoints[2]
    first = models[0].predict_proba(test)
    relabelled = replace(test, labels=(test.labels + 1) % 3, subject_names=("X", "Y"), landmarks=None)
    assert models[1].predict_proba(relabelled).tobytes() == first.tobytes()
    alone = models[0].predict_proba(test.select(torch.tensor([1])))
    np.testing.assert_allclose(alone[0], first[1], atol=1e-4)
    assert models[0].predict_proba(none_of(test)).shape == (0, CLASSES)


def stored(faces: FaceSet, role: str | list[str] = "peak") -> FaceStore:
    table = pd.DataFrame(
        {
            "sequence_id": faces.sequence_ids,
            "subject": [faces.subject_names[number] for number in faces.subjects],
            "expression": [faces.expressions[label] for label in faces.labels],
            "frame": faces.frames.numpy(),
            "role": role,
        }
    )
    assert faces.landmarks is not None
    return FaceStore(faces.images.permute(0, 2, 3, 1).numpy(), table, faces.landmarks.numpy())


def written(store: FaceStore, folder: Path) -> Path:
    """The store's files in a folder; returns that of the faces."""
    folder.mkdir(exist_ok=True)
    np.save(folder / "faces.npy", store.images)
    np.save(folder / "landmarks.npy", store.landmarks)
    empty = {"detector": "", "quality": 1.0, "source": "", "matrix": ""}
    store.table.assign(**empty)[list(COLUMNS)].to_parquet(folder / "faces.parquet")
    return folder / "faces.npy"


def test_nothing_of_the_test_subjects_reaches_the_fit_in_any_role(
    method: str, faces: Faces, new_run: NewRun, tmp_path: Path
) -> None:
    """Neither as faces, partners of a pair, identities, landmarks, classes, neutral faces nor in another set."""
    everybody = faces(4)
    neutral = neutral_of(everybody)
    roles = ["peak"] * len(everybody) + ["neutral"] * len(neutral)
    folds = pd.DataFrame({"subject": everybody.subject_names, "fold": [1, 2, 3, 1]})
    split = split_subjects(folds, 1, hold_out_validation=True)
    rng = np.random.default_rng(4)

    def spoilt(subjects: frozenset[str]) -> FaceStore:
        store = stored(join_faces(everybody, neutral), roles)
        chosen = store.table["subject"].isin(subjects).to_numpy()
        images, landmarks = store.images.copy(), store.landmarks.copy()
        images[chosen] = rng.integers(0, 256, images[chosen].shape)
        landmarks[chosen] += rng.normal(0, 5, landmarks[chosen].shape)
        moved = store.table["expression"].where(~chosen, "surprise")
        return FaceStore(images, store.table.assign(expression=moved), landmarks)

    contents = []
    for store in (spoilt(frozenset()), spoilt(split.test), spoilt(split.train)):
        # Another set that the same reader reads has the same people.
        params = Params(fromdict={"expressions": EXPRESSIONS, "other_sets": {"other": True}})
        job = SimpleNamespace(params=params, input=SimpleNamespace(others=[written(store, tmp_path / "other")]))
        train, validation, _ = read_parts(job, KNOWN[method].declared, store, split)
        more = read_more(job, KNOWN[method].declared, store, split)
        run = new_run()
        fit(method, train, validation, run, **more)
        _, metadata = load_checkpoint(run.folder / "checkpoint.pt")
        assert metadata["subjects"] == len(split.train) + len(split.validation)
        contents.append((run.folder / "checkpoint.pt").read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_a_resumed_training_ends_with_the_same_bytes(
    method: str, faces: Faces, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at every fourth step, in whichever stage that is."""
    train, (whole, broken), settings = faces(3), (new_run(), new_run()), shortened(method, 2)
    task = type(load_code(KNOWN[method].module).task(train, settings, new_run(), CLASSES, **beside(method, train)))
    step, calls = task.training_step, 0

    def counted(self: Any, indices: torch.Tensor) -> dict[str, torch.Tensor]:
        nonlocal calls
        calls += 1
        if calls % 4 == 0 and whole_steps:
            raise KeyboardInterrupt
        return step(self, indices)

    whole_steps = kills = 0
    monkeypatch.setattr(task, "training_step", counted)
    fit(method, train, none_of(train), whole, settings)
    monkeypatch.setattr("fersnet.training.loop.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("fersnet.training.loop.SAVE_SHARE", 1e9)
    whole_steps, calls = calls, 0
    while not (broken.folder / "checkpoint.pt").exists():
        try:
            fit(method, train, none_of(train), broken, settings)
        except KeyboardInterrupt:
            kills += 1
    assert kills >= 1 and calls == whole_steps + kills
    checkpoints = [(run.folder / "checkpoint.pt").read_bytes() for run in (whole, broken)]
    assert checkpoints[0] == checkpoints[1]


def of_one_expression_each(faces: FaceSet) -> FaceSet:
    """Each expression by a subject of its own."""
    return faces.select(faces.subjects == faces.labels)


ODD_SETS: dict[str, Callable[[FaceSet], FaceSet]] = {
    "one subject per expression": of_one_expression_each,
    "one subject": lambda faces: faces.select(faces.subjects == 0),
    "one class": lambda faces: faces.select(faces.labels == 1),
    "one sequence": lambda faces: faces.select((faces.labels == 1) & (faces.subjects == 1)),
    "a class by one face": lambda faces: faces.select((faces.labels != 2) | (faces.rows == 4)),
    "equal faces": lambda faces: replace(faces, images=torch.full_like(faces.images, 77)),
    "no landmarks": lambda faces: replace(faces, landmarks=None),
}


@pytest.mark.parametrize("odd", ODD_SETS)
def test_odd_training_sets(method: str, odd: str, faces: Faces, new_run: NewRun) -> None:
    train, run = ODD_SETS[odd](faces(3)), new_run()
    probabilities = fit(method, train, none_of(train), run).predict_proba(faces(1))
    assert np.isfinite(probabilities).all()
    absent = sorted(set(range(CLASSES)) - set(train.labels.tolist()))
    assert (probabilities[:, absent] == 0).all()
    for _, rows in pd.read_csv(run.folder / "history.csv").groupby("stage"):
        assert np.isfinite(rows.dropna(axis=1, how="all").select_dtypes("number").to_numpy()).all()


def test_less_than_two_faces_are_the_users_to_mend(method: str, faces: Faces, new_run: NewRun) -> None:
    train = faces(1)
    for few in (none_of(train), train.select(torch.tensor([0]))):
        with pytest.raises(UserError, match=r"at least 2 are needed.*folds\.count"):
            fit(method, few, none_of(train), new_run())


def test_a_start_from_another_dataset(method: str, faces: Faces, new_run: NewRun) -> None:
    """Contempt, or any class, in one of the sets alone, and other subjects: heads are fresh, the rest is taken over."""
    assert isinstance(SMALL[method], FaceNetworkSettings)
    others = replace(faces(5, seed=2, prefix="P"), expressions=("contempt", "disgust", "fear", "surprise"))
    first, train = new_run(), faces(3)
    fit(method, others, none_of(others), first)
    checkpoint = first.folder / "checkpoint.pt"
    code, run = load_code(KNOWN[method].module), new_run()
    more = beside(method, train)
    start = code.task(train, SMALL[method], run, CLASSES, checkpoint, **more).networks["network"].state_dict()
    scratch = code.task(train, SMALL[method], run, CLASSES, **more).networks["network"].state_dict()
    states, _ = load_checkpoint(checkpoint)
    taken = {name for name, value in start.items() if torch.equal(value, states["network"][name])}
    fresh = {name for name, value in start.items() if torch.equal(value, scratch[name])}
    assert taken | fresh == set(start)
    heads = {name for name in fresh - taken if name.endswith("weight")}
    assert heads and all(name.split(".")[0] not in ("trunk", "stem", "convolutions") for name in heads)
    probabilities = fit(method, train, none_of(train), run, pretrained=checkpoint).predict_proba(train)
    assert np.isfinite(probabilities).all()
    with pytest.raises(UserError, match="made for another network"):
        wider = SMALL[method].model_copy(update={"width": 2 * SMALL[method].width})
        code.task(train, wider, run, CLASSES, checkpoint, **more)


def test_colour_faces_larger_than_the_input(method: str, faces: Faces, new_run: NewRun) -> None:
    train = faces(2)
    train = replace(train, images=train.images.expand(-1, 3, -1, -1).repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert np.isfinite(fit(method, train, none_of(train), new_run()).predict_proba(train)).all()
