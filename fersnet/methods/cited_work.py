"""The work behind a method or dataset, and how it is printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fersnet.methods.contract import Reference


@dataclass(frozen=True)
class Work:
    """The publication behind a method or dataset."""

    key: str
    """In a BibTeX file."""
    name: str
    """Printed name of the method or dataset."""
    reference: Reference


def read_references(plain: Mapping[str, Mapping[str, Any]]) -> dict[str, Work]:
    """Works by key, from the plain data that `dataclasses.asdict` makes of them."""
    return {key: Work(work["key"], work["name"], Reference(**work["reference"])) for key, work in plain.items()}


def cite(reference: Reference) -> str:
    """A reference as a line of Markdown."""
    text = f"{reference.authors.rstrip('.')}. *{reference.title.rstrip('.')}*. {reference.venue}, {reference.year}."
    if reference.doi:
        text += f" [doi:{reference.doi}](https://doi.org/{reference.doi})"
    if reference.arxiv:
        text += f" [arXiv:{reference.arxiv}](https://arxiv.org/abs/{reference.arxiv})"
    return text


def plain_citation(reference: Reference) -> str:
    """A reference as a line of plain text."""
    text = f"{reference.authors.rstrip('.')}. {reference.title.rstrip('.')}. {reference.venue}, {reference.year}"
    text += f", doi:{reference.doi}" if reference.doi else ""
    return text + (f", arXiv:{reference.arxiv}" if reference.arxiv else "")
