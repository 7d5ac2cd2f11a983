"""Licence and citation of an open set: shown before it is fetched, and kept beside it."""

import textwrap
from pathlib import Path

from fersnet.datasets.fetching.sources import OpenSet
from fersnet.methods.cited_work import plain_citation

ABOUT = "LICENCE_AND_CITATION.txt"


def about(one: OpenSet) -> str:
    """What everybody should know who fetches a set."""
    lines = {
        "Who": one.terms.people,
        "Known bias": one.terms.known_bias,
        "Licence": one.terms.licence,
        "Terms": one.terms.url,
        "Cite": plain_citation(one.reference),
        "Under every figure": one.terms.credit or "no face may be shown without the owner's permission",
    }
    told = [
        textwrap.fill(f"{name}: {text}", 100, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        for name, text in lines.items()
    ]
    return "\n".join([one.name, *told])


def write_about(one: OpenSet, folder: Path) -> None:
    """Write `LICENCE_AND_CITATION.txt` into the set's folder, where it does not say so yet."""
    path, text = folder / ABOUT, about(one) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
