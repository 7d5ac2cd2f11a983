"""eNTERFACE'05: 44 people who speak with the six basic expressions."""

from fersnet.datasets.fetching.sources import ByHand, OpenSet
from fersnet.methods.contract import Reference, Terms

REFERENCE = Reference(
    authors="Martin O., Kotsia I., Macq B. and Pitas I.",
    title="The eNTERFACE'05 Audio-Visual Emotion Database",
    venue="ICDE Workshops",
    year=2006,
    doi="10.1109/ICDEW.2006.145",
)
TERMS = Terms(
    people="44 people, most of them men, of 14 nations in the authors' count",
    known_bias="Not actors: they listened to a story and spoke in English, which for many is a foreign language; "
    "glasses and beards occur",
    licence="Offered publicly for scientific research; no text of a licence was found, so ask before showing or "
    "passing on anything",
    url="http://www.enterface.net/results/",
    shown="by permission",
)
OPEN_SET = OpenSet(
    name="eNTERFACE'05",
    reference=REFERENCE,
    terms=TERMS,
    source=ByHand(
        instructions="Download the emotion database from http://www.enterface.net/results/ and unpack it.\n"
        "The folder with `subject 1`, `subject 2` …, or any folder above it, is the root.",
    ),
)
