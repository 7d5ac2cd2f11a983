"""DMT-CNN: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated, Literal

from pydantic import Field

from fersnet.methods.contract import Recogniser, Reference
from fersnet.methods.ranges import Numbers, OneOf
from fersnet.settings.base import PositiveFloat, PositiveInt, Weight
from fersnet.settings.methods import FaceNetworkSettings


class DmtCnnSettings(FaceNetworkSettings):
    """DMT-CNN (Ming, Xia, Luqman, Burie and Zhao, ICCV Workshops 2019)."""

    side_task: Literal["identity", "landmarks"] = "identity"
    """What is learnt beside the expression: who it is, as published, or where the 68 landmarks are."""
    weighting: Literal["dynamic", "released", "fixed"] = "dynamic"
    """Weights of the two tasks: learnt; learnt, and the shared layers move them, too; or one half each."""
    batch_size: Annotated[int, Field(ge=2)] = 90
    """Faces per step; batch normalisation needs two."""
    gradient_clip: PositiveFloat | None = 5.0
    """Largest norm of the gradient, that of the weights apart; null does not clip."""
    weight_decay: Weight = 5e-5
    """L2 penalty inside Adam."""
    weights_learning_rate: PositiveFloat = 0.1
    """Learning rate of the tasks' weights."""
    centre_weight: Weight = 0.1
    """Weight of the centre loss beside the cross-entropy of the subjects."""
    centre_rate: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Part of the way to its faces that a subject's centre goes in a step."""
    width: PositiveInt = 64
    """Channels of the first stage."""
    hidden: PositiveInt = 128
    """Units of the expression's fully connected layer."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the pooled features that are left out of a training step."""


METHOD = Recogniser(
    name="DMT-CNN",
    reference=Reference(
        authors="Ming Z., Xia J., Luqman M. M., Burie J.-C. and Zhao K.",
        title="Dynamic Multi-Task Learning for Face Recognition with Facial Expression",
        venue="ICCV Workshops",
        year=2019,
        arxiv="1911.03281",
    ),
    settings=DmtCnnSettings,
    embedded={
        "width": 8,
        "hidden": 32,
        "epochs": 16,
        "batch_size": 16,
        "learning_rate": 2e-3,
        "milestones": (11, 14),
        "decay": 0.3,
        "dropout": 0.2,
    },
    ranges={
        "learning_rate": Numbers(3e-4, 5e-3, log=True),
        "weight_decay": Numbers(1e-6, 1e-3, log=True),
        "dropout": Numbers(0, 0.6),
        "centre_weight": Numbers(0.003, 0.3, log=True),
        "weighting": OneOf(("dynamic", "released", "fixed")),
    },
    small={
        "width": 4,
        "hidden": 16,
        "epochs": 20,
        "batch_size": 6,
        "learning_rate": 2e-3,
        "weights_learning_rate": 1e-3,
        "milestones": (),
        "dropout": 0.0,
    },
)
