"""The trainings of a plan: from a job's settings to its task and stages, as they would run."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import nn

from fersnet.baselines.clips import ClipSet
from fersnet.baselines.cnn3d import Cnn3d
from fersnet.baselines.dtagn import AppearanceNetwork, DtagnTask, GeometryNetwork
from fersnet.baselines.lbvcnn import PLANES, LbvcnnTask, PlaneNetwork
from fersnet.baselines.networks import ClipTask
from fersnet.models.discriminator import Discriminator
from fersnet.models.fersnet import FERSNet
from fersnet.models.light_cnn import LightCNN9
from fersnet.models.standard_fer import StandardFER
from fersnet.plan.sizes import RunSizes
from fersnet.rivals.caae import CAAETask
from fersnet.rivals.common import RivalFaces
from fersnet.rivals.cyclegan import CycleGANTask
from fersnet.rivals.exprgan import ExprGANTask
from fersnet.rivals.stargan import StarGANTask
from fersnet.settings.baselines import BaselinesSettings
from fersnet.settings.rivals import RivalsSettings
from fersnet.settings.training import (
    FersnetSettings,
    IdentitySettings,
    LossSettings,
    ModelSettings,
    ScheduleSettings,
    StandardFerSettings,
)
from fersnet.training.batches import FaceSet, loose_faces
from fersnet.training.classification import ClassificationTask
from fersnet.training.fersnet_task import FERSNetTask
from fersnet.training.task import Stage, TrainingRun, TrainingTask

RIVAL_TASKS = {"caae": CAAETask, "cyclegan": CycleGANTask, "exprgan": ExprGANTask, "stargan": StarGANTask}
NETWORK_BASELINES = ("cnn3d", "dtagn", "lbvcnn")
VARIANT_RULES = ("train_fersnet", "pretrain_fersnet", "compare_selection")


@dataclass(frozen=True)
class PlannedTraining:
    """What a job trains."""

    task: TrainingTask
    stages: list[Stage]
    """With the numbers of samples that the run will have."""
    cycle: int = 1
    """Steps after which the cost of a step repeats."""


def is_training(rule: str, method: str) -> bool:
    """Whether a job trains networks in the training loop, by a method that is known here."""
    families = {"train_baseline": NETWORK_BASELINES, "train_rival": RIVAL_TASKS}
    if rule in families:
        return method in families[rule]
    return rule in (*VARIANT_RULES, "train_identity", "train_standard_fer")


def planned_training(
    rule: str, dataset: str, method: str, fold: str, params: Mapping[str, Any], sizes: RunSizes, run: TrainingRun
) -> PlannedTraining | None:
    """The task and stages of a training job on invented data of the right shapes.

    Returns:
        None where the job trains no network (or takes a public checkpoint), or its dataset is of unknown size.
    """
    if not is_training(rule, method) or not sizes.sequences(dataset):
        return None
    if rule in VARIANT_RULES:
        return _variant(rule, dataset, method, params, sizes, run)
    share = 1.0 if fold == "0" else (sizes.folds - (2 if params.get("hold_out") else 1)) / sizes.folds
    if rule == "train_identity":
        return _identity(dataset, share, params, sizes, run)
    if rule == "train_standard_fer":
        return _standard_fer(dataset, share, params, sizes, run)
    if rule == "train_rival":
        return _rival(dataset, method, share, params, sizes, run)
    return _baseline(dataset, method, share, params, sizes, run)


def invented_faces(size: int, channels: int, batch: int, classes: tuple[str, ...]) -> FaceSet:
    """Enough black faces for a batch, with every class and two subjects in them."""
    count = max(batch, 2 * len(classes))
    return loose_faces(
        torch.zeros(count, channels, size, size, dtype=torch.uint8),
        torch.arange(count) % len(classes),
        torch.arange(count) // len(classes) % 2,
        classes,
    )


def _variant(
    rule: str, dataset: str, method: str, params: Mapping[str, Any], sizes: RunSizes, run: TrainingRun
) -> PlannedTraining:
    sections = params["settings"]
    model = ModelSettings.model_validate(sections["model"], strict=False)
    training = FersnetSettings.model_validate(sections["training"], strict=False)
    losses = LossSettings.model_validate(sections["losses"], strict=False)
    classes = tuple(params["expressions"])
    network = FERSNet(
        model.width, model.image_size, sizes.channels, len(classes), sections["sharing"], model.convflu_kernel
    )
    discriminator = Discriminator(model.width, sizes.channels, len(classes)) if network.synthesises else None
    identity = LightCNN9(sizes.identity.width, sizes.identity.image_size, 2)
    faces = invented_faces(model.image_size, sizes.channels, training.batch_size, classes)
    held_out = 2 if rule == "compare_selection" or training.selection == "validation" else 1
    share = 1.0 if rule == "pretrain_fersnet" else (sizes.folds - held_out) / sizes.folds
    counts = [sizes.counts[dataset].get(name, 0) for name in classes]
    sequences = sum(counts)
    if rule == "train_fersnet" and method.endswith("fes_da"):
        sequences = max(sequences, round(len(counts) * max(counts) * sizes.augmentation))
    samples = _samples(sequences * sizes.peak_frames, share)
    task = FERSNetTask(faces, network, discriminator, identity, losses, training, run)
    return PlannedTraining(task, [Stage("train", training.epochs, training.batch_size, samples)])


def _identity(
    dataset: str, share: float, params: Mapping[str, Any], sizes: RunSizes, run: TrainingRun
) -> PlannedTraining | None:
    settings = IdentitySettings.model_validate(params["settings"], strict=False)
    if settings.checkpoint is not None:
        return None
    people = max(2, round(share * sizes.subjects.get(dataset, 2)))
    # The peak frames lie at the end of the clip, and one of them in it.
    frames = sizes.clip_frames + sizes.peak_frames - 1
    samples = _samples(sizes.sequences(dataset) * frames, share)
    network = LightCNN9(settings.width, settings.image_size, people)
    return _classifier(network, settings, params["image_size"], samples, sizes, run)


def _standard_fer(
    dataset: str, share: float, params: Mapping[str, Any], sizes: RunSizes, run: TrainingRun
) -> PlannedTraining:
    settings = StandardFerSettings.model_validate(params["settings"], strict=False)
    expressions = tuple(params["expressions"])
    samples = _samples(sizes.sequences(dataset, expressions) * sizes.peak_frames, share)
    network = StandardFER(settings.width, sizes.channels, len(expressions))
    return _classifier(network, settings, params["image_size"], samples, sizes, run)


def _classifier(
    network: nn.Module, settings: ScheduleSettings, crop: int, samples: int, sizes: RunSizes, run: TrainingRun
) -> PlannedTraining:
    faces = invented_faces(crop, sizes.channels, settings.batch_size, ("one", "other"))
    task = ClassificationTask(network, faces, faces.labels, crop, settings, run)
    return PlannedTraining(task, [Stage("training", settings.epochs, settings.batch_size, samples)])


def _rival(
    dataset: str, method: str, share: float, params: Mapping[str, Any], sizes: RunSizes, run: TrainingRun
) -> PlannedTraining:
    section: Any = RivalsSettings.model_fields[method].annotation
    settings = section.model_validate(params["settings"], strict=False)
    size = params["image_size"]
    expressions = tuple(params["expressions"])
    invented = invented_faces(size, sizes.channels, len(expressions), expressions)
    faces = RivalFaces(invented.images, invented.labels, size, expressions)
    counts = {name: _samples(sizes.counts[dataset].get(name, 0) * sizes.peak_frames, share) for name in expressions}
    samples = sum(counts.values())
    module = import_module(f"fersnet.rivals.{method}")
    if method == "cyclegan":
        neutral = _samples(sizes.sequences(dataset, expressions), share) if settings.protocol == "neutral" else None
        largest = {name: max(count, neutral or samples - count) for name, count in counts.items()}
        return PlannedTraining(CycleGANTask(faces, None, settings, run), module.stages(settings, largest))
    more = (LightCNN9(sizes.identity.width, sizes.identity.image_size, 2),) if method == "exprgan" else ()
    task = RIVAL_TASKS[method](faces, settings, run, *more)
    return PlannedTraining(task, module.stages(settings, samples), getattr(settings, "critic_steps", 1))


def _baseline(
    dataset: str, method: str, share: float, params: Mapping[str, Any], sizes: RunSizes, run: TrainingRun
) -> PlannedTraining:
    section: Any = BaselinesSettings.model_fields[method].annotation
    settings = section.model_validate(params["settings"], strict=False)
    expressions = tuple(params["expressions"])
    samples = _samples(sizes.sequences(dataset, expressions), share)
    shape = (params["frames"], params["size"], params["size"])
    clips = ClipSet(
        np.zeros((2, *shape), dtype=np.uint8),
        np.zeros((2, params["frames"], 68, 2), dtype=np.float32),
        np.arange(2),
        ["A", "B"],
        ["1", "2"],
    )
    classes = len(expressions)
    if method == "cnn3d":
        stages = [Stage("cnn3d", settings.epochs, settings.batch_size, samples)]
        return PlannedTraining(ClipTask(clips, settings, {"cnn3d": Cnn3d(settings, shape, classes)}, run), stages)
    stages = import_module(f"fersnet.baselines.{method}").stages(settings, samples)
    networks: dict[str, nn.Module]
    if method == "dtagn":
        networks = {
            "appearance": AppearanceNetwork(settings, shape, classes),
            "geometry": GeometryNetwork(settings, shape[0], classes),
        }
        return PlannedTraining(DtagnTask(clips, settings, networks, run), stages)
    networks = {plane: PlaneNetwork(plane, settings, classes) for plane in PLANES}
    networks["joint"] = nn.Linear(3 * settings.hidden, classes)
    return PlannedTraining(LbvcnnTask(clips, settings, networks, run), stages)


def _samples(count: float, share: float) -> int:
    return max(1, round(count * share))
