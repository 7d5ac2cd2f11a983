"""The folder that a set is fetched into: where it may lie, and what tells a workflow that all is there."""

import json
from collections.abc import Callable
from pathlib import Path

from fersnet.datasets.fetching.sources import ByHand, OpenSet, chosen_parts, fetchable, open_sets
from fersnet.errors import UserError
from fersnet.project import PROJECT
from fersnet.settings.data import DatasetSettings

WORKPLACE = ".fetched"
"""Hidden folder beside the data: unfinished downloads, and what is known of those that are done."""


def check_folder(folder: Path) -> None:
    """Refuse what is no folder, and a folder within the project: nobody's face enters a repository.

    Raises:
        UserError: naming the way out.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; give one to fetch into")
    if folder.resolve().is_relative_to(PROJECT):
        raise UserError(
            f"{folder}: lies within the project ({PROJECT}), which no data enter; give a folder outside of it"
        )


def wanted(dataset: DatasetSettings) -> tuple[OpenSet, tuple[int, ...]]:
    """The open set that a dataset's `fetch` asks for, and which parts of it.

    Raises:
        UserError: if its reader's set is not one that can be fetched, or the choice has another form.
    """
    one = open_sets().get(dataset.reader)
    if one is None or isinstance(one.source, ByHand):
        way_out = f"`fersnet fetch {dataset.reader}` says how to get it" if one else "it needs a root of yours"
        raise UserError(f"the {dataset.reader} set is not fetched, only {' and '.join(fetchable())} are; {way_out}")
    return one, chosen_parts(one, dataset.fetch if isinstance(dataset.fetch, str) else None)


def receipt_of(dataset: DatasetSettings) -> Path:
    """The file that says that all is there which a dataset's `fetch` asks for."""
    parts = f"-{dataset.fetch.replace(' ', '')}" if isinstance(dataset.fetch, str) else ""
    return Path(dataset.root or "") / WORKPLACE / f"{dataset.reader}{parts}.json"


def write_receipt(dataset: DatasetSettings, stamp: str) -> None:
    """Write it, with the stamp of the tree as it was fetched."""
    receipt = receipt_of(dataset)
    receipt.parent.mkdir(parents=True, exist_ok=True)
    receipt.write_text(json.dumps({"stamp": stamp}) + "\n", encoding="utf-8")


def fetched_stamp(dataset: DatasetSettings, look: Callable[[], str]) -> str:
    """What tells that a fetched tree has changed.

    It is known before the tree is there, so that the fetching itself changes nothing that depends on it: a tree that is
    as it was fetched has a stamp of its own, whatever is in it.

    Args:
        look: finds the stamp of the tree as it is.
    """
    as_fetched = f"as fetched {receipt_of(dataset).stem}"
    try:
        stamp = json.loads(receipt_of(dataset).read_text(encoding="utf-8"))["stamp"]
    except (OSError, ValueError, KeyError, TypeError):
        return as_fetched
    now = look()
    return as_fetched if now == stamp else now
