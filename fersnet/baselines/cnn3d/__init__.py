"""3DCNN: what is known of it without its networks; the method itself is in `training.py`."""

from fersnet.methods.contract import Recogniser, Reference
from fersnet.methods.ranges import Numbers, OneOf
from fersnet.settings.base import PositiveInt
from fersnet.settings.methods import NetworkSettings


class Cnn3dSettings(NetworkSettings):
    """3DCNN (Liu, Li, Shan, Wang and Chen, ACCV 2014), without deformable parts."""

    epochs: PositiveInt = 50
    """Passes over the training clips."""
    milestones: tuple[PositiveInt, ...] = (30, 42)
    """Epochs after which the learning rate is multiplied by `decay`."""
    width: PositiveInt = 16
    """Filters of the first layer; the second and third have twice and four times as many."""
    hidden: PositiveInt = 256
    """Units of the fully connected layer."""


METHOD = Recogniser(
    name="3DCNN",
    reference=Reference(
        authors="Liu M., Li S., Shan S., Wang R. and Chen X.",
        title="Deeply Learning Deformable Facial Action Parts Model for Dynamic Expression Analysis",
        venue="ACCV",
        year=2014,
    ),
    settings=Cnn3dSettings,
    reads=("clips",),
    ranges={
        "learning_rate": Numbers(3e-4, 3e-3, log=True),
        "weight_decay": Numbers(1e-6, 1e-3, log=True),
        "dropout": Numbers(0, 0.6),
        "flip": OneOf((True, False)),
    },
    small={
        "averaging": 0.9,
        "epochs": 12,
        "batch_size": 6,
        "width": 4,
        "hidden": 16,
        "milestones": (),
        "dropout": 0.0,
        "flip": False,
    },
)
