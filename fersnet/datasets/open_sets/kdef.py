"""KDEF: 70 people, stills of six expressions and neutral, two sessions."""

from fersnet.datasets.fetching.sources import ByHand, OpenSet
from fersnet.methods.contract import Reference, Terms

REFERENCE = Reference(
    authors="Lundqvist D., Flykt A. and Öhman A.",
    title="The Karolinska Directed Emotional Faces (KDEF)",
    venue="CD ROM, Department of Clinical Neuroscience, Psychology Section, Karolinska Institutet",
    year=1998,
)
TERMS = Terms(
    people="70 amateur actors of 20 to 30 years, 35 women and 35 men",
    known_bias="Posed after training, one light; all young, without beards, glasses, earrings or visible make-up",
    licence="For researchers and without commercial use only; nothing may be passed on in any form without written "
    "consent. The site says which pictures may be printed",
    url="https://kdef.se",
    shown="by permission",
)
OPEN_SET = OpenSet(
    name="KDEF",
    reference=REFERENCE,
    terms=TERMS,
    source=ByHand(
        instructions="Read the terms at https://kdef.se, download `KDEF_and_AKDEF.zip` there (no form is asked "
        "for), and unpack it.\n"
        "The folder with `AF01` to `BM35`, or any folder above it, is the root.",
    ),
)
