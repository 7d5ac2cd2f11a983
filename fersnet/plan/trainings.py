"""The trainings of a plan: from a job's settings to its task and stages, as they would run.

The methods set up their own trainings, on invented data of the right shapes; only the numbers of samples are the run's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from fersnet.baselines.clips import ClipSet
from fersnet.methods.contract import Method, Recogniser
from fersnet.methods.find import load_code, load_module
from fersnet.models.light_cnn import LightCNN9
from fersnet.models.standard_fer import StandardFER
from fersnet.plan.sizes import RunSizes
from fersnet.settings.training import (
    FersnetSettings,
    IdentitySettings,
    LossSettings,
    ModelSettings,
    ScheduleSettings,
    StandardFerSettings,
)
from fersnet.training import fersnet
from fersnet.training.batches import FaceSet, loose_faces
from fersnet.training.classification import ClassificationTask
from fersnet.training.task import Stage, TrainingRun, TrainingTask

VARIANT_RULES = ("train_fersnet", "pretrain_fersnet", "compare_selection")


@dataclass(frozen=True)
class PlannedTraining:
    """What a job trains."""

    task: TrainingTask
    stages: list[Stage]
    """With the numbers of samples that the run will have."""


def planned_training(
    rule: str, dataset: str, fold: str, params: Mapping[str, Any], sizes: RunSizes, run: TrainingRun
) -> PlannedTraining | None:
    """The task and stages of a training job on invented data of the right shapes.

    Returns:
        None where the job trains no network (or takes a public checkpoint), or its dataset is of unknown size.
    """
    if not sizes.sequences(dataset):
        return None
    if rule in VARIANT_RULES:
        return _variant(rule, dataset, params, sizes, run)
    share = 1.0 if fold == "0" else _share(sizes.folds[dataset], 2 if params.get("hold_out") else 1)
    if rule == "train_identity":
        return _identity(dataset, share, params, sizes, run)
    if rule == "train_standard_fer":
        return _standard_fer(dataset, share, params, sizes, run)
    module = params.get("module")
    declared = getattr(load_module(module), "METHOD", None) if module and rule.startswith("train_") else None
    if not isinstance(declared, Method) or not declared.trains_networks:
        return None
    settings = declared.settings.model_validate(params["settings"], strict=False)
    if isinstance(declared, Recogniser):
        return _recogniser(load_code(module), declared, settings, dataset, share, params, sizes, run)
    return _system(load_code(module), declared, settings, dataset, share, params, sizes, run)


def invented_faces(size: int, channels: int, batch: int, classes: tuple[str, ...]) -> FaceSet:
    """Enough black faces for a batch, with every class and two subjects in them."""
    count = max(batch, 2 * len(classes))
    return loose_faces(
        torch.zeros(count, channels, size, size, dtype=torch.uint8),
        torch.arange(count) % len(classes),
        torch.arange(count) // len(classes) % 2,
        classes,
    )


def invented_clips(frames: int, size: int) -> ClipSet:
    """Two black clips of two subjects."""
    return ClipSet(
        np.zeros((2, frames, size, size), dtype=np.uint8),
        np.zeros((2, frames, 68, 2), dtype=np.float32),
        np.arange(2),
        ["A", "B"],
        ["1", "2"],
    )


def _variant(rule: str, dataset: str, params: Mapping[str, Any], sizes: RunSizes, run: TrainingRun) -> PlannedTraining:
    sections = params["settings"]
    model = ModelSettings.model_validate(sections["model"], strict=False)
    training = FersnetSettings.model_validate(sections["training"], strict=False)
    losses = LossSettings.model_validate(sections["losses"], strict=False)
    classes = tuple(params["expressions"])
    faces = invented_faces(model.image_size, sizes.channels, training.batch_size, classes)
    task = fersnet.task(faces, sections["sharing"], model, losses, training, run, _identity_network(sizes))
    held_out = 2 if rule == "compare_selection" or training.selection == "validation" else 1
    share = 1.0 if rule == "pretrain_fersnet" else _share(sizes.folds[dataset], held_out)
    counts = [sizes.counts[dataset].get(name, 0) for name in classes]
    sequences = sum(counts)
    if sections.get("augmented_by"):
        sequences = max(sequences, round(len(counts) * max(counts) * sizes.augmentation))
    return PlannedTraining(task, [fersnet.stage(training, _samples(sequences * sizes.peak_frames, share))])


def _identity_network(sizes: RunSizes) -> LightCNN9:
    return LightCNN9(sizes.identity.width, sizes.identity.image_size, 2)


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


def _system(
    code: Any,
    declared: Method,
    settings: Any,
    dataset: str,
    share: float,
    params: Mapping[str, Any],
    sizes: RunSizes,
    run: TrainingRun,
) -> PlannedTraining:
    size = params["image_size"]
    expressions = tuple(params["expressions"])
    faces = invented_faces(size, sizes.channels, len(expressions), expressions)
    counts = {name: _samples(sizes.counts[dataset].get(name, 0) * sizes.peak_frames, share) for name in expressions}
    neutral = {}
    if "neutral faces" in declared.reads:
        neutral = {"neutral": faces}
        counts["neutral"] = _samples(sizes.sequences(dataset, expressions), share)
    run = replace(run, metadata={"image_size": size})
    task = code.task(faces, settings, run, _identity_network(sizes), **neutral)
    return PlannedTraining(task, code.stages(settings, counts))


def _recogniser(
    code: Any,
    declared: Method,
    settings: Any,
    dataset: str,
    share: float,
    params: Mapping[str, Any],
    sizes: RunSizes,
    run: TrainingRun,
) -> PlannedTraining:
    expressions = tuple(params["expressions"])
    samples = sizes.sequences(dataset, expressions)
    data: ClipSet | FaceSet = invented_clips(params["frames"], params["size"])
    if "clips" not in declared.reads:
        data = invented_faces(params["crop"], sizes.channels, 2 * len(expressions), expressions)
        samples *= sizes.peak_frames
    task = code.task(data, settings, run, len(expressions))
    return PlannedTraining(task, code.stages(settings, _samples(samples, share)))


def _share(folds: int, left_out: int) -> float:
    """The part of the subjects that a fold trains on."""
    return (folds - left_out) / folds


def _samples(count: float, share: float) -> int:
    return max(1, round(count * share))
