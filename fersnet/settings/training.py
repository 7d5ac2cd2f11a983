"""Settings of FERSNet, of its losses, and of everything that is trained around it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from fersnet.settings.base import Fraction, Name, PositiveFloat, PositiveInt, Section, UserPath, Weight

Sharing = Literal["none", "hard", "none_two_branches", "convflu", "cross_stitch", "nddr"]
FREE_UNITS: tuple[Sharing, ...] = ("cross_stitch", "nddr")
"""Sharing by units that are trained with a learning rate of their own and without weight decay."""
Selection = Literal["last", "validation", "test_best"]
TrainedOn = Literal["fixed", "fold", "other_sets"]
SIDE_FOR_ONE_FACE = 18
"""From this side on the judge's last maps have several pixels, so that one face has a variance to normalise by."""


class ModelSettings(Section):
    """Network size, shared by FERSNet, its discriminator and the standard FER model."""

    image_size: Annotated[int, Field(ge=16, multiple_of=16)] = 96
    """Side of the square network input, cropped from the stored face."""
    width: PositiveInt = 64
    """Base width w: the stages have 2w, 4w and 8w channels."""
    convflu_kernel: Literal[1, 3] = 1
    """Kernel size of the ConvFLU convolutions: 1 in the later release, 3 in the first."""
    output: Literal["face", "change"] = "face"
    """What the synthesis branch draws: `face`, as published, or the `change` that is added to the input face."""
    guidance: Weight = 0.0
    """How much further than its decoder the trained network goes, away from the mean of what it draws for all
    expressions; none, as published. No training knows of it."""


class LossSettings(Section):
    """The objective: forms and weights of the five terms."""

    preset: Literal["slides", "released"] = "slides"
    """`slides`: log GAN and squared L2; `released`: least-squares GAN, L1 on luma, mean squared error."""
    classification: Weight = 1.0
    """Weight of L_cls."""
    reconstruction: Weight = 1.0
    """Weight of L_rec."""
    adversarial: Weight = 0.3
    """Weight of L_GAN."""
    cycle: Weight = 0.5
    """Weight of L_cyc."""
    cycle_every: PositiveInt = 1
    """Every so many steps one has L_cyc, with as many times its weight. Its second pass takes two fifths of a step."""
    identity: Weight = 0.05
    """Weight of L_idt."""
    identity_every: PositiveInt = 1
    """Every so many steps one has L_idt, with as many times its weight. It takes a sixth of a small network's step."""


class AveragingSettings(Section):
    """A training of networks whose weights may be averaged."""

    averaging: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay per step of a moving average of the weights, which then draws and recognises; null takes the last weights,
    as published."""


class ScheduleSettings(AveragingSettings):
    """Optimisation of one network or system."""

    epochs: PositiveInt = 500
    """Number of passes over the training faces."""
    batch_size: PositiveInt = 8
    """Faces per step."""
    learning_rate: PositiveFloat = 1e-4
    """Initial learning rate of Adam."""
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Adam's two decay rates."""
    weight_decay: Weight = 5e-4
    """L2 penalty inside Adam."""
    milestones: tuple[PositiveInt, ...] = (150, 400)
    """Epochs after which the learning rate is multiplied by `decay`."""
    decay: PositiveFloat = 0.1
    """Factor of the learning rate at each milestone."""
    gradient_clip: PositiveFloat | None = None
    """Largest norm of the gradient; null does not clip."""


class FersnetSettings(ScheduleSettings):
    """Training of FERSNet and its variants."""

    discriminator_steps: PositiveInt = 3
    """Discriminator steps per joint step, on the same batch."""
    targets: Literal["same_subject", "even"] = "same_subject"
    """Targets of a training face: another face of the `same_subject`, which every face has whose subject shows two
    expressions, as the authors' code draws them; or an expression drawn `even` among all others, with a target face
    where the subject has one, and without L_rec and L_idt where he has none."""
    unit_factor: PositiveFloat = 100.0
    """Factor of the learning rate for cross-stitch units and NDDR layers, which have no weight decay either. ConvFLUs
    are trained as everything else."""
    selection: Selection = "last"
    """Which epoch counts: `last`, `validation` (fold k+1 held out), or `test_best` (optimistic, labelled so)."""


def check_batch(model: ModelSettings, training: FersnetSettings, section: str) -> None:
    """Raises ValueError, naming the key, where a batch is one face whose last map is one pixel."""
    if training.batch_size == 1 and model.image_size <= 32:
        raise ValueError(f"{section}.batch_size: BatchNorm needs 2 faces at model.image_size 32 or less; raise either")


