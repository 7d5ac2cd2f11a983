"""The trainings of the soak: every method of the project at its smallest, on invented faces and clips."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import torch

from fersnet.baselines.clips import ClipSet
from fersnet.expressions import SIX
from fersnet.models.light_cnn import LightCNN9
from fersnet.settings.baselines import Cnn3dSettings, DtagnSettings, LbvcnnSettings, NetworkSettings
from fersnet.settings.rivals import CAAESettings, CycleGANSettings, ExprGANSettings, StarGANSettings
from fersnet.settings.training import (
    FersnetSettings,
    IdentitySettings,
    LossSettings,
    ModelSettings,
    StandardFerSettings,
)
from fersnet.training.batches import FaceSet, loose_faces
from fersnet.training.checkpoint import write_atomically
from fersnet.training.fersnet import fit, train_and_compare
from fersnet.training.identity import fit_identity
from fersnet.training.standard_fer import fit_standard_fer
from fersnet.training.task import TrainingRun

SIZE, FRAMES = 16, 6
RIVAL_SIZE = 24
SCHEDULE = {"epochs": 2, "batch_size": 4, "milestones": (1,)}
PREDICTIONS = "predictions.bin"
"""What stands for a job's file of predictions."""

Work = Callable[[TrainingRun], None]


def invented_faces(subjects: str, side: int, synthetic: int = 0) -> FaceSet:
    """Noise, one face per subject and expression; the last `synthetic` ones count as generated."""
    count = len(subjects) * len(SIX)
    images = torch.randint(256, (count, 1, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(7))
    return replace(
        loose_faces(images, torch.arange(count) % len(SIX), torch.arange(count) // len(SIX), SIX),
        subject_names=tuple(subjects),
        synthetic=torch.arange(count) >= count - synthetic,
    )


def invented_clips(subjects: str) -> ClipSet:
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


def train_variant(
    run: TrainingRun, sharing: str = "convflu", synthetic: int = 0, selection: str = "last", pretrained: bool = False
) -> None:
    """FERSNet; `pretrained` starts from a checkpoint that an untimed training has left beside the run's folder."""
    run.folder.mkdir(parents=True, exist_ok=True)
    fit(
        invented_faces("ABC", SIZE + 2, synthetic),
        sharing=sharing,
        model=ModelSettings(image_size=SIZE, width=4),
        losses=LossSettings(),
        training=FersnetSettings(**SCHEDULE, discriminator_steps=2, selection=selection),
        run=run,
        identity=identity(),
        pretrained=pretrained_checkpoint(run.folder.parent) if pretrained else None,
        validation=invented_faces("XY", SIZE + 2) if selection == "validation" else None,
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
        invented_faces("ABC", SIZE + 2),
        invented_faces("XY", SIZE + 2),
        invented_faces("UV", SIZE + 2),
        sharing="none",
        model=ModelSettings(image_size=SIZE, width=4),
        losses=LossSettings(),
        training=FersnetSettings(**SCHEDULE | {"epochs": 4}),
        run=run,
    )
    write_predictions(run, np.stack([choice.probabilities for choice in choices.values()]))


def train_rival(run: TrainingRun, method: str) -> None:
    """A rival of the synthesis comparison."""
    settings = {
        "caae": CAAESettings(width=4, code_size=12, warm_up_epochs=1, epochs=2, batch_size=4),
        "cyclegan": CycleGANSettings(width=4, residual_blocks=1, epochs=1, samples=6, batch_size=2, pool_size=3),
        "exprgan": ExprGANSettings(
            width=4,
            code_size=12,
            controller_epochs=1,
            reconstruction_epochs=1,
            refinement_epochs=1,
            controller_batch_size=4,
            batch_size=4,
            repeated_noise=True,
        ),
        "stargan": StarGANSettings(width=4, residual_blocks=1, epochs=2, batch_size=4, critic_steps=2),
    }[method]
    described = replace(run, metadata={"image_size": RIVAL_SIZE})
    import_module(f"fersnet.rivals.{method}").fit(invented_faces("ABC", RIVAL_SIZE), settings, described, identity())


def train_baseline(run: TrainingRun, method: str) -> None:
    """A network of the recognition tables, with its reading of test clips."""
    common = SCHEDULE | {"batch_size": 3}
    settings: NetworkSettings = {
        "cnn3d": Cnn3dSettings(**common, width=2, hidden=8),
        "dtagn": DtagnSettings(**common, joint_epochs=1, width=4, appearance_hidden=8, geometry_hidden=(8, 8)),
        "lbvcnn": LbvcnnSettings(**common | {"epochs": 1}, joint_epochs=1, width=2, fixed_filters=4, hidden=8),
    }[method]
    module = import_module(f"fersnet.baselines.{method}")
    model = module.fit(invented_clips("ABC"), invented_clips("DE"), settings, run.seed, run, 3)
    write_predictions(run, model.predict_proba(invented_clips("XY")))


def write_predictions(run: TrainingRun, probabilities: np.ndarray) -> None:
    """The job's last act."""
    write_atomically(run.folder / PREDICTIONS, probabilities.tobytes())


def train_identity(run: TrainingRun) -> None:
    """The identity network."""
    settings = IdentitySettings(**SCHEDULE, width=3, image_size=32)
    fit_identity(invented_faces("ABC", 34), settings, 32, run)


def train_standard_fer(run: TrainingRun) -> None:
    """The judge of synthetic faces."""
    fit_standard_fer(invented_faces("ABC", 34), StandardFerSettings(**SCHEDULE, width=4), 32, run)


TRAININGS: dict[str, Work] = {
    "fersnet_without_mtl": partial(train_variant, sharing="none"),
    "fersnet_without_convflu": partial(train_variant, sharing="hard"),
    "fersnet": train_variant,
    "fersnet_bu4dfe": partial(train_variant, pretrained=True),
    "fersnet_fes_da": partial(train_variant, synthetic=5),
    "fersnet selected by validation": partial(train_variant, selection="validation"),
    "selection study": compare_rules,
    **{method: partial(train_rival, method=method) for method in ("caae", "cyclegan", "exprgan", "stargan")},
    **{method: partial(train_baseline, method=method) for method in ("cnn3d", "dtagn", "lbvcnn")},
    "identity": train_identity,
    "standard_fer": train_standard_fer,
}
"""Every training method by name."""
