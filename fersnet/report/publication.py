"""Whose faces a figure may show, and the line that must stand under them.

Each set's terms decide (`fersnet.methods.contract.Terms`): everybody may be shown with a credit line, or only those of
a list (CK+: `report.ckplus_consent`), or nobody unless the owner has permitted it (`report.permitted`). A synthetic
face of a real person is a picture of that person. Rendered faces belong to nobody and are free.
"""

from collections.abc import Iterable

from fersnet.faces.consent import publishable_subjects
from fersnet.methods.contract import Shown
from fersnet.report.description import RunDescription
from fersnet.settings.report import ReportSettings


def _shown(dataset: str, description: RunDescription) -> Shown:
    """What the terms say; data of unknown origin count as real, and as nobody's to show."""
    return (
        "everybody" if description.data_of(dataset) == "embedded" else description.shown.get(dataset, "by permission")
    )


def is_restricted(dataset: str, description: RunDescription) -> bool:
    """Whether not everybody in a dataset may be shown."""
    return _shown(dataset, description) != "everybody"


def may_be_shown(
    dataset: str, subjects: Iterable[str], description: RunDescription, settings: ReportSettings
) -> tuple[str, ...]:
    """Those of the given subjects whose faces a figure may show, sorted and without repetition."""
    shown = _shown(dataset, description)
    return tuple(sorted(publishable_subjects(map(str, subjects), shown, settings.ckplus_consent)))


def why_nobody(dataset: str, description: RunDescription) -> str:
    """What stands in a figure that may show nobody."""
    if _shown(dataset, description) == "by permission":
        name = description.name_of(dataset)
        return f"No face is shown: the terms of {name} do not allow it without permission (report.permitted)."
    return "No face is shown: no test subject of this run has given consent to publication (report.ckplus_consent)."


def credit(dataset: str, description: RunDescription) -> str:
    """The line that must stand under faces of a dataset; empty where there is none."""
    return "" if description.data_of(dataset) == "embedded" else description.credits.get(dataset, "")
