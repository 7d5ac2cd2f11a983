"""CycleGAN: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated, Literal

from pydantic import Field

from fersnet.methods.contract import Reference, SynthesisSystem
from fersnet.methods.ranges import Numbers, OneOf
from fersnet.settings.base import Fraction, PositiveFloat, PositiveInt, Weight
from fersnet.settings.methods import Augmentation, AugmentationOfFaces, GeneratorNormalisation, SystemSettings
from fersnet.settings.training import AveragingSettings


class CycleGANSettings(SystemSettings, AveragingSettings, AugmentationOfFaces):
    """CycleGAN (Zhu et al., ICCV 2017): one model per expression."""

    protocol: Literal["rest", "neutral"] = "rest"
    """Source domain of the model of expression k: all `rest` training faces, or the `neutral` ones."""
    width: PositiveInt = 64
    """Channels of the first convolution of both networks."""
    residual_blocks: PositiveInt = 6
    """Residual blocks of a generator: 6 up to 128 pixels, 9 from 256."""
    normalisation: GeneratorNormalisation = "instance"
    """Of the generators: per `instance`, as published, or per `batch`, which keeps a face's own brightness."""
    epochs: PositiveInt = 200
    """Epochs of each expression's model."""
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


METHOD = SynthesisSystem(
    name="CycleGAN",
    reference=Reference(
        authors="Zhu J.-Y., Park T., Isola P. and Efros A. A.",
        title="Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
        venue="ICCV",
        year=2017,
        arxiv="1703.10593",
    ),
    settings=CycleGANSettings,
    reads=("peak faces", "neutral faces"),
    embedded={
        "averaging": 0.99,
        "width": 10,
        "residual_blocks": 2,
        "normalisation": "batch",
        "epochs": 2,
        "initial": "previous",
        "first_epochs": 4,
        "batch_size": 2,
        "learning_rate": 2.7e-3,
        "decay_from": 0.65,
        "cycle": 5.6,
        "identity": 0.8,
        "augmentation": "flip",
    },
    ranges={
        "learning_rate": Numbers(1e-4, 4e-3, log=True),
        "cycle": Numbers(2, 20, log=True),
        "identity": OneOf((0.0, 0.1, 0.5, 0.8)),
        "decay_from": Numbers(0.3, 0.9),
        "pool_size": OneOf((0, 10, 50)),
    },
    small={
        "averaging": 0.9,
        "width": 4,
        "residual_blocks": 1,
        "epochs": 1,
        "samples": 6,
        "batch_size": 2,
        "pool_size": 3,
    },
)
