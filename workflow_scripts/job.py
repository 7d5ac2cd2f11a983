"""What every script does around its work: log file, threads, tracking, and one clear line when it fails."""

import errno
import hashlib
import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fersnet.errors import UserError
from fersnet.seeds import derive_seed
from fersnet.tracking import Interrupted, JobRecord, track_job

if TYPE_CHECKING:
    from snakemake.script import Snakemake

ARTIFACT_ENDINGS = (".csv", ".json", ".md", ".tex", ".png", ".pdf", ".html", ".txt")
"""Outputs that are copied to the tracking store; arrays and checkpoints stay in the results folder."""

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a disk, a quota or a limit on file sizes is full."""


@contextmanager
def tracked_job(snakemake: "Snakemake") -> Iterator[JobRecord]:
    """Track the job, log to its log file, and end with one line on stderr where the user can put something right."""
    log = Path(snakemake.log[0])
    place = place_of(snakemake)
    outputs = [str(path) for path in snakemake.output]
    try:
        _open_log(log)
        _limit_threads(snakemake.threads)
        with track_job(
            results_folder(snakemake),
            rule_of(snakemake),
            run=snakemake.config["run"],
            **place,
            seed=snakemake.config["seed"],
            params=dict(snakemake.params.items()),
            config_sha256=_digest(snakemake.config),
            data_sha256=_data_checksum(snakemake, place["dataset"]),
            threads=snakemake.threads,
            artifacts=[path for path in [*outputs, str(log)] if path.endswith((*ARTIFACT_ENDINGS, ".log"))],
            history=next((path for path in outputs if path.endswith("history.csv")), None),
        ) as record:
            yield record
    except UserError as error:
        _fail(snakemake, log, str(error))
    except OSError as error:
        # A full disk or a folder that cannot be written is the user's to put right, wherever it is met.
        way_out = "; free some space, then run again" if error.errno in NO_SPACE else ""
        _fail(snakemake, log, f"{error.filename or results_folder(snakemake)}: {error.strerror or error}{way_out}")
    except (Interrupted, KeyboardInterrupt):
        _fail(snakemake, log, "stopped from outside; run again to go on")
    except Exception as error:
        _note(log, traceback.format_exc())
        _fail(snakemake, log, f"{type(error).__name__}: {error} (traceback in {log})")


def results_folder(snakemake: "Snakemake") -> Path:
    """The folder of the run, taken from the log file: another workflow may put a prefix before `results/<run>`."""
    return Path(snakemake.log[0]).parents[2]


def rule_of(snakemake: "Snakemake") -> str:
    """The rule's own name, taken from the log file: another workflow may have given it a longer one."""
    return Path(snakemake.log[0]).parent.name


def place_of(snakemake: "Snakemake") -> dict[str, str]:
    """Dataset, method and fold of the job; empty where it has none."""
    return {key: str(snakemake.wildcards.get(key, "")) for key in ("dataset", "method", "fold")}


def job_seed(snakemake: "Snakemake") -> int:
    """The job's own seed, from (seed, rule, dataset, method, fold)."""
    return derive_seed(snakemake.params.seed, rule_of(snakemake), *place_of(snakemake).values())


def job_fingerprint(snakemake: "Snakemake") -> str:
    """What a resume state must agree with: the job's params (which hold the code's fingerprint) and its input data."""
    inputs = [[path, Path(path).stat().st_size, Path(path).stat().st_mtime_ns] for path in map(str, snakemake.input)]
    return _digest({"params": dict(snakemake.params.items()), "input": inputs, "threads": snakemake.threads})


def _fail(snakemake: "Snakemake", log: Path, message: str) -> None:
    place = " ".join(filter(None, place_of(snakemake).values()))
    _note(log, f"{message}\n")
    print(f"{rule_of(snakemake)} {place}: {message}", file=sys.stderr, flush=True)
    sys.exit(1)


def _open_log(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=log, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    logging.captureWarnings(True)
    # It tells of every glyph that it puts into a figure.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    # A line that a full disk does not take is no reason for a traceback on the screen.
    logging.raiseExceptions = False


def _note(log: Path, text: str) -> None:
    """Add to the log file; what the disk does not take must not hide the error that was to be told."""
    with suppress(OSError), log.open("a", encoding="utf-8") as file:
        file.write(text)


def _limit_threads(threads: int) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    for name in ("torch", "cv2"):
        module: Any = sys.modules.get(name)
        if module is not None:
            (module.set_num_threads if name == "torch" else module.setNumThreads)(threads)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _data_checksum(snakemake: "Snakemake", dataset: str) -> str:
    folder = results_folder(snakemake) / "datasets" / dataset
    faces = snakemake.input.get("faces")
    if isinstance(faces, str) and Path(faces).parent.name == dataset:
        folder = Path(faces).parent  # where the faces are not the reported ones, as in a search for settings
    path = folder / "checksum.txt"
    return path.read_text(encoding="utf-8").split()[0] if dataset and path.is_file() else ""
