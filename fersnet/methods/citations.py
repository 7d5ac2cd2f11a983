"""The page of all references, written from the declarations by `fersnet citations`."""

from collections.abc import Iterable, Mapping

from fersnet.methods.bibtex import bibtex_keys
from fersnet.methods.cited_work import Work, cite
from fersnet.methods.contract import Reference
from fersnet.methods.find import Found, find_known
from fersnet.methods.works import PAPER, PARTS, TOOLS

HEADER = """\
# What this project rests on

For everyone who publishes a figure of this project: cite what is behind it. Written by `fersnet citations` from
what each method and dataset reader declares, and from `fersnet/methods/works.py`; a test fails when it drifts. How to
cite the software with its version: [CITATION.cff](CITATION.cff).
"""


def citations_page() -> str:
    """`CITATIONS.md`: the paper, and every method, dataset and tool with its reference."""
    known = find_known({})
    sections = {
        "FERSNet": {"FERSNet": PAPER} | PARTS,
        "Synthesis systems": _declared(known.systems),
        "Recognition methods": _declared(known.recognisers),
        "Datasets": _declared(known.readers),
        "Tools": {tool.name: tool.reference for tool in TOOLS},
    }
    lines = [HEADER]
    for heading, references in sections.items():
        lines += [f"## {heading}", "", *(f"- **{name}**: {cite(one)}" for name, one in references.items()), ""]
    return "\n".join(lines)


def references(modules: Mapping[str, str], keys: Iterable[str]) -> dict[str, Work]:
    """The work behind each key: of all methods and datasets that are known here or quoted, and of a run's variants.

    Args:
        modules: The config's `modules`.
        keys: Methods that may be shown; what no file declares is a variant of FERSNet.
    """
    known = find_known(modules)
    found = {**known.readers, **known.systems, **known.recognisers}
    works = {"fersnet": ("FERSNet and its variants", PAPER)}
    works |= {key: (one.declared.name, one.declared.reference) for key, one in found.items() if one.declared.reference}
    works |= {key: works["fersnet"] for key in keys if key not in found and key not in works}
    cited = bibtex_keys(work for _, work in works.values())
    return {key: Work(cited[work], name, work) for key, (name, work) in works.items()}


def _declared(members: Mapping[str, Found]) -> dict[str, Reference]:
    """References by printed name; a reader of the user's own layout has none."""
    declared = sorted((found.declared for found in members.values()), key=lambda one: one.name.lower())
    return {one.name: one.reference for one in declared if one.reference is not None}
