"""The trainings of the soak: every method of the project at its smallest, on invented faces and clips."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from fersnet.baselines.clips import ClipSet
from fersnet.expressions import SIX
from fersnet.methods.contract import NEUTRAL_FACES, OTHER_SETS
from fersnet.methods.find import Found, find_known, load_code
from fersnet.models.light_cnn import LightCNN9
from fersnet.settings.base import Section
from fersnet.settings.training import (
    FersnetSettings,
    IdentitySettings,
    LossSettings,
    ModelSettings,
    StandardFerSettings,
    VariantRecipe,
)
from fersnet.training.batches import FaceSet
from fersnet.training.checkpoint import write_atomically
from fersnet.training.fersnet import fit, train_and_compare
from fersnet.training.identity import fit_identity
from fersnet.training.invented import invented_faces
from fersnet.training.standard_fer import fit_standard_fer
from fersnet.training.task import TrainingRun

SIZE, FRAMES = 16, 6
KNOWN = find_known({})
RIVAL_SIZE = 24
SCHEDULE = {"epochs": 2, "batch_size": 4, "milestones": (1,), "averaging": 0.9}
PREDICTIONS = "predictions.bin"
"""What stands for a job's file of predictions."""

Work = Callable[[TrainingRun], None]


def faces_of(subjects: str, side: int, synthetic: int = 0) -> FaceSet:
    """One face per subject and expression; the last `synthetic` ones count as generated."""
    faces = invented_faces(len(subjects) * len(SIX), side, people=len(subjects))
    return replace(faces, subject_names=tuple(subjects), synthetic=torch.arange(len(faces)) >= len(faces) - synthetic)


def clips_of(subjects: str) -> ClipSet:
    """Noise, one clip per subject and class, with landmarks."""
    rng = np.random.default_rng(3)
    count = 3 * len(subjects)
    return ClipSet(
        rng.integers(0, 256, (count, FRAMES, 32, 32), dtype=np.uint8),
        rng.uniform(0, 32, (count, FRAMES, 68, 2)).astype(np.float32),
        np.arange(count) % 3,
        [subjects[number // 3] for number in range(count)],
        [str(number) for number in range(count)],
    )


def identity() -> LightCNN9:
    """A small identity network, the same in every process."""
    torch.manual_seed(0)
    return LightCNN9(3, 32, 2)


def recipe(sharing: str, **training: object) -> VariantRecipe:
    """A small variant."""
    return VariantRecipe(
        sharing=sharing,
        model=ModelSettings(image_size=SIZE, width=4),
        losses=LossSettings(cycle_every=2),
        training=FersnetSettings(**SCHEDULE | training),
    )


def train_variant(
    run: TrainingRun, sharing: str = "convflu", synthetic: int = 0, selection: str = "last", pretrained: bool = False
) -> None:
    """FERSNet; `pretrained` starts from a checkpoint that an untimed training has left beside the run's folder."""
    run.folder.mkdir(parents=True, exist_ok=True)
    fit(
        faces_of("ABC", SIZE + 2, synthetic),
        recipe(sharing, discriminator_steps=2, selection=selection),
        run,
        identity(),
        pretrained=pretrained_checkpoint(run.folder.parent) if pretrained else None,
        validation=faces_of("XY", SIZE + 2) if selection == "validation" else None,
    )


def pretrained_checkpoint(folder: Path) -> Path:
    """The checkpoint that pre-trained runs start from; made where it is missing."""
    path = folder / "pretrained" / "checkpoint.pt"
    if not path.exists():
        train_variant(TrainingRun(path.parent, 5, torch.device("cpu"), "pretrained"))
    return path


def compare_rules(run: TrainingRun) -> None:
    """The selection study, whose choices live in the resume state."""
    _, choices = train_and_compare(
        faces_of("ABC", SIZE + 2),
        faces_of("XY", SIZE + 2),
        faces_of("UV", SIZE + 2),
        recipe("none", epochs=4),
        run,
    )
    write_predictions(run, np.stack([choice.probabilities for choice in choices.values()]))


def shortest(found: Found) -> Section:
    """A method's small settings with at most two epochs of everything."""
    small = found.declared.settings(**found.declared.small)
    return small.model_copy(
        update={key: min(value, 2) for key, value in small if key.endswith("epochs") and isinstance(value, int)}
    )


def train_system(run: TrainingRun, found: Found) -> None:
    """A system of the synthesis comparison."""
    faces = faces_of("ABC", RIVAL_SIZE)
    neutral = {"neutral": faces} if NEUTRAL_FACES in found.declared.reads else {}
    described = replace(run, metadata={"image_size": RIVAL_SIZE})
    load_code(found.module).fit(faces, shortest(found), described, identity(), **neutral)


def train_recogniser(run: TrainingRun, found: Found) -> None:
    """A network of the recognition tables, with its reading of test subjects."""
    invented = clips_of if "clips" in found.declared.reads else partial(faces_of, side=SIZE + 2)
    described = replace(run, metadata={"image_size": SIZE})
    more = {"neutral": invented("ABCDE")} if NEUTRAL_FACES in found.declared.reads else {}
    more |= {"others": {"other": invented("VW")}} if OTHER_SETS in found.declared.reads else {}
    model = load_code(found.module).fit(invented("ABC"), invented("DE"), shortest(found), described, len(SIX), **more)
    write_predictions(run, model.predict_proba(invented("XY")))


def write_predictions(run: TrainingRun, probabilities: np.ndarray) -> None:
    """The job's last act."""
    write_atomically(run.folder / PREDICTIONS, probabilities.tobytes())


def train_identity(run: TrainingRun) -> None:
    """The identity network."""
    settings = IdentitySettings(**SCHEDULE, width=3, image_size=32)
    fit_identity(faces_of("ABC", 34), settings, 32, run)


def train_standard_fer(run: TrainingRun) -> None:
    """The judge of synthetic faces."""
    fit_standard_fer(faces_of("ABC", 34), StandardFerSettings(**SCHEDULE, width=4), 32, run)


TRAININGS: dict[str, Work] = {
    "fersnet_without_mtl": partial(train_variant, sharing="none"),
    "fersnet_without_convflu": partial(train_variant, sharing="hard"),
    "fersnet": train_variant,
    "fersnet with NDDR layers": partial(train_variant, sharing="nddr"),
    "fersnet_bu4dfe": partial(train_variant, pretrained=True),
    "fersnet_fes_da": partial(train_variant, synthetic=5),
    "fersnet selected by validation": partial(train_variant, selection="validation"),
    "selection study": compare_rules,
    **{key: partial(train_system, found=found) for key, found in KNOWN.systems.items()},
    **{
        key: partial(train_recogniser, found=found)
        for key, found in KNOWN.recognisers.items()
        if found.declared.trains_networks
    },
    "identity": train_identity,
    "standard_fer": train_standard_fer,
}
"""Every training method by name."""
