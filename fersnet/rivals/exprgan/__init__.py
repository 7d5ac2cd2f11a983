"""ExprGAN: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated

from pydantic import Field

from fersnet.methods.contract import Reference, SynthesisSystem
from fersnet.methods.ranges import Numbers, OneOf
from fersnet.settings.base import Fraction, PositiveFloat, PositiveInt, Weight
from fersnet.settings.methods import AugmentationOfFaces, SystemSettings, halvings
from fersnet.settings.training import AveragingSettings


class ExprGANSettings(SystemSettings, AveragingSettings, AugmentationOfFaces):
    """ExprGAN (Ding et al., AAAI 2018): three stages."""

    width: PositiveInt = 64
    """Channels of the encoder's first convolution."""
    code_size: PositiveInt = 50
    """Length of the identity code z."""
    controller_epochs: PositiveInt = 200
    """Epochs of stage 1, which learns to generate controlled expressions from noise."""
    reconstruction_epochs: PositiveInt = 50
    """Epochs of stage 2, which adds the encoder."""
    refinement_epochs: PositiveInt = 50
    """Epochs of stage 3, which trains everything."""
    controller_batch_size: Annotated[int, Field(ge=2)] = 60
    """Faces per step of stage 1."""
    batch_size: Annotated[int, Field(ge=2)] = 48
    """Faces per step of stages 2 and 3."""
    learning_rate: PositiveFloat = 2e-4
    """Learning rate of Adam."""
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Adam's two decay rates."""
    reconstruction: Weight = 1.0
    """Weight of the L1 term of stages 2 and 3."""
    perceptual_share: Weight = 0.2
    """Size of the identity-feature term relative to the L1 term, calibrated on pairs of training faces."""
    controller: Weight = 1.0
    """Weight of the expression-code regression, in the generator's and in the discriminator's loss."""
    refinement_adversarial_image: Weight = 0.01
    """Weight of the image discriminator's verdict in stage 3 (1 in stage 1, 0 in stage 2)."""
    refinement_adversarial_code: Weight = 0.01
    """Weight of the code discriminator's verdict in stage 3."""
    refinement_total_variation: Weight = 0.001
    """Weight of the total variation in stage 3."""
    intensity: PositiveFloat = 1.0
    """Intensity at which the evaluated faces are generated."""
    repeated_noise: bool = False
    """Whether every epoch repeats the same noise, codes and flips, as a reseeding in the released code makes them."""

    def check_size(self, image_size: int) -> None:
        """Raises ValueError, naming the key, unless `halvings` leaves a whole number of pixels."""
        halvings(image_size, "exprgan")


METHOD = SynthesisSystem(
    name="ExprGAN",
    reference=Reference(
        authors="Ding H., Sricharan K. and Chellappa R.",
        title="ExprGAN: Facial Expression Editing with Controllable Expression Intensity",
        venue="AAAI",
        year=2018,
        arxiv="1709.03842",
    ),
    settings=ExprGANSettings,
    controls_intensity=True,
    embedded={
        "averaging": 0.98,
        "width": 16,
        "controller_epochs": 1,
        "reconstruction_epochs": 13,
        "refinement_epochs": 13,
        "controller_batch_size": 4,
        "batch_size": 12,
        "learning_rate": 1.2e-3,
        "perceptual_share": 0.19,
        "controller": 0.01,
        "refinement_adversarial_image": 0.02,
        "brightness": (0.65, 1.2),
    },
    ranges={
        "learning_rate": Numbers(2e-4, 4e-3, log=True),
        "perceptual_share": Numbers(0.05, 1, log=True),
        "controller": Numbers(0.01, 1, log=True),
        "refinement_adversarial_image": Numbers(0.003, 0.1, log=True),
        "refinement_adversarial_code": Numbers(0.001, 0.1, log=True),
        "refinement_total_variation": OneOf((0.0, 1e-4, 1e-3)),
    },
    small={
        "averaging": 0.9,
        "width": 4,
        "code_size": 12,
        "controller_epochs": 1,
        "reconstruction_epochs": 1,
        "refinement_epochs": 1,
        "controller_batch_size": 4,
        "batch_size": 4,
        "repeated_noise": True,
    },
)