class VariantSettings(Section):
    """One row of the ablation: how a variant differs from plain FERSNet."""

    name: str
    """Printed name."""
    sharing: Sharing = "convflu"
    """`none`: single task; `hard`: one trunk for both tasks. Or two branches, which exchange features after each stage
    by `convflu`, `cross_stitch` units or `nddr` layers, or not at all (`none_two_branches`)."""
    pretrained_on: str | None = None
    """Dataset (of purpose `pretraining`) that the variant is pre-trained on."""
    augmented_by: str | None = None
    """Synthesis system whose faces enlarge and balance the training faces: a variant, or one of `rivals.methods`."""
    losses: dict[str, Any] = Field(default_factory=dict)
    """Keys of `losses` that differ for this variant."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Keys of `training` that differ for this variant."""
    model: dict[str, Any] = Field(default_factory=dict)
    """Keys of `model` that differ for this variant."""


class VariantRecipe(Section):
    """All that a variant's training depends on beside its data: its own keys laid over the common sections."""

    sharing: Sharing = "convflu"
    """How recognition and synthesis share features."""
    augmented_by: str | None = None
    """Synthesis system whose faces are among the training faces."""
    losses: LossSettings = LossSettings()
    """The objective."""
    training: FersnetSettings = FersnetSettings()
    """The optimisation."""
    model: ModelSettings = ModelSettings()
    """Network size."""


class IdentitySettings(ScheduleSettings):
    """The identity network (LightCNN-9) behind L_idt, perceptual terms and the identity figures."""

    checkpoint: UserPath | None = None
    """File of the public LightCNN-9 checkpoint; null trains on the fold's training subjects."""
    checkpoint_sha256: str | None = None
    """Expected checksum of that file."""
    epochs: PositiveInt = 60
    """Number of passes over the training faces."""
    batch_size: PositiveInt = 32
    """Faces per step."""
    learning_rate: PositiveFloat = 3e-4
    """Initial learning rate of Adam."""
    milestones: tuple[PositiveInt, ...] = (40, 55)
    """Epochs after which the learning rate is multiplied by `decay`."""
    width: PositiveInt = 48
    """Channels of the first max-feature-map layer: 48 in the published LightCNN-9."""
    image_size: Annotated[int, Field(ge=32, multiple_of=16)] = 128
    """Input side: 128 in the published network."""


class StandardFerSettings(ScheduleSettings):
    """The judge of synthetic faces: a plain ResNet-18-class network on real training faces."""

    trained_on: TrainedOn = "fold"
    """`fold`: the fold's training faces; `other_sets`: those and the run's other recognition sets of the same kind,
    rendered or not; `fixed`: nothing here, since rendered faces are judged by the network that ships with the project
    (a copy of one's own by the fold's)."""
    epochs: PositiveInt = 60
    """Number of passes over the training faces."""
    batch_size: PositiveInt = 32
    """Faces per step."""
    learning_rate: PositiveFloat = 3e-4
    """Initial learning rate of Adam."""
    milestones: tuple[PositiveInt, ...] = (40, 55)
    """Epochs after which the learning rate is multiplied by `decay`."""
    width: PositiveInt = 64
    """Channels of the first stage."""

    def check_batch(self, image_size: int) -> None:
        """Raises ValueError, naming the key, where a batch is one face whose last map is one pixel."""
        if self.batch_size == 1 and image_size < SIDE_FOR_ONE_FACE:
            raise ValueError(
                f"standard_fer.batch_size: BatchNorm needs 2 faces at model.image_size {image_size}; raise either"
            )


class RepeatsSettings(Section):
    """How often each method is trained per fold, each time from a seed of its own; the tables pool the repeats."""

    variants: PositiveInt = 1
    """Trainings of every FERSNet variant."""
    rivals: PositiveInt = 1
    """Trainings of every rival in the synthesis comparison."""
    baselines: PositiveInt = 1
    """Trainings of every recognition baseline."""


Factor = Annotated[float, Field(ge=1)]


class AugmentationSettings(Section):
    """FES-based augmentation."""

    factor: Factor = 1.0
    """1 balances the classes; 2 doubles the balanced counts, and so on."""
    minimum_confidence: Fraction = 0.0
    """Synthetic faces that are read as their target with less are dropped. Their reader is the recognition branch of
    the variant that draws them, or in the comparison of `utility` the recogniser of real faces alone."""


class SelectionStudySettings(Section):
    """The comparison of epoch-selection rules on one and the same run."""

    method: Name | None = "fersnet"
    """Variant that the study trains with the validation subjects held out; null leaves the study out."""
