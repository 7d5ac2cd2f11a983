"""A system's control of intensity: one test face, each expression from weak to strong."""

from collections.abc import Set
from typing import Protocol

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fersnet.expressions import ABBREVIATIONS
from fersnet.faces.store import FaceStore
from fersnet.report.description import RunDescription
from fersnet.report.grids import draw_strip
from fersnet.report.publication import credit, may_be_shown, why_nobody
from fersnet.report.style import message_figure
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings
from fersnet.synthesis.generation import to_bytes
from fersnet.training.batches import crop_and_flip, face_set

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Intensities from left to right; training covers 0 to 1."""


class IntensitySynthesizer(Protocol):
    """A system that takes an intensity beside the target."""

    image_size: int
    expressions: tuple[str, ...]

    def synthesize(self, images: Tensor, target: Tensor, intensity: float | None = None) -> Tensor:
        """(B, C, S, S) in [0, 1] and class indices (B,) to faces of the same shape and range."""
        ...


def intensity_faces(synthesizer: IntensitySynthesizer, image: Tensor) -> np.ndarray:
    """Faces uint8 (K, 1 + levels, S, S, C): the input, then each expression at each of `LEVELS`.

    image: (C, S, S) in [0, 1].
    """
    targets = torch.arange(len(synthesizer.expressions))
    sources = image.expand(len(targets), *image.shape)
    columns = [sources, *(synthesizer.synthesize(sources, targets, level).cpu() for level in LEVELS)]
    return to_bytes(torch.stack(columns, dim=1).clamp(0, 1)).permute(0, 1, 3, 4, 2).numpy()


def draw_intensity(
    dataset: str,
    method: str,
    synthesizer: IntensitySynthesizer,
    store: FaceStore,
    test_subjects: Set[str],
    description: RunDescription,
    settings: ReportSettings,
) -> Figure:
    """The figure `intensity_{dataset}_{method}`: a test subject, drawn by the run's seed, that may be shown."""
    allowed = may_be_shown(dataset, test_subjects, description, settings)
    footer = f"{description.words([dataset], 'n = 1 test face, drawn at random')} {credit(dataset, description)}"
    if not allowed:
        return message_figure(why_nobody(dataset, description), footer)
    tested = face_set(store, allowed, synthesizer.expressions, may_be_empty=True)
    if not len(tested):
        return message_figure("No test subject of this fold shows one of the expressions.", footer)
    rng = np.random.default_rng(derive_seed(description.seed, "intensity", dataset))
    faces = face_set(store, frozenset([str(rng.choice(tested.subject_names))]), synthesizer.expressions)
    image = crop_and_flip(faces.images, synthesizer.image_size, train=False)[int(rng.integers(len(faces)))]
    return draw_strip(
        intensity_faces(synthesizer, image),
        [ABBREVIATIONS[expression] for expression in synthesizer.expressions],
        ["Input", *(f"{level:g}" for level in LEVELS)],
        f"{description.name_of(method)}, intensity, {description.name_of(dataset)}",
        footer,
    )
