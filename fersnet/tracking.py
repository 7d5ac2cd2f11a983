"""Tracking: every job writes a record of itself to a file, and MLflow gets a copy of the records.

Files are the truth. A job only writes `tracking/jobs/<job key>.json` and holds a lock on it while it runs, so that
no store can slow it down or stop it, and a job that is killed is recognised by its free lock. `mirror.py` copies
the records to MLflow.
"""

import fcntl
import hashlib
import json
import logging
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from fersnet import __version__

logger = logging.getLogger(__name__)

RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"


@dataclass
class JobRecord:
    """One tracked job; the fields up to `job_key`, and `version`, are also its tags in MLflow."""

    run: str
    rule: str
    dataset: str
    method: str
    fold: str
    seed: int
    git_commit: str
    config_sha256: str
    data_sha256: str
    job_key: str
    params: dict[str, Any]
    status: str = RUNNING
    attempts: int = 1
    started: float = 0.0
    ended: float | None = None
    seconds: float | None = None
    peak_memory_mb: float | None = None
    device: str = "cpu"
    threads: int = 1
    host: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    history: str | None = None
    artifacts: list[str] = field(default_factory=list)
    model: dict[str, Any] | None = None
    """A trained model for others to use: `checkpoint` (path), its `sha256`, and the `expressions` that it knows."""
    message: str = ""
    version: str = ""
    """Of this project; empty in records of versions that did not note it."""

    def write(self, folder: Path) -> None:
        """Write the record atomically to `folder/<job key>.json`; the job's lock must be held."""
        path = folder / f"{self.job_key}.json"
        # One name for all attempts: what a kill leaves half-written, the next attempt replaces.
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps(asdict(self), indent=1, sort_keys=True), encoding="utf-8")
        temporary.replace(path)


class Interrupted(BaseException):
    """SIGTERM reached the job."""


def jobs_folder(results: Path) -> Path:
    """Where the records of a run lie."""
    return results / "tracking" / "jobs"


def job_key(run: str, rule: str, dataset: str, method: str, fold: str, params: Mapping[str, Any]) -> str:
    """Key of a job: the same for every attempt at the same work, another one when a setting or the code changes."""
    content = json.dumps([run, rule, dataset, method, fold, params], sort_keys=True, default=str)
    return f"{rule}-{hashlib.sha256(content.encode()).hexdigest()[:20]}"


