"""LBP-TOP: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated

from pydantic import Field

from fersnet.methods.contract import Recogniser, Reference
from fersnet.settings.base import PositiveInt
from fersnet.settings.methods import Candidates, ClipSettings, Costs


class LbpTopSettings(ClipSettings):
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


METHOD = Recogniser(
    name="LBP-TOP",
    reference=Reference(
        authors="Zhao G. and Pietikäinen M.",
        title="Dynamic Texture Recognition Using Local Binary Patterns with an Application to Facial Expressions",
        venue="IEEE Transactions on Pattern Analysis and Machine Intelligence 29(6)",
        year=2007,
    ),
    settings=LbpTopSettings,
    reads=("clips",),
    trains_networks=False,
    small={"radius": 2, "time_radii": (2, 1), "blocks": (3, 3), "costs": (10.0, 100.0)},
)
