"""Keys that a variant, dataset or method of one's own may not have, since files of something else lie under them."""

from collections.abc import Iterable

from fersnet.settings.quoted import quoted_rows
from fersnet.settings.tree import Settings
from fersnet.settings.utility import PREFIX

RESERVED: dict[str, str] = {
    "identity": "the identity network",
    "standard_fer": "the judge of synthetic faces",
    "identity_map": "a row of the synthesis table",
    "real_target": "a row of the synthesis table",
    "real": "the row of real faces in the synthesis figures",
}
"""What keeps its files, or its row in a table, under a key, apart from the methods."""


def taken_keys(settings: Settings) -> dict[str, str]:
    """What lies under which key, the variants apart.

    Methods that a run leaves out keep theirs: the next one may take them in, and tables show what the paper quotes.
    """
    known = settings.known
    quoted = {key for _, _, key in quoted_rows() if not key.startswith("fersnet")}
    return (
        RESERVED
        | dict.fromkeys(quoted, "a method that the paper quotes")
        | dict.fromkeys(known.recognisers, "a recognition baseline")
        | dict.fromkeys(known.systems, "a synthesis rival")
    )


def check_names(settings: Settings) -> None:
    """Check that nothing has the key of something else, and that no two figures have one name.

    Raises:
        ValueError: naming the key and what it collides with.
    """
    taken = taken_keys(settings)
    for key in settings.modules:
        if key in RESERVED or key in settings.variants:
            raise ValueError(
                f"modules.{key}: {key!r} is the key of {RESERVED.get(key, 'a variant')}; choose another key"
            )
    for section in ("modules", "variants"):
        for key in getattr(settings, section):
            if key.startswith(PREFIX):
                raise ValueError(
                    f"{section}.{key}: keys that begin with {PREFIX} are those of recognisers that are trained with a "
                    "system's faces; choose another key"
                )
    for key in settings.variants:
        if key in taken:
            raise ValueError(f"variants.{key}: {key!r} is the key of {taken[key]}; choose another key")
    owners = {"synthesis_scatter": "all synthesis systems"}
    for dataset in settings.datasets:
        for figure, method in _figures(dataset, [*settings.variants, *taken]):
            what = f"{method} on {dataset}" if method else dataset
            other = owners.setdefault(figure, what)
            if other != what:
                keys = [f"datasets.{dataset}", *([f"variants.{method}"] if method and method not in taken else [])]
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
