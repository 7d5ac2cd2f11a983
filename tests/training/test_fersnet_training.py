"""Training FERSNet on drawn toy faces: learning, pairing, selection, transfer, files."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
import torch
from torch import Tensor

from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.models.discriminator import Discriminator
from fersnet.models.fersnet import FERSNet
from fersnet.models.light_cnn import LightCNN9
from fersnet.settings.training import FersnetSettings, LossSettings, ModelSettings, Sharing, VariantRecipe
from fersnet.training import fersnet as system
from fersnet.training import fersnet_task
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.checkpoint import load_checkpoint, save_checkpoint
from fersnet.training.fersnet_task import FERSNetTask
from fersnet.training.inference import load, predict
from fersnet.training.loop import batches_of
from fersnet.training.predictions import accuracies, prediction_table
from fersnet.training.task import Stage, TrainingRun
from fersnet.training.transfer import load_pretrained

SIDE = 16
MODEL = ModelSettings(image_size=16, width=4)
# Weights with which the small network learns to draw: the mean over pixels makes plain squares small.
DRAWING = LossSettings(reconstruction=50.0, cycle=10.0, adversarial=0.02, identity=0.0)


def toy_faces(
    subjects: str = "AB", expressions: tuple[str, ...] = SIX, frames: int = 1, left_out: tuple[str, ...] = ()
) -> FaceSet:
    """Grey squares: the subject sets the brightness, the expression the place of a dark bar."""
    generator = torch.Generator().manual_seed(7)
    images, labels, owners, sequences, positions = [], [], [], [], []
    for owner, subject in enumerate(subjects):
        for label, expression in enumerate(expressions):
            for frame in range(frames):
                if f"{subject}/{expression}" in left_out:
                    continue
                image = torch.full((SIDE + 2, SIDE + 2), 0.45 + 0.35 * (ord(subject) % 3) / 2)
                image[2 + 3 * label : 4 + 3 * label, 4:14] = 0.05
                image += 0.02 * torch.randn(image.shape, generator=generator)
                images.append((image.clamp(0, 1) * 255).byte()[None])
                labels.append(label)
                owners.append(owner)
                sequences.append(f"{subject}/{expression}")
                positions.append(frame)
    count = len(images)
    return FaceSet(
        images=torch.stack(images),
        labels=torch.tensor(labels),
        subjects=torch.tensor(owners),
        subject_names=tuple(subjects),
        rows=torch.arange(count),
        sequence_ids=tuple(sequences),
        frames=torch.tensor(positions),
        expressions=expressions,
        synthetic=torch.zeros(count, dtype=torch.bool),
    )


def settings(**changes: Any) -> FersnetSettings:
    defaults = {"epochs": 2, "batch_size": 4, "learning_rate": 1e-3, "milestones": (), "discriminator_steps": 1}
    return FersnetSettings(**(defaults | changes))


def a_run(folder: Path, **changes: Any) -> TrainingRun:
    return TrainingRun(**({"folder": folder, "seed": 3, "device": torch.device("cpu"), "fingerprint": "f"} | changes))


def small_identity() -> LightCNN9:
    torch.manual_seed(0)
    return LightCNN9(3, 32, 2)


def recipe(**changes: Any) -> VariantRecipe:
    return VariantRecipe(**({"model": MODEL, "training": settings()} | changes))


def fit(faces: FaceSet, folder: Path, **changes: Any) -> Any:
    own = {key: changes.pop(key) for key in VariantRecipe.model_fields if key in changes}
    return system.fit(faces, recipe(**own), **({"run": a_run(folder), "identity": small_identity()} | changes))


def task_for(faces: FaceSet, **changes: Any) -> FERSNetTask:
    torch.manual_seed(5)
    classes = len(faces.expressions)
    arguments = {
        "network": FERSNet(4, 16, 1, classes),
        "discriminator": Discriminator(4, 1, classes),
        "identity": small_identity(),
        "losses": LossSettings(),
        "training": settings(),
        "run": a_run(Path("unused")),
    }
    return FERSNetTask(faces, **(arguments | changes))


@pytest.mark.parametrize("sharing", get_args(Sharing))
def test_eight_sequences_are_learned_by_heart(sharing: str, tmp_path: Path) -> None:
    faces = toy_faces("AB", SIX[:4], frames=3)
    history = fit(
        faces, tmp_path, sharing=sharing, training=settings(epochs=50, batch_size=8), losses=DRAWING, identity=None
    )
    prediction = predict(tmp_path / "checkpoint.pt", faces)
    table = prediction_table(faces, prediction.probabilities)
    assert (
        accuracies(table) == {"frame_accuracy": 1.0, "sequence_accuracy": 1.0} and table["sequence_id"].nunique() == 8
    )
    assert history["classification"].iloc[-1] < history["classification"].iloc[0]
    assert bool(prediction.gates) == (sharing == "convflu")
    torch.testing.assert_close(torch.from_numpy(prediction.probabilities.sum(axis=1)), torch.ones(24).double())


def test_units_of_their_own_rate_move_away_from_their_start(tmp_path: Path) -> None:
    """With the rate of the other weights they could not, within a small training: figures would be of the start."""
    faces, few = toy_faces("AB", SIX[:4], frames=2), {"epochs": 10, "batch_size": 8, "learning_rate": 1e-4}
    moved = {}
    for factor in (1.0, 100.0):
        training = settings(**few, unit_factor=factor)
        fit(faces, tmp_path / str(factor), sharing="cross_stitch", training=training, losses=DRAWING, identity=None)
        units = load(tmp_path / str(factor) / "checkpoint.pt").network.free_units
        moved[factor] = max(float((unit - unit.round(decimals=1)).abs().max()) for unit in units)
    assert moved[1.0] <= 20 * 1e-4 + 1e-6 and moved[100.0] > 0.02


def test_units_of_their_own_rate_have_no_weight_decay_and_follow_the_schedule() -> None:
    training = settings(weight_decay=5e-4, milestones=(1,), decay=0.5, unit_factor=10.0)
    task = task_for(toy_faces(), network=FERSNet(4, 16, 1, 6, "nddr"), training=training)
    task.begin_epoch(system.stage(recipe(training=training), 12), 2)
    others, units = task.optimizers["fersnet"].param_groups
    assert (others["weight_decay"], others["lr"]) == (5e-4, 5e-4)
    assert (units["weight_decay"], units["lr"]) == (0, 5e-3)
    assert len(others["params"]) + len(units["params"]) == len(list(task.network.parameters()))
    assert len(task_for(toy_faces()).optimizers["fersnet"].param_groups) == 1, "ConvFLUs are trained as all else"


def test_synthesis_goes_to_the_target_and_keeps_the_subject(tmp_path: Path) -> None:
    faces = toy_faces("ABC", SIX[:4])
    fit(faces, tmp_path, training=settings(epochs=150, batch_size=12), losses=DRAWING, identity=None)
    model = load(tmp_path / "checkpoint.pt")
    images = crop_and_flip(faces.images, SIDE, train=False)
    sources = torch.arange(len(faces)).repeat_interleave(4)
    targets = torch.arange(4).repeat(len(faces))
    made = model.synthesize(images[sources], targets)
    assert made.shape == (48, 1, SIDE, SIDE) and made.min() >= 0 and made.max() <= 1
    nearest = (made[:, None] - images[None]).square().mean(dim=(2, 3, 4)).argmin(dim=1)
    assert (faces.labels[nearest] == targets).float().mean() > 0.9
    assert (faces.subjects[nearest] == faces.subjects[sources]).float().mean() > 0.9
    assert torch.equal(made, model.synthesize(images[sources], targets))


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        fit(toy_faces(), tmp_path / name)
    first, second = ((tmp_path / name / "checkpoint.pt").read_bytes() for name in ("first", "second"))
    assert first == second
    fit(toy_faces(), tmp_path / "other", run=a_run(tmp_path / "other", seed=4))
    assert (tmp_path / "other" / "checkpoint.pt").read_bytes() != first


def test_subjects_with_one_expression_take_part_without_pairs(tmp_path: Path) -> None:
    faces = toy_faces("AB", SIX, left_out=tuple(f"{subject}/{name}" for subject in "AB" for name in SIX[1:]))
    faces = replace(faces, labels=torch.tensor([0, 3]))
    history = fit(faces, tmp_path)
    assert (history[["reconstruction", "identity"]] == 0).all(axis=None)
    assert (history[["classification", "adversarial", "cycle", "discriminator"]] > 0).all(axis=None)


def test_unpaired_targets_are_other_classes_that_have_faces() -> None:
    faces = toy_faces("A", SIX[:4])
    faces = faces.select(faces.labels != 2)
    drawn = task_for(faces)._draw_other_classes(torch.zeros(300, dtype=torch.int64))
    assert torch.bincount(drawn, minlength=4)[[0, 2]].tolist() == [0, 0]
    assert torch.bincount(drawn, minlength=4)[[1, 3]].min() > 100


def drawn_targets(task: FERSNetTask, times: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Faces, positions of their targets, whether these are pairs, and the wanted classes, of many draws."""
    torch.manual_seed(1)
    indices = torch.arange(len(task.faces)).repeat(times)
    return (indices, *task._draw_targets(indices))


