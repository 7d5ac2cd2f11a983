"""DeRL: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated

from pydantic import Field

from fersnet.methods.contract import NEUTRAL_FACES, Recogniser, Reference
from fersnet.methods.ranges import Numbers
from fersnet.settings.base import Fraction, PositiveFloat, PositiveInt, Weight
from fersnet.settings.methods import FaceNetworkSettings


class DerlSettings(FaceNetworkSettings):
    """DeRL (Yang, Ciftci and Yin, CVPR 2018)."""

    batch_size: Annotated[int, Field(ge=2)] = 50
    """Faces per step of the classifiers; batch normalisation needs two."""
    weight_decay: Weight = 5e-4
    """L2 penalty inside the classifiers' Adam."""
    width: PositiveInt = 64
    """Channels of the generator's first map."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the classifiers' units that are left out of a training step."""
    local_weight: Weight = 1.0
    """Weight of the cross-entropy of each of the four local networks."""
    generator_epochs: PositiveInt = 300
    """Passes of the generator over the faces that have a neutral one of their subject, and over the neutral ones."""
    generator_batch_size: Annotated[int, Field(ge=2)] = 150
    """Pairs per step of the generator."""
    generator_learning_rate: PositiveFloat = 2e-4
    """Learning rate of Adam for generator and discriminator."""
    generator_betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Adam's two decay rates for both."""
    reconstruction: Weight = 10.0
    """Weight of the mean absolute difference from the neutral face."""


METHOD = Recogniser(
    name="DeRL",
    reference=Reference(
        authors="Yang H., Ciftci U. and Yin L.",
        title="Facial Expression Recognition by De-expression Residue Learning",
        venue="CVPR",
        year=2018,
        doi="10.1109/CVPR.2018.00231",
    ),
    settings=DerlSettings,
    reads=("peak faces", NEUTRAL_FACES),
    embedded={
        "width": 16,
        "epochs": 30,
        "batch_size": 16,
        "milestones": (22, 27),
        "decay": 0.3,
        "weight_decay": 1e-3,
        "dropout": 0.2,
        "generator_epochs": 24,
        "generator_batch_size": 16,
        "generator_learning_rate": 1e-3,
        "reconstruction": 100.0,
    },
    ranges={
        "learning_rate": Numbers(1e-4, 5e-3, log=True),
        "weight_decay": Numbers(1e-5, 5e-3, log=True),
        "dropout": Numbers(0, 0.6),
        "local_weight": Numbers(0.1, 3, log=True),
        "generator_learning_rate": Numbers(1e-4, 5e-3, log=True),
        "reconstruction": Numbers(3, 300, log=True),
    },
    small={
        "width": 4,
        "epochs": 12,
        "batch_size": 8,
        "learning_rate": 3e-3,
        "milestones": (),
        "dropout": 0.0,
        "generator_epochs": 4,
        "generator_batch_size": 8,
        "generator_learning_rate": 2e-3,
    },
)
