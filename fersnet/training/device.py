"""Where a job computes: the device, its precision, and leases that keep jobs off each other's GPU."""

import fcntl
import logging
import math
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from fersnet.errors import UserError

logger = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
"""Pause between two looks for a free GPU."""

_held: "list[Lease]" = []
"""The lease of this process, once it has one."""


@dataclass(frozen=True)
class Lease:
    """A share of one GPU, held by a kernel lock until it is released or the process ends, however it ends."""

    position: int
    """Position of the GPU among those offered."""
    descriptor: int
    """Open, locked file descriptor."""

    def release(self) -> None:
        """Gives the GPU back."""
        os.close(self.descriptor)


@contextmanager
def one_core(wanted: bool = True) -> Iterator[None]:
    """Within it PyTorch takes one thread: several wait for each other where other processes have the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if wanted else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def choose_device(choice: Literal["auto", "cpu", "cuda"], jobs_per_gpu: int = 1) -> torch.device:
    """The device of this job; a GPU is leased for the rest of the process's life.

    Only devices that CUDA_VISIBLE_DEVICES (or the scheduler that set it) leaves visible are considered. Where it
    leaves exactly one, that one is taken without waiting: somebody has decided. Otherwise the least loaded one is
    taken, and where each already serves `jobs_per_gpu` jobs, the call waits. Calling again gives the same device.

    Raises:
        UserError: if `cuda` is asked for and no GPU is usable.
    """
    if choice == "cpu":
        return torch.device("cpu")
    # cuBLAS reads this once, before the first kernel; without it its sums are not reproducible.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        if choice == "cuda":
            raise UserError("device: cuda was asked for, but PyTorch finds no usable GPU; set device to auto or cpu")
        return torch.device("cpu")
    if count == 1 and os.environ.get("CUDA_VISIBLE_DEVICES"):
        return torch.device("cuda", 0)
    if not _held:
        _held.append(take_lease([_identity_of(position) for position in range(count)], jobs_per_gpu))
    torch.cuda.set_device(_held[0].position)
    return torch.device("cuda", _held[0].position)


def describe_device(device: torch.device) -> str:
    """A name for the job list: `cpu`, or `cuda:0 <product name> <identifier>`.

    The identifier is the start of the hardware's own, since every GPU is `cuda:0` to a job that was given one alone.
    """
    if device.type != "cuda":
        return device.type
    identifier = _identity_of(device).removeprefix("GPU-")[:8]
    return f"{device} {torch.cuda.get_device_name(device)} {identifier}"


def choose_precision(
    choice: Literal["auto", "fp32", "bf16"], device: torch.device, width: int
) -> Literal["fp32", "bf16"]:
    """The precision of forward passes: `auto` takes bf16 where the hardware gains from it at the network's width.

    In a narrower one the casts cost more than the products gain. The answer depends on hardware and width alone, never
    on a timing, so that it is the same in every job of a run.

    Raises:
        UserError: if bf16 is asked for on a GPU without it.
    """
    if device.type == "cuda":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
        narrowest = 32 if able else math.inf
        if choice == "bf16" and not able:
            raise UserError(f"precision: {describe_device(device)} has no bf16; set precision to fp32 or auto")
    else:
        narrowest = _narrowest_in_bf16(torch.cpu.get_capabilities())
    if choice == "auto":
        return "bf16" if width >= narrowest else "fp32"
    return choice


def _narrowest_in_bf16(capabilities: Mapping[str, Any]) -> float:
    """The smallest width at which a CPU gains from bf16: with AMX, or with AVX-512 on other processors than Intel's.

    Measured (docs/speed.md): Intel's AVX-512 multiplies bf16 at half its fp32 rate. An AMD EPYC's does at twice that
    rate, from which FERSNet gains at w = 12, but synthesis systems with w = 10 do not in their small batches.
    """
    if capabilities.get("amx_bf16"):
        return 32
    intel = str(capabilities.get("cpu_name", "")).startswith("Intel")
    return 12 if capabilities.get("avx512_bf16") and not intel else math.inf


def take_lease(gpus: Sequence[str], jobs_per_gpu: int = 1, folder: Path | None = None) -> Lease:
    """Leases the least loaded of the given GPUs (names that are the same in every process), waiting if all are full.

    Each GPU has `jobs_per_gpu` lock files in `folder` (default: one per user under the temporary folder). A lease is
    an exclusive `flock` on one of them, so the kernel frees it even after SIGKILL.

    Raises:
        UserError: if the folder belongs to another user or cannot be used.
    """
    folder = _lease_folder() if folder is None else folder
    told = False
    while True:
        # The gate makes counting and taking one act, so that two jobs never settle on one GPU while another is free.
        gate = _open_lock(folder / "gate.lock")
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            lease = _take_least_loaded(gpus, jobs_per_gpu, folder)
        finally:
            os.close(gate)
        if lease is not None:
            return lease
        if not told:
            logger.info("all %d GPUs serve %d jobs each; waiting for one of them", len(gpus), jobs_per_gpu)
            told = True
        time.sleep(WAIT_SECONDS)


def _take_least_loaded(gpus: Sequence[str], jobs_per_gpu: int, folder: Path) -> Lease | None:
    free: list[list[int]] = []
    for gpu in gpus:
        slots = []
        for slot in range(jobs_per_gpu):
            descriptor = _open_lock(folder / f"{_file_name(gpu)}.{slot}.lock")
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                slots.append(descriptor)
            except BlockingIOError:
                os.close(descriptor)
        free.append(slots)
    best = max(range(len(gpus)), key=lambda position: len(free[position]))
    kept = free[best][0] if free[best] else None
    for descriptor in (descriptor for slots in free for descriptor in slots if descriptor != kept):
        os.close(descriptor)
    return None if kept is None else Lease(best, kept)


def _lease_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"fersnet-gpus-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        problem = f"{folder}: cannot hold GPU locks ({error.strerror})"
        raise UserError(f"{problem}; set TMPDIR to a folder of your own") from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise UserError(f"{folder}: belongs to another user, so GPU locks there mean nothing; set TMPDIR elsewhere")
    return folder


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        problem = f"{path}: cannot be locked ({error.strerror})"
        raise UserError(f"{problem}; delete it or set TMPDIR to a folder of your own") from None


def _identity_of(device: torch.device | int) -> str:
    # Positions depend on CUDA_VISIBLE_DEVICES; the hardware's own identifier does not.
    return str(torch.cuda.get_device_properties(device).uuid)


def _file_name(gpu: str) -> str:
    return "".join(character if character.isalnum() or character == "-" else "_" for character in gpu)
