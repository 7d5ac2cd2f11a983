"""Settings of the recognition baselines; the defaults are the published values.

A tuple of candidates is a grid: what its paper tunes is chosen on the fold's validation subjects, and the first
candidate counts where there are none.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fersnet.settings.base import Fraction, PositiveFloat, PositiveInt, Section, Weight
from fersnet.settings.training import ScheduleSettings

Baseline = Literal["lbp_top", "hog3d", "stm_explet", "cnn3d", "dtagn", "lbvcnn"]
Candidates = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
Costs = Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
DESCRIPTOR_CELLS = 4
"""Cells along each side of STM-ExpLet's low-level descriptors, as in SIFT."""


class HandcraftedSettings(Section):
    """Settings of a method that computes fixed features of a clip, on the CPU."""

    def check_clips(self, frames: int, size: int) -> None:
        """Raises ValueError, naming the key, where clips of `frames` x `size` x `size` are too short or too small."""
        raise NotImplementedError


class LbpTopSettings(HandcraftedSettings):
    """LBP-TOP (Zhao and Pietikäinen, PAMI 2007)."""

    radius: Annotated[int, Field(ge=1, le=8)] = 3
    """Radius of the neighbourhood along x and y, in pixels."""
    time_radii: Candidates = (3, 2, 1)
    """Radii along time to choose from, in frames; those that leave no frame as a centre are passed over."""
    blocks: tuple[PositiveInt, PositiveInt] = (9, 8)
    """Rows and columns of blocks."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.7
    """Share of a block that its neighbour covers too."""
    costs: Costs = (1.0, 10.0, 100.0)
    """Costs C of the support vector machine to choose from."""

    def check_clips(self, frames: int, size: int) -> None:
        """Raises ValueError, naming the key, where clips of `frames` x `size` x `size` leave no centre or no block."""
        if frames <= 2 * min(self.time_radii):
            raise ValueError(
                f"time_radii: the least is {min(self.time_radii)}, but clips of {frames} frames need a radius of at "
                f"most {(frames - 1) // 2}; add one or raise faces.clip_frames"
            )
        centres = size - 2 * self.radius
        if centres < 1:
            raise ValueError(f"radius: {self.radius} leaves no centre in clips of {size} x {size} pixels; lower it")
        if centres < 1 + (max(self.blocks) - 1) * (1 - self.overlap):
            raise ValueError(
                f"blocks: {max(self.blocks)} blocks do not fit into the {centres} pixels that have all neighbours; "
                "take fewer or raise baselines.size"
            )


class Hog3dSettings(HandcraftedSettings):
    """HOG 3D (Kläser, Marszałek and Schmid, BMVC 2008), on a dense grid over aligned faces."""

    support: Annotated[int, Field(ge=2)] = 16
    """Side of a descriptor's support in pixels."""
    support_frames: Candidates = (6, 4)
    """Lengths of a descriptor's support to choose from, in frames."""
    stride: PositiveInt = 8
    """Step between supports in pixels."""
    stride_frames: PositiveInt = 2
    """Step between supports in frames."""
    cells: tuple[PositiveInt, PositiveInt] = (2, 2)
    """Cells of a support along each side, and along time."""
    sub_blocks: PositiveInt = 4
    """Sub-blocks of a cell along each axis, as many as its pixels and frames allow."""
    quantisations: Annotated[tuple[Literal["icosahedron", "polar"], ...], Field(min_length=1)] = (
        "icosahedron",
        "polar",
    )
    """Orientation bins to choose from: the `icosahedron`'s ten axes (paper), `polar` 5 x 3 bins (released code)."""
    clip: PositiveFloat = 0.25
    """Ceiling of an entry of a normalised descriptor."""
    costs: Costs = (1.0, 0.1, 10.0)
    """Costs C of the linear support vector machine to choose from."""

    def check_clips(self, frames: int, size: int) -> None:
        """Raises ValueError, naming the key, where a support is larger than clips of `size` x `size`."""
        if size < self.support:
            raise ValueError(
                f"support: {self.support} does not fit into clips of {size} x {size} pixels; lower it or raise "
                "baselines.size"
            )


