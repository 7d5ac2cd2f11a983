"""CAAE: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated

from pydantic import Field

from fersnet.methods.contract import Reference, SynthesisSystem
from fersnet.methods.ranges import Numbers, OneOf
from fersnet.settings.base import Fraction, PositiveFloat, PositiveInt, Weight
from fersnet.settings.methods import Augmentation, AugmentationOfFaces, SystemSettings, halvings
from fersnet.settings.training import AveragingSettings


class CAAESettings(SystemSettings, AveragingSettings, AugmentationOfFaces):
    """CAAE (Zhang et al., CVPR 2017), with expressions in place of ages."""

    width: PositiveInt = 64
    """Channels of the encoder's first convolution."""
    code_size: PositiveInt = 50
    """Length of the face code z."""
    warm_up_epochs: Annotated[int, Field(ge=0)] = 10
    """Epochs before the others in which the L1 term alone trains encoder and generator."""
    epochs: PositiveInt = 50
    """Epochs with all terms."""
    batch_size: Annotated[int, Field(ge=2)] = 100
    """Faces per step."""
    learning_rate: PositiveFloat = 2e-4
    """Learning rate of Adam."""
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Adam's two decay rates."""
    adversarial_image: Weight = 1e-4
    """Weight of the image discriminator's verdict in the loss of encoder and generator."""
    adversarial_code: Weight = 0.0
    """Weight of the code discriminator's verdict; published is 0 (it never reaches the encoder), 1e-4 repairs it."""
    total_variation: Weight = 0.0
    """Weight of the total variation of the generated image."""
    augmentation: Augmentation = "none"
    """Random changes of a training face, `none`, `flip` or `crop_and_flip`; without a random crop the centre is cut."""

    def check_size(self, image_size: int) -> None:
        """Raises ValueError, naming the key, unless `halvings` leaves a whole number of pixels."""
        halvings(image_size, "caae")


METHOD = SynthesisSystem(
    name="CAAE",
    reference=Reference(
        authors="Zhang Z., Song Y. and Qi H.",
        title="Age Progression/Regression by Conditional Adversarial Autoencoder",
        venue="CVPR",
        year=2017,
        arxiv="1702.08423",
    ),
    settings=CAAESettings,
    embedded={
        "averaging": 0.99,
        "width": 16,
        "warm_up_epochs": 2,
        "epochs": 14,
        "batch_size": 8,
        "learning_rate": 7e-4,
        "adversarial_image": 0.015,
        "augmentation": "flip",
        "brightness": (0.65, 1.2),
    },
    ranges={
        "learning_rate": Numbers(2e-4, 4e-3, log=True),
        "adversarial_image": Numbers(1e-4, 0.1, log=True),
        "adversarial_code": OneOf((0.0, 1e-4, 1e-3)),
        "total_variation": OneOf((0.0, 1e-4, 1e-3)),
    },
    small={"averaging": 0.9, "width": 4, "code_size": 12, "warm_up_epochs": 1, "epochs": 2, "batch_size": 4},
)