@contextmanager
def track_job(
    results: Path,
    rule: str,
    *,
    run: str,
    dataset: str = "",
    method: str = "",
    fold: str = "",
    seed: int,
    params: Mapping[str, Any],
    config_sha256: str,
    data_sha256: str,
    threads: int,
    artifacts: Sequence[str] = (),
    history: str | None = None,
) -> Iterator[JobRecord]:
    """Keep the record of a job while its body runs.

    The body may set `device`, `metrics` and `model` on the record. A body that raises leaves FAILED, one that is
    interrupted KILLED; one that is killed outright leaves RUNNING with a free lock, which readers take for KILLED.

    Args:
        results: Folder of the run, `results/<run>`.
        artifacts: Small output files that belong to the job, relative to the working directory.
        history: The job's table of metrics per epoch, if it has one.
    """
    folder = jobs_folder(results)
    folder.mkdir(parents=True, exist_ok=True)
    key = job_key(run, rule, dataset, method, fold, params)
    record = JobRecord(
        run=run,
        rule=rule,
        dataset=dataset,
        method=method,
        fold=fold,
        seed=seed,
        git_commit=git_commit(),
        config_sha256=config_sha256,
        data_sha256=data_sha256,
        job_key=key,
        params=dict(params),
        started=_next_start(folder, rule, dataset, method, fold),
        host=socket.gethostname(),
        threads=threads,
        artifacts=list(artifacts),
        history=history,
        version=__version__,
    )
    earlier = folder / f"{key}.json"
    if earlier.is_file():
        record.attempts = int(json.loads(earlier.read_text(encoding="utf-8")).get("attempts", 0)) + 1
    clock = time.monotonic()
    with (folder / f"{key}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            # Some network file systems have no locks; all that is lost is to tell a killed job from a running one.
            logger.warning("%s: cannot be locked (%s); a kill of this job would not show", lock.name, error.strerror)
        record.write(folder)
        previous = signal.signal(signal.SIGTERM, _interrupt)
        try:
            yield record
            record.status = FINISHED
        except (Interrupted, KeyboardInterrupt):
            record.status = KILLED
            raise
        except SystemExit as stop:
            # 75 (EX_TEMPFAIL): a training that saved its state on a signal and will go on when run again.
            record.status = {None: FINISHED, 0: FINISHED, 75: KILLED}.get(stop.code, FAILED)
            raise
        except BaseException as error:
            record.status = FAILED
            record.message = f"{type(error).__name__}: {error}"[:500]
            raise
        finally:
            signal.signal(signal.SIGTERM, previous)
            record.ended = time.time()
            record.seconds = round(time.monotonic() - clock, 3)
            record.peak_memory_mb = round(_peak_memory_mb(), 1)
            try:
                record.write(folder)
            except OSError as error:
                # The work is done; a disk that has no room for its record must not cost the result.
                logger.warning("%s: no record of this job's end (%s)", folder / f"{key}.json", error.strerror)


def read_records(results: Path, ended: bool = False) -> list[JobRecord]:
    """All records of a run, oldest first; a RUNNING record whose lock is free counts as KILLED.

    Locks tell about this host only: a record of another host stays as it is, unless the caller knows that all jobs
    have `ended`, as the workflow does at its end.
    """
    folder = jobs_folder(results)
    records = []
    for path in sorted(folder.glob("*.json")):
        record = JobRecord(**json.loads(path.read_text(encoding="utf-8")))
        here = record.host == socket.gethostname()
        if record.status == RUNNING and (_is_free(path.with_suffix(".lock")) if here else ended):
            record.status = KILLED
        records.append(record)
    return sorted(records, key=lambda record: (record.started, record.job_key))


def latest_records(records: Sequence[JobRecord]) -> list[JobRecord]:
    """The newest record of each (rule, dataset, method, fold): what the results on disk come from."""
    newest: dict[tuple[str, str, str, str], JobRecord] = {}
    for record in sorted(records, key=lambda record: record.started):
        newest[(record.rule, record.dataset, record.method, record.fold)] = record
    return sorted(newest.values(), key=lambda record: record.started)


def own_file(results: Path, record: JobRecord, path: str) -> Path | None:
    """The file of a run that a record names, wherever the run lies now; None where there is none.

    Records name files as the workflow does, `results/<run>/...`, seen from where it ran. Seen from elsewhere that would
    be nothing, or a file of another project's.
    """
    parts, folder = Path(path).parts, ("results", record.run)
    starts = [start for start in range(len(parts) - 1) if parts[start : start + 2] == folder]
    found = results.joinpath(*parts[starts[-1] + 2 :]) if starts else None
    return found if found is not None and found.is_file() else None


def file_sha256(path: Path) -> str:
    """Checksum of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def git_commit() -> str:
    """The commit of the project's checkout, with `+` where files differ from it; empty outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--match=-"]
        answer = subprocess.run(command, check=False, cwd=here, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise Interrupted


def _next_start(folder: Path, rule: str, dataset: str, method: str, fold: str) -> float:
    """The time, or just after the latest start of the same job where the clock has been put back since.

    What counts as the newest record of a job must not depend on a clock. The folder's own time, that of the last
    record, tells whether there is anything to mend.
    """
    if folder.stat().st_mtime <= time.time():
        return time.time()
    place = (rule, dataset, method, fold)
    latest = 0.0
    for path in folder.glob(f"{rule}-*.json"):
        earlier = json.loads(path.read_text(encoding="utf-8"))
        if tuple(earlier.get(key, "") for key in ("rule", "dataset", "method", "fold")) == place:
            latest = max(latest, float(earlier.get("started", 0.0)))
    return max(time.time(), latest + 1e-3)


def _is_free(lock_path: Path) -> bool:
    try:
        with lock_path.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
    except FileNotFoundError:
        return True
    except OSError:
        # Held, or on a file system without locks: it may be running.
        return False


def _peak_memory_mb() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own, children) / 1024
