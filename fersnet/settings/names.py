"""Keys that a variant or dataset may not have, since files of something else lie under them."""

from collections.abc import Iterable
from typing import get_args

from fersnet.settings.baselines import Baseline
from fersnet.settings.rivals import Rival

RESERVED: dict[str, str] = {
    "identity": "the identity network",
    "standard_fer": "the judge of synthetic faces",
    "identity_map": "a row of the synthesis table",
    "real_target": "a row of the synthesis table",
    "real": "the row of real faces in the synthesis figures",
    **dict.fromkeys(("derl", "dmt_cnn", "iacnn", "ipa2lt"), "a method that the paper quotes"),
    **dict.fromkeys(get_args(Baseline), "a recognition baseline"),
    **dict.fromkeys(get_args(Rival), "a synthesis rival"),
}
"""What keeps its files, or its row in a table, under a key. Methods that a run leaves out keep theirs: the next one may
take them in, and tables show what the paper quotes of them."""


def check_names(datasets: Iterable[str], variants: Iterable[str]) -> None:
    """Check that no variant has the key of something else, and that no two figures have one name.

    Raises:
        ValueError: naming the key and what it collides with.
    """
    methods = [*variants, *RESERVED]
    for key in methods[: -len(RESERVED)]:
        if key in RESERVED:
            raise ValueError(f"variants.{key}: {key!r} is the key of {RESERVED[key]}; choose another key")
    owners = {"synthesis_scatter": "all synthesis systems"}
    for dataset in datasets:
        for figure, method in _figures(dataset, methods):
            what = f"{method} on {dataset}" if method else dataset
            other = owners.setdefault(figure, what)
            if other != what:
                keys = [f"datasets.{dataset}", *([f"variants.{method}"] if method and method not in RESERVED else [])]
                raise ValueError(
                    f"{' and '.join(keys)}: the figure {figure} would be that of {what} and of {other}; "
                    "choose another key"
                )


def _figures(dataset: str, methods: Iterable[str]) -> list[tuple[str, str]]:
    """Names of figures in which a key is followed by another, with the method in them."""
    both = [
        (f"{kind}_{dataset}_{method}", method) for kind in ("confusion", "confusion_synthesis") for method in methods
    ]
    return [(f"synthesis_{dataset}", ""), *both]
