"""StarGAN: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Literal

from fersnet.methods.contract import Reference, SynthesisSystem
from fersnet.methods.ranges import Numbers
from fersnet.settings.base import Fraction, PositiveFloat, PositiveInt, Weight
from fersnet.settings.methods import AugmentationOfFaces, GeneratorNormalisation
from fersnet.settings.training import AveragingSettings


class StarGANSettings(AveragingSettings, AugmentationOfFaces):
    """StarGAN (Choi et al., CVPR 2018)."""

    width: PositiveInt = 64
    """Channels of the first convolution of both networks."""
    residual_blocks: PositiveInt = 6
    """Residual blocks of the generator."""
    normalisation: GeneratorNormalisation = "instance"
    """Of the generator: per `instance`, as published, or per `batch`, which keeps a face's own brightness."""
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


METHOD = SynthesisSystem(
    name="StarGAN",
    reference=Reference(
        authors="Choi Y., Choi M., Kim M., Ha J.-W., Kim S. and Choo J.",
        title="StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation",
        venue="CVPR",
        year=2018,
        arxiv="1711.09020",
    ),
    settings=StarGANSettings,
    embedded={
        "averaging": 0.995,
        "width": 10,
        "residual_blocks": 2,
        "normalisation": "batch",
        "brightness": (0.65, 1.2),
        "epochs": 24,
        "batch_size": 4,
        "learning_rate": 1.9e-3,
        "betas": (0.0, 0.9),
        "decay_from": 0.77,
        "critic_steps": 1,
        "discriminator_weights": "scaled",
        "adversarial": 6.4,
        "classification": 0.37,
        "reconstruction": 10.0,
        "gradient_penalty": 7.6,
    },
    ranges={
        "learning_rate": Numbers(1e-4, 3e-3, log=True),
        "adversarial": Numbers(1, 50, log=True),
        "classification": Numbers(0.3, 3, log=True),
        "reconstruction": Numbers(3, 30, log=True),
        "gradient_penalty": Numbers(1, 20, log=True),
    },
    small={"averaging": 0.9, "width": 4, "residual_blocks": 1, "epochs": 2, "batch_size": 4, "critic_steps": 2},
)
