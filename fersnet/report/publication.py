"""Whose faces a figure may show.

The CK+ agreement lets only a few subjects appear in print or in electronic reproductions, with a copyright note. The
list is a setting, `report.ckplus_consent`. Embedded faces belong to nobody and are free.
"""

from collections.abc import Iterable

from fersnet.report.description import RunDescription
from fersnet.settings.report import ReportSettings

CKPLUS_NOTICE = "©Jeffrey Cohn"
NOBODY = "No face is shown: no test subject of this run has given consent to publication (report.ckplus_consent)."


def is_restricted(dataset: str, description: RunDescription) -> bool:
    """Whether the faces of a dataset fall under the CK+ agreement; data of unknown origin count as real."""
    return description.reader_of(dataset) == "ckplus" and description.data_of(dataset) == "real"


def may_be_shown(
    dataset: str, subjects: Iterable[str], description: RunDescription, settings: ReportSettings
) -> tuple[str, ...]:
    """Those of the given subjects whose faces a figure may show, sorted and without repetition."""
    people = sorted(set(map(str, subjects)))
    if not is_restricted(dataset, description):
        return tuple(people)
    consent = {_canonical(subject) for subject in settings.ckplus_consent}
    return tuple(subject for subject in people if _canonical(subject) in consent)


def notice(dataset: str, description: RunDescription) -> str:
    """The copyright note that must stand beside faces of a dataset; empty where there is none."""
    return CKPLUS_NOTICE if is_restricted(dataset, description) else ""


def _canonical(subject: str) -> str:
    """`S52` and `S052` are the same subject."""
    digits = subject[1:]
    return f"S{int(digits):03d}" if subject[:1] in ("S", "s") and digits.isdigit() else subject
