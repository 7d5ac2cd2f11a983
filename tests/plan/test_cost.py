"""The count of a training's operations: what a real step of the workflow's own settings does, without doing it."""

from math import ceil
from pathlib import Path

import pytest
import torch

from fersnet.models.describe import OperationCounter
from fersnet.plan.cost import training_cost
from fersnet.plan.sizes import RunSizes
from fersnet.plan.trainings import planned_training
from fersnet.settings.baselines import BaselinesSettings
from fersnet.settings.load import load_settings, read_config
from fersnet.training.task import TrainingRun

ROOT = Path(__file__).parent.parent.parent
FILES = [ROOT / "config/config.yaml", ROOT / "config/smoke.yaml"]
SETTINGS = load_settings(read_config(FILES), FILES)
SIX = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
SIZES = RunSizes({"mmi": dict.fromkeys(SIX, 12)}, {"mmi": 12}, {"mmi": 3}, identity=SETTINGS.identity)


def params_of(rule: str, method: str) -> dict:
    """A job's params, as its rule gives them."""
    if rule in ("train_fersnet", "compare_selection"):
        sections = {key: part.model_dump(mode="json") for key, part in SETTINGS.for_variant(method).items()}
        return {"settings": {"sharing": SETTINGS.variants[method].sharing, **sections}, "expressions": list(SIX)}
    section = {
        "train_identity": SETTINGS.identity,
        "train_standard_fer": SETTINGS.standard_fer,
        "train_rival": getattr(SETTINGS.rivals, method, None),
        "train_baseline": getattr(SETTINGS.baselines, method, None),
    }[rule]
    return {
        "settings": section.model_dump(mode="json"),
        "image_size": SETTINGS.model.image_size,
        "expressions": list(SIX),
        "size": 32,
        "frames": 6,
    }


JOBS = [
    *(("train_fersnet", method) for method in ("fersnet_without_mtl", "fersnet_without_convflu", "fersnet")),
    ("train_identity", ""),
    ("train_standard_fer", ""),
    *(("train_rival", method) for method in ("caae", "cyclegan", "exprgan", "stargan")),
    *(("train_baseline", method) for method in ("cnn3d", "dtagn", "lbvcnn")),
]


@pytest.mark.parametrize(("rule", "method"), JOBS)
def test_the_count_is_that_of_real_steps(rule: str, method: str) -> None:
    params = params_of(rule, method)
    run = TrainingRun(Path(), 0, torch.device("cpu"), "test")
    training = planned_training(rule, "mmi", method, "1", params, SIZES, run)
    total, calls, weights = 0.0, 0.0, 0
    for stage in training.stages[:1] if method == "cyclegan" else training.stages:
        training.task.begin_epoch(stage, 1)
        batch = torch.arange(stage.batch_size) % (2 if rule == "train_baseline" else 12)
        for _ in range(training.cycle):
            training.task.training_step(batch)  # the first steps also make the optimizers' state
        with OperationCounter() as counter:
            for step in range(training.cycle):
                torch.manual_seed(step)
                losses = training.task.training_step(batch)
        assert all(torch.isfinite(value) for value in losses.values())
        total += counter.total / (stage.batch_size * training.cycle) * stage.samples * stage.epochs
        calls += counter.calls / training.cycle * stage.epochs * ceil(stage.samples / stage.batch_size)
        weights += 1
    cost = training_cost(rule, "mmi", method, "1", params, SIZES)
    # On a CPU two of the rivals' convolutions compute a border that they then cut off (`EdgeConv`).
    tolerance = 0.06 if method in ("cyclegan", "stargan") else 1e-6
    assert cost.flop == pytest.approx(total * len(training.stages) / weights, rel=tolerance)
    # Left out are cutting those borders and the optimizers: on clips, one call per parameter and operation.
    least = {"cnn3d": 0.4, "dtagn": 0.5, "lbvcnn": 0.4, "cyclegan": 0.5, "stargan": 0.75}.get(method, 0.9)
    assert least < cost.calls * weights / (calls * len(training.stages)) < 1.05
    assert cost.parameters == sum(p.numel() for n in training.task.networks.values() for p in n.parameters())
    assert cost.step_bytes > 16 * cost.parameters


def test_the_numbers_of_samples_are_those_of_the_protocol() -> None:
    def samples(rule: str, method: str, fold: str = "1", **changes: object) -> int:
        run = TrainingRun(Path(), 0, torch.device("cpu"), "test")
        params = params_of(rule, method) | changes
        return planned_training(rule, "mmi", method, fold, params, SIZES, run).stages[0].samples

    faces = 72 * 3
    assert samples("train_fersnet", "fersnet") == faces * 2 // 3
    assert samples("compare_selection", "fersnet_without_mtl") == faces // 3
    assert samples("train_rival", "stargan") == faces * 2 // 3
    assert samples("train_rival", "stargan", hold_out=True) == faces // 3
    assert samples("train_baseline", "cnn3d") == 72 * 2 // 3
    assert samples("train_identity", "", fold="0") == 72 * 14
    cyclegan = SETTINGS.rivals.cyclegan.model_dump(mode="json") | {"samples": None}
    for protocol, largest in (("rest", faces * 5 // 6), ("neutral", 72)):
        changed = cyclegan | {"protocol": protocol}
        assert samples("train_rival", "cyclegan", settings=changed) == largest * 2 // 3
    skewed = RunSizes({"mmi": dict.fromkeys(SIX, 12) | {"fear": 24}}, {}, {"mmi": 3}, augmentation=2.0)
    run = TrainingRun(Path(), 0, torch.device("cpu"), "test")
    params = params_of("train_fersnet", "fersnet_fes_da")
    enlarged = planned_training("train_fersnet", "mmi", "fersnet_fes_da", "1", params, skewed, run)
    assert enlarged.stages[0].samples == 6 * 24 * 2 * 3 * 2 // 3


def test_jobs_without_a_network_cost_no_operations() -> None:
    lbp = {"settings": BaselinesSettings().lbp_top.model_dump(mode="json")}
    assert training_cost("train_baseline", "mmi", "lbp_top", "1", lbp, SIZES) is None
    assert training_cost("align_faces", "mmi", "", "", {}, SIZES) is None
    public = {"settings": SETTINGS.identity.model_dump(mode="json") | {"checkpoint": "lightcnn.pth"}, "image_size": 32}
    assert training_cost("train_identity", "mmi", "", "1", public, SIZES) is None
