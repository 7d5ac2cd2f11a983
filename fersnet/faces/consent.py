"""The publication guard: which subjects may be shown in a figure."""

import re
from collections.abc import Iterable, Sequence

from fersnet.methods.contract import Reader, Shown, Terms
from fersnet.settings.tree import Settings


def terms_of(dataset: str, settings: Settings) -> Terms | None:
    """The terms that a dataset's faces fall under; None for rendered ones, and for the user's own data."""
    section = settings.datasets[dataset]
    reader = settings.known.readers[section.reader].declared
    return reader.terms if section.root is not None and isinstance(reader, Reader) else None


def shown_of(dataset: str, settings: Settings) -> Shown:
    """Whose faces of a dataset figures may show, by its terms and by what the owner has permitted the user."""
    terms = terms_of(dataset, settings)
    if terms is None or (terms.shown == "by permission" and dataset in settings.report.permitted):
        return "everybody"
    return terms.shown


def subject_key(subject: str) -> str:
    """A subject's name without the differences of spelling between lists and folders: `S052`, `s52` and `S52` agree."""
    match = re.fullmatch(r"\s*([A-Za-z]*)0*(\d+)\s*", subject)
    return f"{match[1].upper()}{match[2]}" if match else subject.strip().upper()


def publishable_subjects(subjects: Iterable[str], shown: Shown, consent: Sequence[str]) -> frozenset[str]:
    """The subjects whose faces a figure may show.

    Args:
        subjects: Subjects of the dataset, as in the index.
        shown: What the dataset's terms say.
        consent: Those who agreed to publication, from the config; it counts where the terms name a list.

    Returns:
        The allowed ones, spelled as in `subjects`; possibly none.
    """
    if shown == "by permission":
        return frozenset()
    subjects = frozenset(subjects)
    if shown == "everybody":
        return subjects
    allowed = {subject_key(subject) for subject in consent}
    return frozenset(subject for subject in subjects if subject_key(subject) in allowed)