def test_even_targets_are_drawn_evenly_and_paired_where_the_subject_has_one() -> None:
    # Subject A shows all four, B the first two, C one alone.
    left_out = tuple(f"{who}/{name}" for who, shown in (("B", 2), ("C", 1)) for name in SIX[shown:4])
    faces = toy_faces("ABC", SIX[:4], left_out=left_out)
    task = task_for(faces, training=settings(targets="even"))
    indices, targets, paired, wanted = drawn_targets(task, 600)
    for face, label in enumerate(faces.labels.tolist()):
        drawn = torch.bincount(wanted[indices == face], minlength=4)
        assert drawn[label] == 0
        assert drawn[torch.arange(4) != label].min() > 150, "each of the three others about 200 times"
    assert torch.equal(faces.labels[targets][paired], wanted[paired])
    assert torch.equal(faces.subjects[targets], faces.subjects[indices])
    share = {who: float(paired[faces.subjects[indices] == who].float().mean()) for who in range(3)}
    assert share[0] == 1 and share[2] == 0 and 0.28 < share[1] < 0.39
    assert torch.equal(targets[~paired], indices[~paired])


def test_targets_as_published_are_paired_wherever_a_subject_shows_two_expressions() -> None:
    faces = toy_faces("ABC", SIX[:4], left_out=tuple(f"C/{name}" for name in SIX[1:4]))
    indices, targets, paired, wanted = drawn_targets(task_for(faces), 50)
    assert torch.equal(paired, faces.subjects[indices] != 2)
    assert torch.equal(faces.labels[targets][paired], wanted[paired])
    assert set(wanted[~paired].tolist()) == {1, 2, 3}


