"""The Face Research Lab London Set: 102 people, neutral and smiling, who agreed to be shown."""

from fersnet.datasets.fetching.sources import OpenSet, PinnedFiles
from fersnet.methods.contract import Reference, Terms

REFERENCE = Reference(
    authors="DeBruine L. and Jones B.",
    title="Face Research Lab London Set (Version 5)",
    venue="figshare",
    year=2017,
    doi="10.6084/m9.figshare.5047666.v5",
)
TERMS = Terms(
    people="102 adults, photographed in London in 2012, with their own statement of age, gender and ethnicity "
    "(black, east Asian, west Asian, white)",
    known_bias="Two expressions only, neutral and a posed smile; one light, from the front; mostly young adults of "
    "one city",
    licence="Creative Commons Attribution 4.0 (CC BY 4.0): name the authors and say what was changed. The people "
    "agreed to be shown in print and on the web, altered too",
    url="https://doi.org/10.6084/m9.figshare.5047666.v5",
    shown="everybody",
    credit="Faces: Face Research Lab London Set, L. DeBruine and B. Jones, doi:10.6084/m9.figshare.5047666.v5, CC "
    "BY 4.0; cropped and aligned, synthetic faces altered.",
)
OPEN_SET = OpenSet(
    name="Face Research Lab London Set",
    reference=REFERENCE,
    terms=TERMS,
    source=PinnedFiles(
        address="https://raw.githubusercontent.com/debruine/webmorphR.stim/fa8b78fda2d659bb74ce62fcd99c4407551d2a77/",
        table="london_sha256.tsv",
    ),
)
