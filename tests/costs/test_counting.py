"""The count of a training's operations: what a step of the workflow's own settings does, from a smaller one."""

from math import ceil
from pathlib import Path

import pytest
import torch

from fersnet.costs.counting import TrainingCost, training_cost
from fersnet.costs.job import Job
from fersnet.costs.sizes import RunSizes
from fersnet.costs.trainings import planned_training
from fersnet.methods.contract import Method
from fersnet.methods.find import Found
from fersnet.models.describe import OperationCounter
from fersnet.rivals.convolutions import PlaneConv
from fersnet.settings.load import load_settings, read_config
from fersnet.training.task import TrainingRun

ROOT = Path(__file__).parent.parent.parent
FILES = [ROOT / "config/config.yaml", ROOT / "config/smoke.yaml"]
SETTINGS = load_settings(read_config(FILES), FILES)
SIX = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
SIZES = RunSizes({"mmi": dict.fromkeys(SIX, 12)}, {"mmi": 12}, {"mmi": 3}, identity=SETTINGS.identity)
RUN = TrainingRun(Path(), 0, torch.device("cpu"), "test")
SYSTEMS, RECOGNISERS = SETTINGS.known.systems, SETTINGS.known.recognisers


def params_of(rule: str, method: str) -> dict:
    """A job's params, as its rule gives them."""
    if rule in ("train_fersnet", "compare_selection"):
        return {"settings": SETTINGS.for_variant(method).model_dump(mode="json"), "expressions": list(SIX)}
    found = SYSTEMS.get(method) if rule == "train_rival" else RECOGNISERS.get(method)
    sections = {"train_identity": SETTINGS.identity, "train_standard_fer": SETTINGS.standard_fer}
    section = sections.get(rule) or getattr(SETTINGS, declared(found).option).of(method)
    return {
        "settings": section.model_dump(mode="json"),
        "module": found.module if found else "",
        "image_size": SETTINGS.model.image_size,
        "expressions": list(SIX),
        "size": 32,
        "crop": 32,
        "frames": 6,
    }


def cost_of(rule: str, params: dict) -> TrainingCost | None:
    return training_cost(Job(rule, "mmi", fold="1", params=params), SIZES)


def declared(found: Found) -> Method:
    assert isinstance(found.declared, Method)
    return found.declared


JOBS = [
    *(("train_fersnet", method) for method in ("fersnet_without_mtl", "fersnet_without_convflu", "fersnet")),
    ("train_identity", ""),
    ("train_standard_fer", ""),
    *(("train_rival", method) for method in SYSTEMS),
    *(("train_baseline", method) for method, found in RECOGNISERS.items() if declared(found).trains_networks),
]


@pytest.mark.parametrize(("rule", "method"), JOBS)
def test_the_count_is_that_of_real_steps(rule: str, method: str) -> None:
    job = Job(rule, "mmi", method, "1", params=params_of(rule, method))
    task, stages = planned_training(job, SIZES, RUN)
    total, calls, weights = 0.0, 0.0, 0
    kinds = {stage.kind or stage.name: stage for stage in stages}
    for stage in kinds.values():
        task.begin_epoch(stage, 1)
        batch = torch.arange(stage.batch_size) % (2 if rule == "train_baseline" else 12)
        for _ in range(task.cycle):
            task.training_step(batch)  # the first steps also make the optimizers' state
        with OperationCounter() as counter:
            for step in range(task.cycle):
                torch.manual_seed(step)
                losses = task.training_step(batch)
        assert all(torch.isfinite(value) for value in losses.values())
        total += counter.total / (stage.batch_size * task.cycle) * stage.samples * stage.epochs
        calls += counter.calls / task.cycle * stage.epochs * ceil(stage.samples / stage.batch_size)
        weights += 1
    cost = training_cost(job, SIZES)
    # What two of the rivals do to their kernels alone, once a step, counts for every two samples (`PlaneConv`).
    planes = [part for network in task.networks.values() for part in network.modules() if isinstance(part, PlaneConv)]
    assert cost.flop == pytest.approx(total * len(stages) / weights, rel=0.02 if planes else 1e-6)
    # The optimizers are left out: on clips, one call per parameter and operation.
    least = 0.39 if rule == "train_baseline" else 0.9
    assert least < cost.calls * weights / (calls * len(stages)) <= 1
    assert cost.parameters == sum(p.numel() for n in task.networks.values() for p in n.parameters())
    assert cost.step_bytes > 16 * cost.parameters


def test_the_numbers_of_samples_are_those_of_the_protocol() -> None:
    def samples(rule: str, method: str, fold: str = "1", **changes: object) -> int:
        job = Job(rule, "mmi", method, fold, params=params_of(rule, method) | changes)
        return planned_training(job, SIZES, RUN)[1][-1].samples

    faces = 72 * 3
    assert samples("train_fersnet", "fersnet") == faces * 2 // 3
    assert samples("compare_selection", "fersnet_without_mtl") == faces // 3
    for method in (key for key, found in SYSTEMS.items() if "neutral faces" not in declared(found).reads):
        assert samples("train_rival", method) == faces * 2 // 3
        assert samples("train_rival", method, hold_out=True) == faces // 3
    for method, found in RECOGNISERS.items():
        if declared(found).trains_networks:
            sequences = 72 if "clips" in declared(found).reads else faces
            assert samples("train_baseline", method) == sequences * 2 // 3
            assert samples("pretrain_baseline", method) == sequences
    assert samples("train_identity", "", fold="0") == 72 * 14
    skewed = RunSizes({"mmi": dict.fromkeys(SIX, 12) | {"fear": 24}}, {}, {"mmi": 3})
    assert SETTINGS.variants["fersnet_fes_da"].augmented_by == "fersnet"
    job = Job("train_fersnet", "mmi", "fersnet_fes_da", "1", params=params_of("train_fersnet", "fersnet_fes_da"))
    _, stages = planned_training(job, skewed, RUN)
    assert stages[0].samples == (5 * 12 + 24) * 3 * 2 // 3, "as many steps as without synthetic faces"


def test_jobs_without_a_network_cost_no_operations() -> None:
    for method in (key for key, found in RECOGNISERS.items() if not declared(found).trains_networks):
        assert cost_of("train_baseline", params_of("train_baseline", method)) is None
    assert cost_of("align_faces", {}) is None
    public = {"settings": SETTINGS.identity.model_dump(mode="json") | {"checkpoint": "lightcnn.pth"}, "image_size": 32}
    assert cost_of("train_identity", public) is None