def test_with_even_targets_only_pairs_count_for_reconstruction_and_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = toy_faces("AB", SIX[:4], left_out=tuple(f"B/{name}" for name in SIX[1:4]))
    masks = []
    for name in ("reconstruction_loss", "identity_loss"):
        loss = getattr(fersnet_task, name)

        def noted(made: Tensor, wanted: Tensor, paired: Tensor, *form: Any, loss: Any = loss) -> Tensor:
            masks.append(paired.tolist())
            return loss(made, wanted, paired, *form)

        monkeypatch.setattr(fersnet_task, name, noted)
    losses = task_for(faces, training=settings(targets="even")).training_step(torch.arange(5))
    assert masks == [[True] * 4 + [False]] * 2
    assert losses["cycle"] > 0 and losses["adversarial"] > 0


@pytest.mark.parametrize("term", ["cycle", "identity"])
def test_every_third_step_has_the_term_with_three_times_its_weight(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objectives = []
    step = FERSNetTask._step

    def noted(self: FERSNetTask, name: str, loss: Tensor) -> None:
        if name == "fersnet":
            objectives.append(loss.detach())
        step(self, name, loss)

    monkeypatch.setattr(FERSNetTask, "_step", noted)
    none = dict.fromkeys(("classification", "reconstruction", "adversarial", "identity", "cycle"), 0)
    weights = LossSettings(**none | {term: 0.5, f"{term}_every": 3})
    task = task_for(toy_faces("A", SIX[:4]), losses=weights)
    losses = [task.training_step(torch.arange(4)).get(term) for _ in range(6)]
    assert [loss is not None for loss in losses] == [False, False, True] * 2
    torch.testing.assert_close(objectives, [1.5 * loss if loss is not None else torch.tensor(0.0) for loss in losses])
    again = task_for(toy_faces("A", SIX[:4]), losses=weights)
    again.load_extra_state({"notes": {}, "steps": 2})
    assert term in again.training_step(torch.arange(4))


def test_synthetic_faces_add_no_steps_and_all_faces_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = toy_faces("AB", SIX[:4])
    both = toy_faces("ABC", SIX[:4])
    enlarged = replace(both, synthetic=both.subjects == 2, subjects=both.subjects % 2)
    seen: list[list[int]] = []
    crop = fersnet_task.crop_and_flip

    def noted(images: Tensor, *size: int, **options: Any) -> Any:
        seen.append([int((image == both.images).flatten(1).all(dim=1).nonzero()) for image in images])
        return crop(images, *size, **options)

    monkeypatch.setattr(fersnet_task, "crop_and_flip", noted)
    steps = []
    for name, faces in (("real", real), ("enlarged", enlarged)):
        seen.clear()
        fit(faces, tmp_path / name, sharing="none", training=settings(epochs=6, batch_size=3))
        steps.append([len(batch) for batch in seen])
    assert steps[0] == steps[1] and len(steps[0]) == 6 * 3
    assert {face for batch in seen for face in batch} == set(range(len(enlarged)))
    first = [face for batch in seen[:3] for face in batch]
    assert len(set(first)) == len(real), "no face twice in an epoch"


def test_synthetic_faces_are_recognised_but_never_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = toy_faces("A", SIX[:4])
    faces = replace(faces, synthetic=torch.tensor([False, True, False, True]))
    seen: dict[str, Any] = {"real": [], "labels": []}
    draw, classify, judge = (
        fersnet_task.draw_targets,
        fersnet_task.classification_loss,
        fersnet_task.discriminator_loss,
    )

    def noted_draw(*arguments: Tensor) -> tuple[Tensor, Tensor]:
        positions, paired = draw(*arguments)
        seen["real"] += list(zip(arguments[2].tolist(), positions.tolist(), paired.tolist(), strict=True))
        return positions, paired

    def noted_classify(logits: Tensor, labels: Tensor) -> Tensor:
        seen["labels"] += labels.tolist()
        return classify(logits, labels)

    def noted_judge(on_real: Tensor, made: Tensor, is_real: Tensor, form: Any) -> Tensor:
        seen["counted"] = is_real
        return judge(on_real, made, is_real, form)

    monkeypatch.setattr(fersnet_task, "draw_targets", noted_draw)
    monkeypatch.setattr(fersnet_task, "classification_loss", noted_classify)
    monkeypatch.setattr(fersnet_task, "discriminator_loss", noted_judge)
    task = task_for(faces)
    for _ in range(10):
        task.training_step(torch.arange(4))
        assert seen["counted"].tolist() == [True, False, True, False]
    assert {target for source, target, paired in seen["real"] if paired} == {0, 2}
    assert not [source for source, _, paired in seen["real"] if paired and source in (1, 3)]
    assert set(seen["labels"]) == {0, 1, 2, 3}


def test_one_generator_pass_serves_discriminator_and_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_for(toy_faces(), training=settings(discriminator_steps=3))
    calls = {"encode": 0, "decode": 0, "judge": 0, "identity": 0}

    def counted(owner: Any, method: str, name: str) -> None:
        original = getattr(owner, method)

        def call(*arguments: Any) -> Any:
            calls[name] += 1
            return original(*arguments)

        monkeypatch.setattr(owner, method, call)

    counted(task.network, "encode", "encode")
    counted(task.network, "decode", "decode")
    counted(task.discriminator, "forward", "judge")
    counted(task.identity, "features", "identity")
    task.training_step(torch.arange(4))
    assert calls == {"encode": 2, "decode": 2, "judge": 4, "identity": 2}


def test_terms_without_weight_are_not_computed() -> None:
    task = task_for(toy_faces(), losses=LossSettings(adversarial=0, cycle=0, identity=0), identity=None)
    before = {name: value.clone() for name, value in task.networks["discriminator"].state_dict().items()}
    losses = task.training_step(torch.arange(4))
    assert set(losses) == {"classification", "reconstruction", "training_accuracy"}
    assert all(torch.equal(value, before[name]) for name, value in task.networks["discriminator"].state_dict().items())


def test_running_statistics_are_of_real_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    with_cycle, without = (task_for(toy_faces(), losses=LossSettings(cycle=weight)) for weight in (0.5, 0.0))
    for task in (with_cycle, without):
        torch.manual_seed(9)
        task.training_step(torch.arange(4))
    for name, value in without.network.state_dict().items():
        if "running" in name:
            assert torch.equal(value, with_cycle.network.state_dict()[name]), name


def test_bf16_follows_fp32() -> None:
    figures = []
    for precision in ("fp32", "bf16"):
        task = task_for(toy_faces(), run=a_run(Path("unused"), precision=precision))
        rows = []
        for step in range(8):
            torch.manual_seed(step)
            losses = task.training_step(torch.arange(12))
            rows.append(torch.stack([value for name, value in losses.items() if name != "training_accuracy"]))
        figures.append(torch.stack(rows).mean(dim=0))
    torch.testing.assert_close(figures[0], figures[1], rtol=0.03, atol=1e-6)


def test_selection_by_validation_keeps_that_epoch(tmp_path: Path) -> None:
    faces, other = toy_faces("AB"), toy_faces("C")
    training = settings(epochs=6, selection="validation")
    history = fit(faces, tmp_path, training=training, validation=other, test=toy_faces("D"))
    _, metadata = load_checkpoint(tmp_path / "checkpoint.pt")
    assert metadata["epoch"] == history["epoch"][history["validation_accuracy"].argmax()]
    assert metadata["selection"] == "validation"
    with pytest.raises(UserError, match="needs the validation faces"):
        fit(faces, tmp_path / "without", training=training)


def test_whoever_reads_a_checkpoint_gets_the_averages(tmp_path: Path) -> None:
    validation = toy_faces("C", frames=2)
    training = settings(epochs=3, averaging=0.9, selection="validation")
    history = fit(toy_faces("AB"), tmp_path, training=training, validation=validation)
    file = tmp_path / "checkpoint.pt"
    (used, metadata), (last, _) = load_checkpoint(file), load_checkpoint(file, last=True)
    begun = FERSNet(4, 16, 1, 6)
    load_pretrained(file, begun, Discriminator(4, 1, 6), SIX)
    for state in (load(file).network.state_dict(), begun.state_dict()):
        assert all(torch.equal(value, used["fersnet"][key]) for key, value in state.items())
    assert not all(torch.equal(value, last["fersnet"][key]) for key, value in used["fersnet"].items())
    assert all(torch.equal(value, last["discriminator"][key]) for key, value in used["discriminator"].items())
    read = accuracies(prediction_table(validation, predict(file, validation).probabilities))["sequence_accuracy"]
    assert read == history["validation_accuracy"][metadata["epoch"] - 1], "the choice is by what is used"


def test_three_rules_on_one_run(tmp_path: Path) -> None:
    faces, validation, test = toy_faces("AB"), toy_faces("C"), toy_faces("DE", frames=2)
    history, choices = system.train_and_compare(
        faces, validation, test, recipe(training=settings(epochs=6)), a_run(tmp_path), small_identity()
    )
    assert choices["last"].epoch == 6
    assert choices["validation"].epoch == history["epoch"][history["validation_accuracy"].argmax()]
    assert choices["test_best"].test_accuracy == history["test_accuracy"].max()
    last = predict(tmp_path / "checkpoint.pt", test).probabilities
    torch.testing.assert_close(torch.from_numpy(choices["last"].probabilities), torch.from_numpy(last))
    with pytest.raises(UserError, match="subject A is in the training and the test faces"):
        system.train_and_compare(faces, validation, toy_faces("A"), recipe(sharing="none"), a_run(tmp_path / "leak"))


def test_pretraining_keeps_all_but_the_heads(tmp_path: Path) -> None:
    first, second = toy_faces("AB", SIX), toy_faces("CD", SEVEN)
    fit(first, tmp_path / "first")
    states, _ = load_checkpoint(tmp_path / "first" / "checkpoint.pt")
    # A learning rate of almost nothing shows the weights as they were at the start.
    start = settings(epochs=1, learning_rate=1e-12)
    fit(second, tmp_path / "second", pretrained=tmp_path / "first" / "checkpoint.pt", training=start)
    begun, _ = load_checkpoint(tmp_path / "second" / "checkpoint.pt")
    fresh = {"fersnet": ("classifier.", ".label."), "discriminator": ("layers.0.",)}
    for network, heads in fresh.items():
        for name, value in states[network].items():
            if "running" in name or "num_batches" in name:
                continue
            is_head = any(head in f".{name}" if head.startswith(".") else name.startswith(head) for head in heads)
            kept = begun[network][name].shape == value.shape and torch.allclose(begun[network][name], value, atol=1e-6)
            assert kept != is_head or "bias" in name, name
    with pytest.raises(UserError, match="made for another network"):
        fit(
            first,
            tmp_path / "wide",
            pretrained=tmp_path / "first" / "checkpoint.pt",
            model=ModelSettings(image_size=16, width=8),
        )


def test_checkpoints_that_do_not_fit(tmp_path: Path) -> None:
    faces = toy_faces()
    fit(faces, tmp_path)
    file = tmp_path / "checkpoint.pt"
    states, metadata = load_checkpoint(file)
    with pytest.raises(UserError, match="trained on the classes"):
        predict(file, toy_faces(expressions=SEVEN))
    with pytest.raises(UserError, match=r"faces\.channels"):
        predict(file, replace(faces, images=faces.images.expand(-1, 3, -1, -1)))
    for name, change in {
        "kind": {"kind": "identity"},
        "make": {"network": {"width": 4}},
        "classes": {"expressions": ["anger"]},
    }.items():
        save_checkpoint(tmp_path / f"{name}.pt", states, {**metadata, **change})
        with pytest.raises(UserError, match=f"{name}.pt"):
            load(tmp_path / f"{name}.pt")
    save_checkpoint(tmp_path / "wide.pt", states, {**metadata, "network": {**metadata["network"], "width": 8}})
    with pytest.raises(UserError, match="made for another network"):
        load(tmp_path / "wide.pt")
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UserError, match="truncated"):
        load(file)


