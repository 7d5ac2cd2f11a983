"""The rivals' training: eight faces overfitted, resumed trainings, determinism, settings that reach the networks."""

from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from fersnet.errors import UserError
from fersnet.expressions import SIX
from fersnet.models.light_cnn import LightCNN9
from fersnet.rivals import common
from fersnet.rivals.caae import CAAESettings
from fersnet.rivals.cyclegan import CycleGANSettings
from fersnet.rivals.cyclegan.training import ImagePool
from fersnet.rivals.exprgan import ExprGANSettings
from fersnet.rivals.stargan import StarGANSettings
from fersnet.rivals.stargan.training import StarGANTask
from fersnet.training.batches import FaceSet, face_set, loose_faces
from fersnet.training.checkpoint import load_checkpoint, save_checkpoint
from fersnet.training.task import TrainingRun

SIZE = 24
HAPPINESS, SURPRISE = SIX.index("happiness"), SIX.index("surprise")
CPU = torch.device("cpu")
METHODS = ("caae", "cyclegan", "exprgan", "stargan")
FAST = 3e-3
SHORT = {
    "caae": CAAESettings(width=4, code_size=12, warm_up_epochs=1, epochs=2, batch_size=4),
    "cyclegan": CycleGANSettings(
        width=4, residual_blocks=1, normalisation="batch", epochs=2, batch_size=2, pool_size=3
    ),
    "exprgan": ExprGANSettings(
        width=4,
        code_size=12,
        controller_epochs=1,
        reconstruction_epochs=2,
        refinement_epochs=1,
        controller_batch_size=4,
        batch_size=4,
        repeated_noise=True,
    ),
    "stargan": StarGANSettings(
        width=4, residual_blocks=1, normalisation="batch", epochs=3, batch_size=4, critic_steps=2
    ),
}
# With averages, which a restart must not change.
SHORT = {method: settings.model_copy(update={"averaging": 0.9}) for method, settings in SHORT.items()}


def draw_face(subject: int, expression: str, size: int = SIZE) -> Tensor:
    """A disc whose brightness is the subject, with a flat wide mouth (happiness) or a tall open one (others)."""
    axis = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    face = torch.where(x**2 + y**2 < 0.9, 0.55 + 0.1 * subject, 0.1)
    for side in (-0.35, 0.35):
        face = torch.where((x - side) ** 2 + (y + 0.3) ** 2 < 0.02, 0.0, face)
    wide, tall = (0.5, 0.12) if expression == "happiness" else (0.2, 0.35)
    return torch.where((x / wide) ** 2 + ((y - 0.4) / tall) ** 2 < 1, 0.0, face)


def make_faces(
    expressions: tuple[str, ...] = SIX,
    used: tuple[str, ...] = ("happiness", "surprise"),
    channels: int = 1,
    size: int = SIZE,
) -> FaceSet:
    """Four subjects with every used expression."""
    entries = [(subject, name) for subject in range(4) for name in used]
    images = torch.stack([draw_face(subject, name, size) for subject, name in entries])
    return loose_faces(
        (images * 255).to(torch.uint8)[:, None].repeat(1, channels, 1, 1),
        torch.tensor([expressions.index(name) for _, name in entries]),
        torch.tensor([subject for subject, _ in entries]),
        expressions,
    )


def make_run(folder: Path, seed: int = 1) -> TrainingRun:
    folder.mkdir(exist_ok=True)
    return TrainingRun(folder, seed, CPU, "fingerprint", {"image_size": SIZE})


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def identity() -> LightCNN9:
    torch.manual_seed(0)
    return LightCNN9(4, 32, 4)


