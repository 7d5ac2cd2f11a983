"""The jobs of an earlier run: how long they took, and at what work."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fersnet.costs.sizes import RunSizes, found_counts, join_counts
from fersnet.errors import UserError
from fersnet.settings.base import Section
from fersnet.settings.data import FacesSettings, FoldsSettings
from fersnet.settings.training import IdentitySettings
from fersnet.tracking import FINISHED, JobRecord, latest_records, read_records

Kind = TypeVar("Kind", bound=Section)


@dataclass(frozen=True)
class History:
    """The finished jobs of an earlier run, and its data."""

    jobs: list[JobRecord]
    sizes: RunSizes


def read_history(results: Path) -> History:
    """The finished jobs of an earlier run.

    Raises:
        UserError: if the run has no job list, or none of its jobs finished.
    """
    path = results / "jobs.csv"
    if not path.is_file():
        raise UserError(f"{path}: not there; give --history the folder of a run that has ended, e.g. results/smoke")
    jobs = [record for record in latest_records(read_records(results)) if record.status == FINISHED]
    if not jobs:
        raise UserError(f"{path}: no job of it finished; give --history another run")
    counts, subjects = found_counts(results)
    folds = {dataset: _folds(dataset, jobs, people) for dataset, people in subjects.items()}
    joined = next((job.params for job in jobs if job.rule == "join_sets"), None)
    if joined is not None:
        folds |= join_counts(counts, subjects, joined["readers"], joined["expressions"])
    faces = _section(FacesSettings, jobs, "align_faces")
    identity = _section(IdentitySettings, jobs, "train_identity")
    return History(jobs, RunSizes(counts, subjects, folds, faces, identity))


def _folds(dataset: str, jobs: list[JobRecord], people: int) -> int:
    """How many folds a dataset of so many people had; the published number where none were made."""
    params = next((job.params for job in jobs if job.rule == "assign_folds" and job.dataset == dataset), {})
    if params.get("listed"):
        return max(params["listed"].values())
    assigned = params.get("settings", {})
    return people if assigned.get("scheme") == "leave_one_subject_out" else assigned.get("count", FoldsSettings().count)


def _section(kind: type[Kind], jobs: list[JobRecord], rule: str) -> Kind:
    """The section that a rule's jobs had, without keys of another version; the published one where none ran."""
    found = next((job.params.get("settings", {}) for job in jobs if job.rule == rule), {})
    return kind.model_validate({key: found[key] for key in found if key in kind.model_fields}, strict=False)
