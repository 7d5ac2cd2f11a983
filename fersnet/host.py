"""What the workflow asks of the host before any job, without loading PyTorch."""

import os
import signal
from collections.abc import Collection
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

    Libraries keep caches below the user's home. Where it cannot be written, as in containers and batch systems, theirs
    go beside Snakemake's own files in the working folder.
    """
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(project), os.environ.get("PYTHONPATH")]))
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["MATPLOTLIBRC"] = os.devnull
    os.environ["MPLBACKEND"] = "agg"
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if not _can_write(Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")):
        cache = Path(".snakemake", "cache").absolute()
        os.environ["XDG_CACHE_HOME"] = str(cache)
        os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))


def _can_write(folder: Path) -> bool:
    """Whether a folder is there and can be written, or can be made."""
    try:
        folder = folder.expanduser()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # the latter where nobody knows the user's home
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def job_image(project: Path, deployment: Collection[str], as_module: bool = False) -> str | None:
    """The image in which jobs run where `--software-deployment-method apptainer` is asked for; nothing otherwise.

    Conda, asked for beside it, wins: the image holds the same packages, and no conda. Snakemake refuses an image's path
    that has a space even where no image is asked for, so that none is named then.

    The project is bound into the image for runs that start in another folder: the code that runs is the project's.

    Args:
        deployment: Names of Snakemake's deployment methods, `apptainer`, `conda` and others.
        as_module: Whether another workflow runs these jobs among its own. It may ask for images for its own alone, so
            that an image that is not there is done without.

    Raises:
        UserError: if the image is not there.
    """
    if "apptainer" not in deployment or "conda" in deployment:
        return None
    image = project / "fersnet.sif"
    if not image.is_file():
        if as_module:
            return None
        raise UserError(f"{image}: no such image; make it with `make image`, or run without apptainer")
    if not Path.cwd().samefile(project):
        for name in ("APPTAINER_BIND", "SINGULARITY_BIND"):
            os.environ[name] = ",".join(filter(None, [os.environ.get(name), str(project)]))
    return str(image)


def check_writable(folder: Path) -> None:
    """Find out before any job whether the folder of a run can be made and written.

    Looked at are the folder or the nearest one above it that exists, and links on the way and up to two levels below:
    they may lead to a disk that was cleared, or is not mounted.

    Raises:
        UserError: if it cannot.
    """
    for path in (*reversed(folder.parents), folder, *folder.glob("*"), *folder.glob("*/*")):
        if path.is_symlink() and not path.exists():
            target = os.path.realpath(path)
            raise UserError(f"{path}: is a link to {target}, which is not there; make that folder, or remove the link")
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    place = f"{existing}, which leads to {os.path.realpath(existing)}," if existing.is_symlink() else f"{existing}"
    if not existing.is_dir():
        raise UserError(f"{folder}: cannot be written ({place} is not a folder); move it aside")
    if os.statvfs(existing).f_flag & os.ST_RDONLY:
        raise UserError(f"{folder}: cannot be written ({place} is mounted read-only); start the run in another folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UserError(f"{folder}: cannot be written ({place} does not allow it); mend its rights")
