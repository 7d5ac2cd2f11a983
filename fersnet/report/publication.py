"""Whose faces a figure may show.

The CK+ agreement lets only a few subjects appear in print or in electronic reproductions, with a copyright note. The
list is a setting, `report.ckplus_consent`. Embedded faces belong to nobody and are free.
"""

from collections.abc import Iterable

from fersnet.faces.consent import publishable_subjects
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
    real = is_restricted(dataset, description)
    return tuple(sorted(publishable_subjects(map(str, subjects), settings.ckplus_consent, real=real)))


def notice(dataset: str, description: RunDescription) -> str:
    """The copyright note that must stand beside faces of a dataset; empty where there is none."""
    return CKPLUS_NOTICE if is_restricted(dataset, description) else ""
