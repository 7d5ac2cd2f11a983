"""EAC: what is known of it without its networks; the method itself is in `training.py`."""

from fersnet.methods.contract import Recogniser, Reference
from fersnet.methods.ranges import Numbers
from fersnet.settings.base import Fraction, PositiveFloat, PositiveInt, Weight
from fersnet.settings.methods import FaceNetworkSettings


class EacSettings(FaceNetworkSettings):
    """EAC (Zhang, Wang, Ling and Deng, ECCV 2022)."""

    learning_rate: PositiveFloat = 2e-4
    """Initial learning rate of Adam, as its authors advise for ResNet-18."""
    milestones: tuple[PositiveInt, ...] = tuple(range(1, 60))
    """Epochs after which the learning rate is multiplied by `decay`: every one."""
    decay: PositiveFloat = 0.9
    """Factor of the learning rate at each milestone."""
    width: PositiveInt = 64
    """Channels of the first stage; 64 is ResNet-18."""
    consistency: Weight = 5.0
    """Weight of the attention's consistency under a mirror."""
    noise_variance: Weight = 30.0
    """Variance of the noise on half of the faces, in squared grey levels of 255."""
    erasing: Fraction = 0.5
    """Share of the views of which a rectangle is erased."""
    mirrors_erased: bool = False
    """Whether the second view is the mirror of the first, erased part and all, or of the face, erased anew."""


METHOD = Recogniser(
    name="EAC",
    reference=Reference(
        authors="Zhang Y., Wang C., Ling X. and Deng W.",
        title="Learn From All: Erasing Attention Consistency for Noisy Label Facial Expression Recognition",
        venue="ECCV",
        year=2022,
        arxiv="2207.10299",
    ),
    settings=EacSettings,
    embedded={
        "width": 8,
        "epochs": 16,
        "batch_size": 16,
        "learning_rate": 2e-3,
        "milestones": (11, 14),
        "decay": 0.3,
        "consistency": 1.0,
    },
    ranges={
        "learning_rate": Numbers(2e-4, 5e-3, log=True),
        "weight_decay": Numbers(1e-6, 1e-3, log=True),
        "consistency": Numbers(0.3, 10, log=True),
        "noise_variance": Numbers(1, 100, log=True),
        "erasing": Numbers(0, 0.8),
    },
    small={"width": 4, "epochs": 8, "batch_size": 8, "milestones": (), "learning_rate": 3e-3, "erasing": 0.0},
)