def fitted(method: str, faces: FaceSet, settings, run: TrainingRun, identity: LightCNN9, **more):
    module = import_module(f"fersnet.rivals.{method}.training")
    module.fit(faces, settings, run, identity, **more)
    return module.load(run.folder / "checkpoint.pt", CPU)


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        (
            "stargan",
            StarGANSettings(
                width=8,
                residual_blocks=1,
                epochs=60,
                batch_size=8,
                critic_steps=2,
                learning_rate=FAST,
                targets="uniform",
                augmentation="none",
            ),
        ),
        (
            "cyclegan",
            CycleGANSettings(
                width=8,
                residual_blocks=1,
                epochs=32,
                batch_size=4,
                learning_rate=2e-3,
                cycle=3,
                decay_from=1.0,
                augmentation="none",
            ),
        ),
        (
            "caae",
            CAAESettings(
                width=8,
                code_size=24,
                warm_up_epochs=10,
                epochs=60,
                batch_size=8,
                learning_rate=FAST,
                adversarial_image=0.1,
                adversarial_code=0.1,
            ),
        ),
        (
            "exprgan",
            ExprGANSettings(
                width=8,
                code_size=24,
                controller_epochs=40,
                reconstruction_epochs=50,
                refinement_epochs=20,
                perceptual_share=0.05,
                controller_batch_size=8,
                batch_size=8,
                learning_rate=1e-3,
                augmentation="none",
            ),
        ),
    ],
)
def test_eight_faces_are_given_the_other_expression(method, settings, tmp_path, identity):
    faces = make_faces()
    synthesizer = fitted(method, faces, settings, make_run(tmp_path), identity)
    images = faces.images.float() / 255
    labels = faces.labels
    other = torch.where(labels == HAPPINESS, SURPRISE, HAPPINESS)
    direction = images[labels == SURPRISE].mean(0) - images[labels == HAPPINESS].mean(0)
    middle = (images.mean(0) * direction).sum()
    for target in (labels, other):
        made = synthesizer.synthesize(images, target)
        towards_surprise = (made * direction).sum((1, 2, 3)) > middle
        assert int((towards_surprise == (target == SURPRISE)).sum()) >= 7


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("interrupted_at", [2, 6])
def test_a_resumed_training_ends_with_the_same_bytes(method, interrupted_at, tmp_path, identity, monkeypatch):
    module = import_module(f"fersnet.rivals.{method}.training")
    faces = make_faces()
    whole, broken = make_run(tmp_path / "whole"), make_run(tmp_path / "broken")
    module.fit(faces, SHORT[method], whole, identity)

    monkeypatch.setattr("fersnet.training.loop.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("fersnet.training.loop.SAVE_SHARE", 1e9)
    task = next(value for name, value in vars(module).items() if name.endswith("GANTask") or name == "CAAETask")
    training_step, taken = task.training_step, []

    def step_until_killed(self, indices):
        taken.append(indices)
        if len(taken) == interrupted_at:
            raise KeyboardInterrupt
        return training_step(self, indices)

    monkeypatch.setattr(task, "training_step", step_until_killed)
    with pytest.raises(KeyboardInterrupt):
        module.fit(faces, SHORT[method], broken, identity)
    assert (broken.folder / "resume.pt").exists()
    before = len(taken)
    module.fit(faces, SHORT[method], broken, identity)
    expected = sum(stage_steps(method))
    assert len(taken) - before == expected - (interrupted_at - 1)
    checkpoints = [(run.folder / "checkpoint.pt").read_bytes() for run in (whole, broken)]
    assert checkpoints[0] == checkpoints[1]


@pytest.mark.parametrize("method", METHODS)
def test_what_draws_is_what_is_averaged(method, tmp_path, identity, monkeypatch):
    rebuild, read = common.rebuild, []

    def noted(network, states, name, *arguments):
        read.append(name)
        return rebuild(network, states, name, *arguments)

    monkeypatch.setattr(common, "rebuild", noted)
    run = make_run(tmp_path)
    synthesizer = fitted(method, make_faces(), SHORT[method], run, identity)
    used, metadata = load_checkpoint(run.folder / "checkpoint.pt")
    last, _ = load_checkpoint(run.folder / "checkpoint.pt", last=True)
    assert metadata["averaging"] == 0.9
    moved = {name for name in used if any(not torch.equal(used[name][key], last[name][key]) for key in used[name])}
    assert moved == set(read)
    save_checkpoint(tmp_path / "last.pt", last, metadata)
    module = import_module(f"fersnet.rivals.{method}.training")
    images, target = torch.rand(2, 1, SIZE, SIZE), torch.tensor([HAPPINESS, SURPRISE])
    drawn = [model.synthesize(images, target) for model in (synthesizer, module.load(tmp_path / "last.pt", CPU))]
    assert not torch.equal(*drawn)


@pytest.mark.parametrize(
    ("method", "generators"),
    [("stargan", ["generator"]), ("cyclegan", ["generator_happiness", "generator_surprise"])],
)
def test_an_averaged_generator_has_statistics_of_its_own(method, generators, tmp_path, identity):
    """Measured over one epoch when its training ends; the last weights' are of all passes that there were."""
    fitted(method, make_faces(), SHORT[method], make_run(tmp_path), identity)
    used, _ = load_checkpoint(tmp_path / "checkpoint.pt")
    last, _ = load_checkpoint(tmp_path / "checkpoint.pt", last=True)
    for name in generators:
        counts = [key for key in used[name] if "num_batches_tracked" in key]
        assert counts and all(used[name][key] == 2 and last[name][key] > 4 for key in counts)
        means = [key for key in used[name] if "running_mean" in key]
        assert means and not any(torch.equal(used[name][key], last[name][key]) for key in means)


def stage_steps(method: str) -> list[int]:
    """Steps of each stage of `SHORT` on eight faces."""
    return {"caae": [2, 4], "cyclegan": [4, 4], "exprgan": [2, 4, 2], "stargan": [6]}[method]


@pytest.mark.parametrize("method", METHODS)
def test_the_seed_decides_the_result(method, tmp_path, identity):
    contents = []
    for name, seed in (("first", 1), ("second", 1), ("third", 2)):
        run = make_run(tmp_path / name, seed)
        torch.manual_seed(len(contents))
        fitted(method, make_faces(), SHORT[method], run, identity)
        contents.append((run.folder / "checkpoint.pt").read_bytes())
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize("method", METHODS)
def test_c3_a_rival_learns_the_classes_that_there_are(method, tmp_path, identity):
    """Case C3: two classes, and so two targets."""
    expressions = ("happiness", "surprise")
    synthesizer = fitted(method, make_faces(expressions), SHORT[method], make_run(tmp_path), identity)
    assert synthesizer.expressions == expressions
    images = torch.rand(2, 1, SIZE, SIZE)
    assert synthesizer.synthesize(images, torch.tensor([0, 1])).shape == images.shape
    with pytest.raises(UserError, match=r"from 0 to 1 per image \(happiness, surprise\)"):
        synthesizer.synthesize(images, torch.tensor([0, 2]))


@pytest.mark.parametrize("method", METHODS)
def test_faces_of_test_subjects_leave_no_trace(method, tmp_path, identity):
    entries = [(subject, name, role) for subject in range(4) for name in SIX[:3] for role in ("neutral", "peak")]
    table = pd.DataFrame(entries, columns=["subject", "expression", "role"])
    table["sequence_id"] = table["subject"].astype(str) + table["expression"]
    table["frame"] = (table["role"] == "peak").astype(int)
    images = np.random.default_rng(0).integers(256, size=(len(table), SIZE, SIZE, 1), dtype=np.uint8)
    held_out = table["subject"].to_numpy() == 3
    settings = SHORT[method]
    contents = []
    for name, value in (("first", 0), ("second", 255)):
        images[held_out] = value
        store = SimpleNamespace(table=table, images=images.copy())
        more = {}
        if method == "cyclegan":
            settings = settings.model_copy(update={"protocol": "neutral"})
            more["neutral"] = face_set(store, (0, 1, 2), SIX, "neutral")
        run = make_run(tmp_path / name)
        fitted(method, face_set(store, (0, 1, 2), SIX), settings, run, identity, **more)
        contents.append((run.folder / "checkpoint.pt").read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("method", METHODS)
def test_colour_faces_larger_than_the_input(method, tmp_path, identity):
    faces = make_faces(SIX, channels=3, size=SIZE + 4)
    before = {name: value.clone() for name, value in identity.state_dict().items()}
    synthesizer = fitted(method, faces, SHORT[method], make_run(tmp_path), identity)
    images = torch.rand(3, 3, SIZE, SIZE)
    made = synthesizer.synthesize(images, torch.tensor([HAPPINESS, SURPRISE, HAPPINESS]))
    assert made.shape == images.shape
    assert 0 <= made.min() <= made.max() <= 1
    alone = synthesizer.synthesize(images[1:2], torch.tensor([SURPRISE]))
    torch.testing.assert_close(made[1:2], alone, atol=1e-5, rtol=1e-5)
    assert synthesizer.expressions == SIX
    assert all(torch.equal(before[name], value) for name, value in identity.state_dict().items())
    with pytest.raises(UserError, match=r"trained on \(B, 3, 24, 24\)"):
        synthesizer.synthesize(torch.rand(1, 1, SIZE, SIZE), torch.tensor([0]))
    with pytest.raises(UserError, match="one class index"):
        synthesizer.synthesize(images, torch.tensor([0, 1, 6]))


@pytest.mark.parametrize("method", METHODS)
def test_unusable_sizes_and_checkpoints_are_named(method, tmp_path, identity):
    module = import_module(f"fersnet.rivals.{method}.training")
    odd = replace(make_run(tmp_path), metadata={"image_size": 18})
    with pytest.raises(UserError, match=r"model.image_size.*18"):
        module.fit(make_faces(), SHORT[method], odd, identity)
    large = replace(odd, metadata={"image_size": 48})
    with pytest.raises(UserError, match="larger than the stored faces"):
        module.fit(make_faces(), SHORT[method], large, identity)
    with pytest.raises(UserError, match="too few"):
        module.fit(make_faces().select(torch.tensor([0])), SHORT[method], make_run(tmp_path), identity)
    foreign = tmp_path / "foreign.pt"
    save_checkpoint(foreign, {}, {"method": "fersnet"})
    with pytest.raises(UserError, match="a checkpoint of fersnet"):
        module.load(foreign, CPU)
    save_checkpoint(foreign, {}, {"method": method, "width": -1})
    with pytest.raises(UserError, match="the metadata gives no width"):
        module.load(foreign, CPU)
    module.fit(make_faces(), SHORT[method], make_run(tmp_path), identity)
    states, metadata = load_checkpoint(tmp_path / "checkpoint.pt")
    assert ("normalisation" in metadata) == (method in ("cyclegan", "stargan"))
    for missing in {"expressions", "normalisation"} & metadata.keys():
        save_checkpoint(foreign, states, {key: value for key, value in metadata.items() if key != missing})
        with pytest.raises(UserError, match=f"the metadata gives no {missing}"):
            module.load(foreign, CPU)


def test_each_training_face_gets_a_brightness_of_its_own(tmp_path):
    data, indices = common.prepare(make_faces(), make_run(tmp_path)), torch.arange(8)
    as_they_are = common.to_unit(data.unchanged(indices))
    torch.manual_seed(0)
    still = StarGANSettings(augmentation="none")
    assert torch.equal(common.to_unit(data.draw(indices, still)), as_they_are)
    darker = common.to_unit(data.draw(indices, still.model_copy(update={"brightness": (0.5, 0.9)})))
    lit = as_they_are > 0
    factors = [face[there] / before[there] for face, before, there in zip(darker, as_they_are, lit, strict=True)]
    assert all(one.min() >= 0.5 - 1e-5 and one.max() <= 0.9 + 1e-5 and one.std() < 1e-5 for one in factors)
    assert len({round(float(one.mean()), 3) for one in factors}) > 4
    brighter = data.draw(indices, still.model_copy(update={"brightness": (3.0, 3.0)}))
    assert brighter.max() == 1 and torch.equal(common.to_unit(brighter) > 0, lit)


def test_cyclegan_takes_neutral_faces_as_its_source(tmp_path, identity):
    settings = SHORT["cyclegan"].model_copy(update={"protocol": "neutral"})
    with pytest.raises(UserError, match="neutral needs neutral faces"):
        fitted("cyclegan", make_faces(), settings, make_run(tmp_path), identity)
    neutral = make_faces(used=("sadness", "anger"))
    synthesizer = fitted("cyclegan", make_faces(), settings, make_run(tmp_path), identity, neutral=neutral)
    assert sorted(synthesizer.generators) == [HAPPINESS, SURPRISE]
    assert load_checkpoint(tmp_path / "checkpoint.pt")[1]["protocol"] == "neutral"
    images = torch.rand(2, 1, SIZE, SIZE)
    made = synthesizer.synthesize(images, torch.tensor([SIX.index("anger"), HAPPINESS]))
    assert torch.equal(made[0], images[0])
    assert not torch.equal(made[1], images[1])


def test_cyclegan_can_begin_a_model_with_the_one_before_it(tmp_path, identity):
    networks = {}
    for initial in ("fresh", "previous"):
        settings = SHORT["cyclegan"].model_copy(update={"initial": initial, "learning_rate": 1e-9, "epochs": 1})
        fitted("cyclegan", make_faces(), settings, make_run(tmp_path / initial), identity)
        networks[initial] = load_checkpoint(tmp_path / initial / "checkpoint.pt")[0]
    for initial, alike in (("fresh", False), ("previous", True)):
        first, second = (networks[initial][f"generator_{name}"] for name in ("happiness", "surprise"))
        assert torch.allclose(first["body.1.weight"], second["body.1.weight"], atol=1e-6) == alike


def test_cyclegan_can_train_its_first_model_longer(tmp_path, identity):
    settings = SHORT["cyclegan"].model_copy(update={"first_epochs": 3, "epochs": 1})
    fitted("cyclegan", make_faces(), settings, make_run(tmp_path), identity)
    history = pd.read_csv(tmp_path / "history.csv")
    assert history.groupby("stage").size().to_dict() == {"happiness": 3, "surprise": 1}


def test_image_pool_fills_and_then_swaps():
    torch.manual_seed(0)
    pool = ImagePool(3)
    first = torch.arange(3.0).view(3, 1, 1, 1)
    assert torch.equal(pool.exchange(first), first)
    returned = torch.cat([pool.exchange(torch.full((1, 1, 1, 1), 10.0 + step)) for step in range(40)]).flatten()
    swapped = (returned != torch.arange(40.0) + 10).sum()
    assert 10 < int(swapped) < 30
    held = {float(image) for image in pool.images}
    assert held | set(returned.tolist()) == set(range(3)) | {10.0 + step for step in range(40)}
    assert torch.equal(ImagePool(0).exchange(first), first)


def test_exprgan_intensity_changes_the_face_and_its_default_is_the_setting(tmp_path, identity):
    settings = SHORT["exprgan"].model_copy(update={"intensity": 0.5})
    synthesizer = fitted("exprgan", make_faces(), settings, make_run(tmp_path), identity)
    images, target = torch.rand(2, 1, SIZE, SIZE), torch.tensor([HAPPINESS, SURPRISE])
    half = synthesizer.synthesize(images, target)
    assert torch.equal(half, synthesizer.synthesize(images, target, intensity=0.5))
    full = synthesizer.synthesize(images, target, intensity=1.0)
    none = synthesizer.synthesize(images, target, intensity=0.0)
    assert (full - none).abs().mean() > (half - none).abs().mean() > 0
    assert torch.equal(none[0], synthesizer.synthesize(images, target.flip(0), intensity=0.0)[0])


def test_total_variation_is_that_of_the_formula():
    images = torch.rand(2, 3, 5, 5)
    down = ((images[:, :, 1:] - images[:, :, :-1]) ** 2).sum() / 2 / (4 * 5 * 3)
    across = ((images[:, :, :, 1:] - images[:, :, :, :-1]) ** 2).sum() / 2 / (5 * 4 * 3)
    torch.testing.assert_close(common.total_variation(images), (down + across) / 2)


def test_learning_rate_is_constant_then_falls_linearly():
    rates = [common.ramp(1.0, epoch, 200, 0.5) for epoch in range(1, 201)]
    assert rates[:100] == [1.0] * 100
    steps = {round(before - after, 9) for before, after in pairwise(rates[99:])}
    assert steps == {round(1 / 101, 9)}
    assert rates[-1] == pytest.approx(1 / 101)
    assert common.ramp(1.0, 200, 200, 1.0) == 1.0
    assert common.ramp(1.0, 1, 1, 0.5) > 0


def test_stargan_can_begin_with_a_discriminator_whose_signals_do_not_fade(tmp_path):
    faces = torch.rand(8, 1, 64, 64) * 2 - 1
    sizes = {}
    for weights in ("framework", "scaled"):
        settings = SHORT["stargan"].model_copy(update={"discriminator_weights": weights})
        drawn = common.prepare(make_faces(size=64), replace(make_run(tmp_path), metadata={"image_size": 64}))
        trunk = StarGANTask(drawn, settings, make_run(tmp_path)).discriminator.trunk
        means = [float(trunk[: 2 * stage](faces).detach().square().mean().sqrt()) for stage in (1, len(trunk) // 2)]
        sizes[weights] = means[1] / means[0]
    assert sizes["framework"] < 0.5 < sizes["scaled"] < 2


def test_stargans_generator_follows_the_critic_by_its_weight(tmp_path):
    run = make_run(tmp_path)
    faces = common.prepare(make_faces(), run)
    slopes = {}
    for weight in (0.0, 1.0, 10.0):
        settings = SHORT["stargan"].model_copy(update={"adversarial": weight, "critic_steps": 1})
        task = StarGANTask(faces, settings, run)
        torch.manual_seed(0)
        task.training_step(torch.arange(len(faces)))
        slopes[weight] = task.generator.entry.weight.grad.clone()
    difference = slopes[1.0] - slopes[0.0]
    assert difference.abs().max() > 0
    torch.testing.assert_close(slopes[10.0] - slopes[0.0], 10 * difference, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("protocol", "larger"), [("rest", 150), ("neutral", 90)])
def test_a_stage_of_cyclegan_is_as_long_as_the_larger_domain(protocol: str, larger: int) -> None:
    counts = dict.fromkeys(SIX, 30) | {"neutral faces": 90}
    settings = CycleGANSettings(protocol=protocol, first_epochs=5, epochs=2)
    stages = import_module("fersnet.rivals.cyclegan.training").stages(settings, counts)
    assert [(stage.name, stage.epochs, stage.samples) for stage in stages] == [
        (name, 5 if name == SIX[0] else 2, larger) for name in SIX
    ]
    without = import_module("fersnet.rivals.cyclegan.training").stages(settings, counts | {"fear": 0})
    assert "fear" not in [stage.name for stage in without]


def test_the_source_of_a_neutral_class_is_the_rest_in_either_protocol(tmp_path, identity) -> None:
    code = import_module("fersnet.rivals.cyclegan.training")
    classes = ("happiness", "neutral")
    faces = make_faces(classes, used=classes)
    settings = SHORT["cyclegan"].model_copy(update={"protocol": "neutral", "samples": None})
    task = code.task(faces, settings, make_run(tmp_path), identity, faces.select(faces.labels == 1))
    assert {name: source.tolist() for name, (source, _) in task.domains.items()} == {
        "happiness": [0, 1, 2, 3],
        "neutral": [0, 2, 4, 6],
    }
    assert len(task._source_faces("happiness")) == 4 and len(task._source_faces("neutral")) == 8
    stages = code.stages(settings, {"happiness": 30, "neutral": 10, "neutral faces": 40})
    assert [stage.samples for stage in stages] == [40, 30]
