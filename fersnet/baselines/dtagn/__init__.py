"""DTAGN: what is known of it without its networks; the method itself is in `training.py`."""

from fersnet.methods.contract import Recogniser, Reference
from fersnet.methods.ranges import Numbers
from fersnet.settings.base import PositiveInt, Weight
from fersnet.settings.methods import NetworkSettings


class DtagnSettings(NetworkSettings):
    """DTAGN (Jung, Lee, Yim, Park and Kim, ICCV 2015)."""

    batch_size: PositiveInt = 64
    """Clips per step."""
    width: PositiveInt = 64
    """Filters of the two convolutions of the appearance network."""
    appearance_hidden: PositiveInt = 500
    """Units of the two fully connected layers of the appearance network."""
    geometry_hidden: tuple[PositiveInt, PositiveInt] = (100, 600)
    """Units of the two fully connected layers of the geometry network."""
    joint_epochs: PositiveInt = 50
    """Passes of the joint fine-tuning of both networks' top layers."""
    joint_weight: Weight = 0.1
    """Weight of the joint loss beside 1 for the loss of each network."""
    rotations: tuple[float, ...] = (-15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0)
    """Angles in degrees, one of which turns each training clip."""
    landmark_noise: Weight = 0.01
    """Standard deviation of the noise on training landmarks, in units of the landmarks' own spread."""


METHOD = Recogniser(
    name="DTAGN",
    reference=Reference(
        authors="Jung H., Lee S., Yim J., Park S. and Kim J.",
        title="Joint Fine-Tuning in Deep Neural Networks for Facial Expression Recognition",
        venue="ICCV",
        year=2015,
        arxiv="1503.01532",
    ),
    settings=DtagnSettings,
    reads=("clips",),
    ranges={
        "learning_rate": Numbers(3e-4, 3e-3, log=True),
        "weight_decay": Numbers(1e-6, 1e-3, log=True),
        "dropout": Numbers(0, 0.6),
        "joint_weight": Numbers(0.01, 1, log=True),
        "landmark_noise": Numbers(0.003, 0.1, log=True),
    },
    small={
        "averaging": 0.9,
        "epochs": 15,
        "joint_epochs": 3,
        "batch_size": 6,
        "width": 8,
        "appearance_hidden": 24,
        "geometry_hidden": (16, 24),
        "milestones": (),
        "dropout": 0.0,
        "flip": False,
        "rotations": (-5.0, 0.0, 5.0),
    },
)
