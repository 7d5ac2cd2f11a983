"""What the workflow asks of the host before any job, without loading PyTorch."""

import os
import signal
from pathlib import Path

from fersnet.errors import UserError


def has_gpu() -> bool:
    """Whether this host has an NVIDIA GPU."""
    return Path("/dev/nvidia0").exists()


def prepare_jobs(project: Path) -> None:
    """Let the jobs that this process starts import the project, hash and draw alike, and outlive SIGUSR1.

    Figures are drawn by matplotlib's own settings (`report.style`), so a matplotlibrc of the user's, or a backend that
    a notebook has set and that is not installed here, must not stop matplotlib from being loaded either.

    A scheduler sends SIGUSR1 to all processes of a job before its time limit. A training answers it by saving and
    stopping; if Snakemake, which waits for the training, ended on it, the scheduler would kill the training at once.
    """
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(project), os.environ.get("PYTHONPATH")]))
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["MATPLOTLIBRC"] = os.devnull
    os.environ["MPLBACKEND"] = "agg"
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def check_writable(folder: Path) -> None:
    """Find out before any job whether a folder, or the nearest one above it that exists, can be written.

    Raises:
        UserError: if it cannot.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise UserError(f"{folder}: cannot be written ({existing} is in the way); mend its rights or move it aside")
