"""The identity network and the standard FER model: they learn, repeat, and refuse what is not theirs."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fersnet.errors import UserError
from fersnet.models.light_cnn import LightCNN9
from fersnet.settings.training import SIDE_FOR_ONE_FACE, IdentitySettings, StandardFerSettings
from fersnet.training import identity
from fersnet.training.batches import FaceSet, loose_faces
from fersnet.training.checkpoint import load_checkpoint
from fersnet.training.identity import fit_identity, load_identity
from fersnet.training.predictions import face_probabilities
from fersnet.training.standard_fer import fit_standard_fer, load_standard_fer, with_other_sets
from fersnet.training.task import TrainingRun

EXPRESSIONS = ("anger", "fear", "happiness")


def patterned_faces() -> FaceSet:
    """Subjects differ in brightness of the upper half, expressions in the place of a bar in the lower half."""
    generator = torch.Generator().manual_seed(0)
    images, labels, subjects = [], [], []
    for subject in range(3):
        for label in range(3):
            for _ in range(3):
                image = torch.randint(0, 30, (1, 36, 36), generator=generator)
                image[:, :16] += 70 * subject
                image[:, 20 + 4 * label : 24 + 4 * label, 6:30] += 180
                images.append(image.to(torch.uint8))
                labels.append(label)
                subjects.append(subject)
    return loose_faces(torch.stack(images), torch.tensor(labels), torch.tensor(subjects), EXPRESSIONS)


FACES = patterned_faces()
JUDGE = StandardFerSettings(
    epochs=20, batch_size=9, learning_rate=3e-3, milestones=(), width=4, weight_decay=0, betas=(0.9, 0.999)
)
IDENTITY = IdentitySettings(
    epochs=30, batch_size=9, learning_rate=3e-3, milestones=(), width=6, image_size=32, weight_decay=0
)


def run_in(folder: Path) -> TrainingRun:
    return TrainingRun(folder, 5, torch.device("cpu"), "f", {"fold": 1})


def test_the_judge_learns_and_repeats_itself(tmp_path: Path) -> None:
    history = fit_standard_fer(FACES, JUDGE, 32, run_in(tmp_path / "a"))
    fit_standard_fer(FACES, JUDGE, 32, run_in(tmp_path / "b"))
    assert (tmp_path / "a/checkpoint.pt").read_bytes() == (tmp_path / "b/checkpoint.pt").read_bytes()
    assert history["cross_entropy"].iloc[-1] < 0.5 * history["cross_entropy"].iloc[0]
    network, expressions = load_standard_fer(tmp_path / "a/checkpoint.pt", "cpu")
    assert expressions == EXPRESSIONS
    predicted = face_probabilities(network, FACES, 32).argmax(axis=1)
    assert (predicted == FACES.labels.numpy()).mean() == 1.0
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_judge_takes_no_synthetic_face(tmp_path: Path) -> None:
    faces = replace(FACES, synthetic=torch.ones(len(FACES), dtype=torch.bool))
    with pytest.raises(UserError, match="real faces only"):
        fit_standard_fer(faces, JUDGE, 32, run_in(tmp_path))


def test_the_judge_learns_from_other_sets_but_never_from_who_is_tested() -> None:
    table = pd.DataFrame(
        [("1", "ann", "fear", 3, "peak"), ("2", "ann", "surprise", 3, "peak"), ("3", "0", "anger", 3, "peak"),
         ("4", "kim", "anger", 2, "clip"), ("5", "kim", "anger", 3, "peak")],
        columns=["sequence_id", "subject", "expression", "frame", "role"],
    )  # fmt: skip
    other = SimpleNamespace(images=np.full((len(table), 36, 36, 1), 7, np.uint8), table=table)
    joined = with_other_sets(FACES, [(other, {"kim"}), (other, {"ann", "0", "kim"})])
    assert len(joined) == len(FACES) + 2 and joined.expressions == EXPRESSIONS
    assert torch.equal(joined.images[: len(FACES)], FACES.images)
    assert joined.labels[-2:].tolist() == [1, 0], "without the class that the target set does not have"
    assert len({*joined.subjects[-2:].tolist(), *FACES.subjects.tolist()}) == 5, "a subject 0 of each set"
    assert with_other_sets(FACES, []) is FACES


def test_the_judge_trains_on_one_face_where_its_maps_have_several_pixels(tmp_path: Path) -> None:
    one = JUDGE.model_copy(update={"epochs": 1, "batch_size": 1})
    assert len(fit_standard_fer(FACES, one, SIDE_FOR_ONE_FACE, run_in(tmp_path))) == 1
    with pytest.raises(UserError, match=r"raise standard_fer\.batch_size"):
        fit_standard_fer(FACES, one, SIDE_FOR_ONE_FACE - 1, run_in(tmp_path))
    with pytest.raises(UserError, match=r"lower folds\.count"):
        fit_standard_fer(FACES.select(torch.tensor([0])), JUDGE, 16, run_in(tmp_path))


def test_the_identity_network_tells_subjects_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    history = fit_identity(FACES, IDENTITY, 32, run_in(tmp_path))
    assert not caplog.messages
    assert history is not None
    assert history["cross_entropy"].iloc[-1] < history["cross_entropy"].iloc[0]
    network = load_identity(tmp_path / "checkpoint.pt", "cpu")
    assert (face_probabilities(network, FACES, 32).argmax(axis=1) == FACES.subjects.numpy()).mean() > 0.9
    assert not network.training
    assert load_checkpoint(tmp_path / "checkpoint.pt")[1]["source"] == "trained"


def test_an_identity_network_that_knows_nobody_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fit_identity(FACES, IDENTITY.model_copy(update={"epochs": 1}), 32, run_in(tmp_path))
    assert [message for message in caplog.messages if "raise identity.epochs" in message]


def test_the_public_checkpoint_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = LightCNN9(6, 32, 11)
    asked: list[tuple[Path, str | None]] = []
    monkeypatch.setattr(identity, "load_public_checkpoint", lambda *arguments: asked.append(arguments) or public)
    settings = IDENTITY.model_copy(update={"checkpoint": "light.pth", "checkpoint_sha256": "ab"})
    assert fit_identity(FACES, settings, 32, run_in(tmp_path)) is None
    assert asked == [(Path("light.pth"), "ab")]
    assert load_checkpoint(tmp_path / "checkpoint.pt")[1]["source"] == "public"
    loaded = load_identity(tmp_path / "checkpoint.pt", "cpu")
    for key, value in public.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)
    assert len(pd.read_csv(tmp_path / "history.csv")) == 0


def test_a_checkpoint_of_something_else_is_named(tmp_path: Path) -> None:
    short = JUDGE.model_copy(update={"epochs": 1})
    fit_standard_fer(FACES, short, 32, run_in(tmp_path))
    with pytest.raises(UserError, match="not an identity network"):
        load_identity(tmp_path / "checkpoint.pt", "cpu")
    fit_identity(FACES, IDENTITY.model_copy(update={"epochs": 1}), 32, run_in(tmp_path / "identity"))
    with pytest.raises(UserError, match="not a standard FER model"):
        load_standard_fer(tmp_path / "identity/checkpoint.pt", "cpu")


def test_bf16_trains_to_about_the_same_loss(tmp_path: Path) -> None:
    short = JUDGE.model_copy(update={"epochs": 2, "learning_rate": 3e-4})
    full = fit_standard_fer(FACES, short, 32, run_in(tmp_path / "fp32"))
    half = fit_standard_fer(FACES, short, 32, replace(run_in(tmp_path / "bf16"), precision="bf16"))
    assert half["cross_entropy"].tolist() == pytest.approx(full["cross_entropy"].tolist(), rel=0.02)


def test_gradient_clipping_changes_the_training(tmp_path: Path) -> None:
    short = JUDGE.model_copy(update={"epochs": 1})
    clipped = short.model_copy(update={"gradient_clip": 1e-6})
    fit_standard_fer(FACES, short, 32, run_in(tmp_path / "free"))
    fit_standard_fer(FACES, clipped, 32, run_in(tmp_path / "clipped"))
    assert (tmp_path / "free/checkpoint.pt").read_bytes() != (tmp_path / "clipped/checkpoint.pt").read_bytes()
