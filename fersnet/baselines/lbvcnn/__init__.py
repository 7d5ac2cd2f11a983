"""LBVCNN: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated

from pydantic import Field

from fersnet.methods.contract import Recogniser, Reference
from fersnet.methods.ranges import Numbers
from fersnet.settings.base import PositiveInt
from fersnet.settings.methods import NetworkSettings


class LbvcnnSettings(NetworkSettings):
    """LBVCNN (Kumawat, Verma and Raman, 2019)."""

    epochs: PositiveInt = 60
    """Passes of each of the three plane networks over the training clips."""
    milestones: tuple[PositiveInt, ...] = (35, 50)
    """Epochs after which the learning rate is multiplied by `decay`."""
    joint_epochs: PositiveInt = 20
    """Passes of the classifier that joins the three planes."""
    width: PositiveInt = 32
    """Channels of the first local-binary-volume layer; each later one has twice as many as the one before."""
    layers: Annotated[int, Field(ge=1, le=4)] = 3
    """Local-binary-volume layers of a plane network."""
    fixed_filters: PositiveInt = 64
    """Fixed sparse filters of a layer."""
    density: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Chance of each of a fixed filter's 27 weights to be non-zero, -1 or +1."""
    hidden: PositiveInt = 128
    """Units of the fully connected layer."""


METHOD = Recogniser(
    name="LBVCNN",
    reference=Reference(
        authors="Kumawat S., Verma M. and Raman S.",
        title="LBVCNN: Local Binary Volume Convolutional Neural Network for Facial Expression Recognition from "
        "Image Sequences",
        venue="CVPR Workshops",
        year=2019,
        arxiv="1904.07647",
    ),
    settings=LbvcnnSettings,
    reads=("clips",),
    ranges={
        "learning_rate": Numbers(3e-4, 1e-2, log=True),
        "weight_decay": Numbers(1e-6, 1e-3, log=True),
        "dropout": Numbers(0, 0.6),
        "density": Numbers(0.2, 0.9),
    },
    small={
        "averaging": 0.9,
        "epochs": 20,
        "joint_epochs": 15,
        "batch_size": 6,
        "width": 6,
        "layers": 2,
        "fixed_filters": 12,
        "hidden": 16,
        "milestones": (),
        "dropout": 0.0,
        "flip": False,
        "learning_rate": 3e-3,
    },
)
