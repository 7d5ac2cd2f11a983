"""What synthetic faces are worth: one recogniser, trained with none and with those of each synthesis system."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from fersnet.settings.base import Name
from fersnet.settings.quoted import RECOGNITION
from fersnet.settings.training import AugmentationSettings, Factor

PREFIX = "utility_"
"""How the keys begin under which the recognisers lie that are trained with a system's faces."""


class UtilitySettings(AugmentationSettings):
    """What synthetic faces are worth: one recogniser trained with none, and with those of each system of the run.

    All take as many steps. Rivals draw in the folds of `synthesis.folds`, so the recognisers are compared in these.
    """

    method: Name | None = "fersnet_without_mtl"
    """Variant that is trained, neither pre-trained nor augmented itself; null leaves the comparison out, and so does a
    run without the default variant."""
    datasets: tuple[Name, ...] | None = None
    """Recognition datasets; null takes those of `synthesis.datasets`."""
    factor: Factor = 2.0
    """As in `augmentation`: 2 makes half of the training faces synthetic where the classes are of one size."""


def utility_rows(systems: Iterable[str]) -> dict[str, str]:
    """By key of a recogniser the system whose synthetic faces it is trained with, too."""
    return {f"{PREFIX}{system}": system for system in systems}


def among_recognisers(
    rows: Mapping[str, str],
    variants: Collection[str],
    dataset: str,
    tested: Sequence[int],
    folds: int,
    quoted: Collection[tuple[str, str, str]],
) -> tuple[str, ...]:
    """Those that have a row in the dataset's recognition table: where the paper quotes the system as a recogniser, and
    all sequences are tested.

    Args:
        rows: As `utility_rows` gives them.
        variants: Keys of FERSNet and its variants, which have rows of their own there.
        tested: The folds in which they are trained.
        folds: How many there are.
        quoted: As `quoted_rows` gives it.
    """
    if len(tested) < folds:
        return ()
    drawing = {key: system for key, system in rows.items() if system not in variants}
    return tuple(key for key, system in drawing.items() if (RECOGNITION, dataset, system) in quoted)
