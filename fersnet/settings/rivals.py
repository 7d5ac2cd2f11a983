"""Settings of the four synthesis rivals; the defaults are the published values."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fersnet.settings.base import Fraction, PositiveFloat, PositiveInt, Section, Weight

Rival = Literal["caae", "cyclegan", "exprgan", "stargan"]
Augmentation = Literal["none", "flip", "crop_and_flip"]


def halvings(image_size: int, method: str) -> tuple[int, int]:
    """Stride-2 stages L = floor(log2(size)) - 2 of CAAE and ExprGAN, and the side size / 2^L of their last map.

    Raises:
        ValueError: if that side is no whole number, or the image is smaller than 16 pixels; `method` is the key.
    """
    stages = image_size.bit_length() - 3
    if image_size < 16 or image_size % 2**stages:
        raise ValueError(
            f"model.image_size: {method} needs at least 16 pixels and a multiple of 2^(floor(log2(size)) - 2), such as "
            f"48, 64, 80, 96, 112 or 128, got {image_size}; choose another size or leave {method} out of rivals.methods"
        )
    return stages, image_size // 2**stages


class RivalSettings(Section):
    """Settings of a rival."""

    def check_size(self, image_size: int) -> None:
        """Raises ValueError, naming the key, for a side of the images that the networks cannot take."""


class StarGANSettings(RivalSettings):
    """StarGAN (Choi et al., CVPR 2018)."""

    width: PositiveInt = 64
    """Channels of the first convolution of both networks."""
    residual_blocks: PositiveInt = 6
    """Residual blocks of the generator."""
    epochs: PositiveInt = 200
    """Passes of the discriminator over the training faces."""
    batch_size: PositiveInt = 16
    """Faces per step."""
    learning_rate: PositiveFloat = 1e-4
    """Initial learning rate of Adam."""
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Adam's two decay rates."""
    decay_from: Fraction = 0.5
    """Share of the epochs before the rate falls linearly to zero; 1 keeps it, as the released code does in effect."""
    critic_steps: PositiveInt = 5
    """Discriminator steps per generator step."""
    adversarial: Weight = 1.0
    """Weight of the critic's verdict in the generator's loss; it counts for less the fewer pixels a face has."""
    classification: Weight = 1.0
    """Weight of the expression cross-entropy of both networks."""
    reconstruction: Weight = 10.0
    """Weight of the cycle L1 term."""
    gradient_penalty: Weight = 10.0
    """Weight of the WGAN gradient penalty."""
    discriminator_weights: Literal["framework", "scaled"] = "framework"
    """First weights of the discriminator: the `framework`'s, as published, or `scaled` for signals that do not fade."""
    targets: Literal["permuted", "uniform"] = "permuted"
    """`permuted`: the batch's labels shuffled, as published; `uniform`: drawn evenly, free of class imbalance."""
    augmentation: Augmentation = "flip"
    """Random changes of a training face, `none`, `flip` or `crop_and_flip`; without a random crop the centre is cut."""


class CycleGANSettings(RivalSettings):
    """CycleGAN (Zhu et al., ICCV 2017): one model per expression."""

    protocol: Literal["rest", "neutral"] = "rest"
    """Source domain of the model of expression k: all `rest` training faces, or the `neutral` ones."""
    width: PositiveInt = 64
    """Channels of the first convolution of both networks."""
    residual_blocks: PositiveInt = 6
    """Residual blocks of a generator: 6 up to 128 pixels, 9 from 256."""
    epochs: PositiveInt = 200
    """Epochs of each of the six models."""
    initial: Literal["fresh", "previous"] = "fresh"
    """Where the models after the first begin: `fresh` weights, as published, or the `previous` expression's model."""
    first_epochs: PositiveInt | None = None
    """Epochs of the first model, where `previous` lets the others begin with it; null takes `epochs`, as published."""
    samples: PositiveInt | None = None
    """Source faces per epoch; null takes the size of the larger domain, as published."""
    batch_size: PositiveInt = 1
    """Faces of each domain per step."""
    learning_rate: PositiveFloat = 2e-4
    """Initial learning rate of Adam."""
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Adam's two decay rates."""
    decay_from: Fraction = 0.5
    """Share of the epochs before the rate falls linearly to zero."""
    cycle: Weight = 10.0
    """Weight of the cycle L1 term of each direction."""
    identity: Weight = 0.5
    """Weight of the identity-mapping L1 term, as a factor of `cycle`."""
    pool_size: Annotated[int, Field(ge=0)] = 50
    """Generated images of the past that a discriminator sees half of the time; 0 turns the pool off."""
    augmentation: Augmentation = "crop_and_flip"
    """Random changes of a training face, `none`, `flip` or `crop_and_flip`; without a random crop the centre is cut."""

    def check_size(self, image_size: int) -> None:
        """Raises ValueError, naming the key, unless the side of the images is a multiple of 4, at least 24."""
        if image_size % 4 or image_size < 24:
            raise ValueError(
                f"model.image_size: CycleGAN needs a multiple of 4 that is at least 24, got {image_size}; "
                "choose another size or leave cyclegan out of rivals.methods"
            )


class CAAESettings(RivalSettings):
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


class ExprGANSettings(RivalSettings):
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
    augmentation: Augmentation = "flip"
    """Random changes of a training face, `none`, `flip` or `crop_and_flip`; without a random crop the centre is cut."""

    def check_size(self, image_size: int) -> None:
        """Raises ValueError, naming the key, unless `halvings` leaves a whole number of pixels."""
        halvings(image_size, "exprgan")


class RivalsSettings(Section):
    """Which rivals run, and how each is trained."""

    methods: tuple[Rival, ...] = ("caae", "cyclegan", "exprgan", "stargan")
    """Rivals to train; an empty list trains none."""
    caae: CAAESettings = CAAESettings()
    """Settings of CAAE."""
    cyclegan: CycleGANSettings = CycleGANSettings()
    """Settings of CycleGAN."""
    exprgan: ExprGANSettings = ExprGANSettings()
    """Settings of ExprGAN."""
    stargan: StarGANSettings = StarGANSettings()
    """Settings of StarGAN."""

    @model_validator(mode="after")
    def _without_repeats(self) -> "RivalsSettings":
        repeated = [method for position, method in enumerate(self.methods) if method in self.methods[:position]]
        if repeated:
            raise ValueError(f"methods: {repeated[0]!r} is listed twice")
        return self

    def check_size(self, image_size: int) -> None:
        """Raises ValueError, naming the key, for a side of the images that a chosen rival cannot take."""
        for method in self.methods:
            getattr(self, method).check_size(image_size)
