"""The data card of each dataset of a run: who is seen, what the set lacks, and what its owner asks."""

from dataclasses import dataclass

from fersnet.embedded.terms import TERMS
from fersnet.faces.consent import shown_of, terms_of
from fersnet.methods.cited_work import plain_citation
from fersnet.methods.contract import Reader
from fersnet.report.description import printed_names
from fersnet.settings.tree import Settings

SHOWN_WORDS = {
    "everybody": "may be shown",
    "listed": "only of those who agreed to it (report.ckplus_consent)",
    "by permission": "not without the owner's permission (report.permitted)",
}


@dataclass(frozen=True)
class DataCard:
    """What the report says of a dataset."""

    name: str
    facts: dict[str, str]
    """By heading."""


def data_cards(settings: Settings) -> list[DataCard]:
    """A card for each dataset of a run."""
    names = printed_names(settings)
    return [_card(key, names.get(key, key), settings) for key in settings.datasets]


def _card(key: str, name: str, settings: Settings) -> DataCard:
    section = settings.datasets[key]
    reader = settings.known.readers[section.reader].declared
    reference = reader.reference if isinstance(reader, Reader) else None
    terms = TERMS if section.root is None else terms_of(key, settings)
    if terms is None:
        whose = "The reader declares no terms: those under which you got these data hold, and are yours to keep"
        return DataCard(name, {"Whose faces": whose} | ({"Cite": plain_citation(reference)} if reference else {}))
    facts = {
        "Whose faces": terms.people,
        "Known bias": terms.known_bias,
        "Terms": ", ".join(filter(None, (terms.licence, terms.url))),
        "Faces in figures": "; ".join(filter(None, (SHOWN_WORDS[shown_of(key, settings)], terms.credit))),
    }
    if section.root is None:
        facts["Whose faces"] += f"; {section.embedded.subjects} of them, in the layout of {reader.name}"
    elif reference is not None:
        facts["Cite"] = plain_citation(reference)
    return DataCard(name, facts)