def test_bad_images_for_synthesis(tmp_path: Path) -> None:
    fit(toy_faces(), tmp_path)
    model = load(tmp_path / "checkpoint.pt")
    good = torch.rand(2, 1, SIDE, SIDE)
    with pytest.raises(UserError, match="float images of shape"):
        model.synthesize(torch.rand(2, 1, 32, 32), torch.tensor([0, 1]))
    with pytest.raises(UserError, match="float images of shape"):
        model.recognise((good * 255).byte())
    with pytest.raises(UserError, match="not finite"):
        model.recognise(good.masked_fill(good > 0.5, float("nan")))
    with pytest.raises(UserError, match="target among anger"):
        model.synthesize(good, torch.tensor([0, 6]))
    fit(toy_faces(), tmp_path / "single", sharing="none", identity=None)
    with pytest.raises(UserError, match="single-task"):
        load(tmp_path / "single" / "checkpoint.pt").synthesize(good, torch.tensor([0, 1]))


def test_too_little_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="1 training faces"):
        fit(toy_faces().select(torch.tensor([0])), tmp_path)
    with pytest.raises(UserError, match="needs an identity network"):
        fit(toy_faces(), tmp_path, identity=None)
    with pytest.raises(UserError, match="batch_size: BatchNorm needs 2 faces"):
        fit(toy_faces(), tmp_path, training=settings(epochs=1, batch_size=1))
    history = fit(toy_faces(), tmp_path, training=settings(epochs=1, batch_size=11))
    assert len(history) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("sharing", "channels"), [("convflu", 1), ("none", 1), ("convflu", 3)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_recorded_steps_give_the_losses_and_weights_of_plain_ones(
    sharing: str, channels: int, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a step of another kind now and then, a last batch of another size and another rate for the last epochs.

    Faces in colour are judged by an identity network, too, as published.
    """
    faces = toy_faces("AB", SIX[:4], frames=3)
    faces = replace(faces, images=faces.images.expand(-1, channels, -1, -1).contiguous())
    training = settings(epochs=6, batch_size=7, milestones=(4,), averaging=0.9)
    losses = LossSettings(identity=0.1 * (channels == 3), identity_every=3, cycle_every=2)
    identity = small_identity() if channels == 3 else None
    replayed, replay = [], torch.cuda.CUDAGraph.replay
    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", lambda graph: (replayed.append(graph), replay(graph)))
    found = {}
    for recorded in (False, True):
        run = a_run(tmp_path / str(recorded), device=torch.device("cuda"), precision=precision, cuda_graphs=recorded)
        run.folder.mkdir()
        history = fit(
            faces, run.folder, run=run, sharing=sharing, training=training, losses=losses, identity=identity
        ).drop(columns="seconds")
        saved = torch.load(run.folder / "checkpoint.pt", weights_only=True, map_location="cpu")
        found[recorded] = (history, saved["networks"]["fersnet"])
        assert bool(replayed) == recorded
    pd.testing.assert_frame_equal(found[True][0], found[False][0], rtol=1e-4)
    for name, weights in found[False][1].items():
        torch.testing.assert_close(found[True][1][name], weights, rtol=1e-3, atol=1e-5)


def test_an_averaged_network_that_draws_has_statistics_of_its_own(tmp_path: Path) -> None:
    """The stem sees flat faces, of which flips and the order make no difference."""
    faces = toy_faces("AB")
    flat = torch.linspace(40, 220, len(faces)).byte()[:, None, None, None].expand(-1, 1, SIDE, SIDE).contiguous()
    for sharing in ("convflu", "none"):
        fit(replace(faces, images=flat), tmp_path / sharing, training=settings(averaging=0.9), sharing=sharing)
        network = load(tmp_path / sharing / "checkpoint.pt").network
        convolved = network.stem[0](flat.float() / 255)
        # Three batches of four faces: the mean of their means, and of their variances.
        parts = [convolved[order] for order in system_batches(len(flat))]
        means = torch.stack([part.mean((0, 2, 3)) for part in parts]).mean(0)
        variances = torch.stack([part.var((0, 2, 3)) for part in parts]).mean(0)
        measured = torch.allclose(network.stem[1].running_mean, means, atol=1e-6)
        assert measured == (sharing == "convflu")
        if measured:
            torch.testing.assert_close(network.stem[1].running_var, variances)


def system_batches(samples: int) -> list[Tensor]:
    return batches_of(Stage("train", 2, 4, samples), 3, 2)
