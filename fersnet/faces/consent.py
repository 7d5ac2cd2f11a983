"""The publication guard: which subjects may be shown in a figure."""

import re
from collections.abc import Iterable, Sequence


def subject_key(subject: str) -> str:
    """A subject's name without the differences of spelling between lists and folders: `S052`, `s52` and `S52` agree."""
    match = re.fullmatch(r"\s*([A-Za-z]*)0*(\d+)\s*", subject)
    return f"{match[1].upper()}{match[2]}" if match else subject.strip().upper()


def publishable_subjects(subjects: Iterable[str], consent: Sequence[str] | None, *, real: bool) -> frozenset[str]:
    """The subjects whose faces a figure may show.

    Args:
        subjects: Subjects of the dataset, as in the index.
        consent: Those who agreed to publication, from the config; None if the dataset names no such list.
        real: Whether the faces are photographs of people; rendered faces are free.

    Returns:
        The allowed ones, spelled as in `subjects`; possibly none.
    """
    subjects = frozenset(subjects)
    if not real or consent is None:
        return subjects
    allowed = {subject_key(subject) for subject in consent}
    return frozenset(subject for subject in subjects if subject_key(subject) in allowed)
