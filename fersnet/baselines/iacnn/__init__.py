"""IACNN: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated

from pydantic import Field

from fersnet.methods.contract import Recogniser, Reference
from fersnet.methods.ranges import Numbers
from fersnet.settings.base import PositiveFloat, PositiveInt, Weight
from fersnet.settings.methods import FaceNetworkSettings


class IacnnSettings(FaceNetworkSettings):
    """IACNN (Meng, Liu, Cai, Han and Tong, FG 2017)."""

    width: PositiveInt = 32
    """Base width w: convolutions of 2w, 4w and 8w filters, 16w shared units, 4w units per branch."""
    margin: PositiveFloat = 10.0
    """Squared distance from which on a pair that should lie apart costs nothing."""
    expression_weight: Weight = 1.0
    """Weight of the contrastive loss of expressions."""
    identity_weight: Weight = 1.0
    """Weight of the contrastive loss of subjects."""
    joint_weight: Weight = 1.0
    """Weight of each stream's cross-entropy on both branches together."""
    branch_weight: Weight = 1.0
    """Weight of the cross-entropy on the expression branch alone."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the shared units that are left out of a training step."""


METHOD = Recogniser(
    name="IACNN",
    reference=Reference(
        authors="Meng Z., Liu P., Cai J., Han S. and Tong Y.",
        title="Identity-Aware Convolutional Neural Network for Facial Expression Recognition",
        venue="FG",
        year=2017,
        doi="10.1109/FG.2017.140",
    ),
    settings=IacnnSettings,
    embedded={"width": 8, "epochs": 16, "batch_size": 16, "milestones": (11, 14), "decay": 0.3, "dropout": 0.2},
    ranges={
        "learning_rate": Numbers(3e-4, 5e-3, log=True),
        "weight_decay": Numbers(1e-6, 1e-3, log=True),
        "dropout": Numbers(0, 0.6),
        "margin": Numbers(1, 30, log=True),
        "expression_weight": Numbers(0.1, 3, log=True),
        "identity_weight": Numbers(0.1, 3, log=True),
    },
    small={"width": 4, "epochs": 8, "batch_size": 8, "milestones": (), "dropout": 0.0, "learning_rate": 3e-3},
)