class StmExpletSettings(HandcraftedSettings):
    """STM-ExpLet (Liu, Shan, Wang and Chen, CVPR 2014)."""

    cell: PositiveInt = 4
    """Side of a gradient-histogram cell in pixels; a low-level descriptor spans 4 x 4 cells of one frame."""
    components: PositiveInt = 64
    """Principal components kept of a low-level descriptor, before (x, y, t) is appended."""
    modes: Candidates = (64, 32)
    """Numbers of modes of the universal manifold model to choose from."""
    per_mode: Annotated[int, Field(ge=2)] = 64
    """Low-level descriptors of a clip that each mode takes, by posterior."""
    sample: PositiveInt = 20_000
    """Descriptors of the training clips on which the principal components and the mixture are fitted."""
    iterations: PositiveInt = 20
    """Expectation-maximisation steps of the mixture."""
    ridge: PositiveFloat = 1e-2
    """Added to the diagonal of a covariance, as a share of the descriptors' mean variance."""
    embedding: Annotated[int, Field(ge=0)] = 16
    """Dimensions of the discriminant embedding of each mode; 0 leaves the embedding out."""
    neighbours: tuple[PositiveInt, PositiveInt] = (5, 20)
    """Nearest clips of the same class, and of other classes, that span the embedding's two graphs."""
    shrinkage: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Weight of the identity in the embedding's within-class scatter."""
    costs: Costs = (1.0, 0.1, 10.0)
    """Costs C of the linear support vector machine to choose from."""

    def check_clips(self, frames: int, size: int) -> None:
        """Raises ValueError, naming the key, where a descriptor is larger than clips of `size` x `size`."""
        if size < DESCRIPTOR_CELLS * self.cell:
            raise ValueError(
                f"cell: {DESCRIPTOR_CELLS} cells of {self.cell} pixels do not fit into clips of {size} x {size} "
                "pixels; lower it or raise baselines.size"
            )


class NetworkSettings(ScheduleSettings):
    """Optimisation of a sequence network: Adam on the shared loop, for a fixed number of epochs."""

    epochs: PositiveInt = 100
    """Passes over the training clips."""
    batch_size: PositiveInt = 32
    """Clips per step."""
    learning_rate: PositiveFloat = 1e-3
    """Initial learning rate of Adam."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    """Adam's two decay rates."""
    weight_decay: Weight = 1e-4
    """L2 penalty inside Adam."""
    milestones: tuple[PositiveInt, ...] = (60, 85)
    """Epochs after which the learning rate is multiplied by `decay`."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the fully connected units that are left out of a training step."""
    flip: bool = True
    """Whether training mirrors clips at random."""


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


class BaselinesSettings(Section):
    """Which recognition baselines run again under the project's folds, and how each is trained."""

    methods: tuple[Baseline, ...] = ("lbp_top", "hog3d", "stm_explet")
    """Baselines to run; an empty list runs none."""
    size: Annotated[int, Field(ge=32, multiple_of=4)] = 64
    """Side of a clip's frame in pixels."""
    lbp_top: LbpTopSettings = LbpTopSettings()
    """Settings of LBP-TOP."""
    hog3d: Hog3dSettings = Hog3dSettings()
    """Settings of HOG 3D."""
    stm_explet: StmExpletSettings = StmExpletSettings()
    """Settings of STM-ExpLet."""
    cnn3d: Cnn3dSettings = Cnn3dSettings()
    """Settings of 3DCNN."""
    dtagn: DtagnSettings = DtagnSettings()
    """Settings of DTAGN."""
    lbvcnn: LbvcnnSettings = LbvcnnSettings()
    """Settings of LBVCNN."""

    @model_validator(mode="after")
    def _without_repeats(self) -> "BaselinesSettings":
        repeated = [method for position, method in enumerate(self.methods) if method in self.methods[:position]]
        if repeated:
            raise ValueError(f"methods: {repeated[0]!r} is listed twice")
        return self

    def check_clips(self, frames: int) -> None:
        """Raises ValueError, naming the key, where clips of `frames` are too short or too small for a chosen method."""
        for method in self.methods:
            section = getattr(self, method)
            if isinstance(section, HandcraftedSettings):
                try:
                    section.check_clips(frames, self.size)
                except ValueError as error:
                    raise ValueError(f"{method}.{error}") from None
