"""The last words of a run in which jobs failed: which, why, and what is missing for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fersnet.tracking import FAILED, KILLED, JobRecord, latest_records, read_records

NAMED = 8
"""So many missing results are named, tables and the report before figures; the others are counted."""
ORDER = ("report.html", "tables", "figures")


@dataclass(frozen=True)
class FailedJob:
    """A job that failed, and the files that were to come from it or after it."""

    rule: str
    dataset: str
    method: str
    fold: str
    log: str
    missing: tuple[str, ...]


def describe_failures(results: Path, failed: Sequence[FailedJob]) -> list[str]:
    """Lines for the terminal: two for each failed job.

    Args:
        results: Folder of the run, whose job records tell the reasons.
    """
    if not failed:
        return []
    records = latest_records(read_records(results, ended=True))
    reasons = {(record.rule, record.dataset, record.method, record.fold): _reason(record) for record in records}
    lines = [
        f"{len(failed)} {'job' if len(failed) == 1 else 'jobs'} failed; mend what they say, and run again to go on:"
    ]
    for job in sorted(failed, key=lambda job: (job.dataset, job.rule, job.method, job.fold)):
        place = " ".join(filter(None, (job.rule, job.dataset, job.method, job.fold)))
        reason = reasons.get((job.rule, job.dataset, job.method, job.fold)) or f"see {job.log}"
        lines += [f"- {place}: {reason}", f"  not made for it: {_listed(results, job.missing)}"]
    return lines


def _reason(record: JobRecord) -> str:
    if record.status == KILLED:
        return "stopped from outside; run again to go on"
    return record.message.removeprefix("UserError: ") if record.status == FAILED else ""


def _listed(results: Path, paths: Iterable[str]) -> str:
    files = [Path(path).relative_to(results) if Path(path).is_relative_to(results) else Path(path) for path in paths]
    shown = [path for path in files if path.parts[0] in ORDER]
    shown.sort(key=lambda path: (ORDER.index(path.parts[0]), str(path)))
    # A table or figure is one thing, whatever its endings.
    names = list(dict.fromkeys(str(path.with_suffix("") if len(path.parts) > 1 else path) for path in shown))
    others = len(names[NAMED:]) + len(files) - len(shown)
    rest = [f"{others} other {'file' if others == 1 else 'files'}"] if others else []
    return " and ".join([*filter(None, [", ".join(names[:NAMED])]), *rest]) or "nothing else"
