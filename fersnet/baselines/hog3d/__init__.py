"""HOG 3D: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated, Literal

from pydantic import Field

from fersnet.methods.contract import Recogniser, Reference
from fersnet.settings.base import PositiveFloat, PositiveInt
from fersnet.settings.methods import Candidates, ClipSettings, Costs


class Hog3dSettings(ClipSettings):
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


METHOD = Recogniser(
    name="HOG 3D",
    reference=Reference(
        authors="Kläser A., Marszałek M. and Schmid C.",
        title="A Spatio-Temporal Descriptor Based on 3D-Gradients",
        venue="BMVC",
        year=2008,
    ),
    settings=Hog3dSettings,
    reads=("clips",),
    trains_networks=False,
    small={"quantisations": ("polar",), "costs": (1.0, 10.0)},
)
