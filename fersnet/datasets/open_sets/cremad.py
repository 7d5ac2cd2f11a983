"""CREMA-D: 91 actors who speak with six emotions, surprise not among them."""

from fersnet.datasets.fetching.sources import ByHand, OpenSet
from fersnet.methods.contract import Reference, Terms

REFERENCE = Reference(
    authors="Cao H., Cooper D. G., Keutmann M. K., Gur R. C., Nenkova A. and Verma R.",
    title="CREMA-D: Crowd-Sourced Emotional Multimodal Actors Dataset",
    venue="IEEE Transactions on Affective Computing 5(4)",
    year=2014,
    doi="10.1109/TAFFC.2014.2336244",
)
TERMS = Terms(
    people="91 actors of 20 to 74 years, 43 women and 48 men, of whom the set says age, sex, race and ethnicity",
    known_bias="Acted, twelve sentences in English; people who see only the picture read 66 % of the clips as "
    "labelled, and sadness only in a third of its clips",
    licence="Open Database License 1.0, contents under the Database Contents License 1.0: name the set; a changed "
    "database that is passed on stays under the same licence",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    shown="everybody",
    credit="Faces: CREMA-D, H. Cao et al., doi:10.1109/TAFFC.2014.2336244, Open Database License 1.0; cropped and "
    "aligned, synthetic faces altered.",
)
OPEN_SET = OpenSet(
    name="CREMA-D",
    reference=REFERENCE,
    terms=TERMS,
    source=ByHand(
        instructions="The set lies in Git LFS, whose quota at GitHub has run out; its owner points to a mirror at "
        "GitLab.\n"
        "With git and git-lfs installed, in the folder that is to hold it (2.4 GB):\n"
        "  GIT_LFS_SKIP_SMUDGE=1 git clone https://gitlab.com/cs-cooper-lab/crema-d-mirror.git crema-d\n"
        '  cd crema-d && git lfs pull --include "VideoFlash/*"\n'
        "A file of about 130 bytes that begins with `version https://git-lfs` is a pointer, not a video: pull again.",
    ),
)
