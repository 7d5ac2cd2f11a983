"""RAVDESS: 24 actors who speak with eight emotions; the speech videos, a zip an actor."""

from fersnet.datasets.fetching.sources import OpenSet, ZenodoArchives
from fersnet.methods.contract import Reference, Terms

REFERENCE = Reference(
    authors="Livingstone S. R. and Russo F. A.",
    title="The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS): A Dynamic, Multimodal Set of "
    "Facial and Vocal Expressions in North American English",
    venue="PLoS ONE 13(5)",
    year=2018,
    doi="10.1371/journal.pone.0196391",
)
TERMS = Terms(
    people="24 professional actors of 21 to 33 years, 12 women and 12 men",
    known_bias="Acted in a studio, two sentences in North American English, from the front; young, and few who are "
    "not white",
    licence="Creative Commons Attribution-NonCommercial-ShareAlike 4.0 (CC BY-NC-SA 4.0): name the authors, no "
    "commercial use (which is sold separately), and pass on what you make of it, synthetic faces too, under the "
    "same terms",
    url="https://zenodo.org/records/1188976",
    shown="everybody",
    credit="Faces: RAVDESS, S. R. Livingstone and F. A. Russo, doi:10.1371/journal.pone.0196391, CC BY-NC-SA 4.0, "
    "as is this figure; cropped and aligned, synthetic faces altered.",
)
OPEN_SET = OpenSet(
    name="RAVDESS",
    reference=REFERENCE,
    terms=TERMS,
    source=ZenodoArchives(
        address="https://zenodo.org/api/records/1188976",
        archive="Video_Speech_Actor_{part:02d}.zip",
        parts=24,
        unit="actor",
    ),
)
