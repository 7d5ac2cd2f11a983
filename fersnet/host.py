"""What the workflow asks of the host before any job, without loading PyTorch."""

import os
from pathlib import Path


def has_gpu() -> bool:
    """Whether this host has an NVIDIA GPU."""
    return Path("/dev/nvidia0").exists()


def prepare_jobs(project: Path) -> None:
    """Let the jobs that this process starts import the project, and hash alike."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(project), os.environ.get("PYTHONPATH")]))
    os.environ["PYTHONHASHSEED"] = "0"
