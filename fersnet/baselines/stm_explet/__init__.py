"""STM-ExpLet: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated

from pydantic import Field

from fersnet.methods.contract import Recogniser, Reference
from fersnet.settings.base import PositiveFloat, PositiveInt
from fersnet.settings.methods import Candidates, ClipSettings, Costs

DESCRIPTOR_CELLS = 4
"""Cells along each side of the low-level descriptors, as in SIFT."""


class StmExpletSettings(ClipSettings):
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


METHOD = Recogniser(
    name="STM-ExpLet",
    reference=Reference(
        authors="Liu M., Shan S., Wang R. and Chen X.",
        title="Learning Expressionlets on Spatio-Temporal Manifold for Dynamic Facial Expression Recognition",
        venue="CVPR",
        year=2014,
    ),
    settings=StmExpletSettings,
    reads=("clips",),
    trains_networks=False,
    embedded={"modes": (32,)},
    small={"components": 8, "modes": (4, 3), "per_mode": 16, "sample": 500, "iterations": 5, "embedding": 3},
)
