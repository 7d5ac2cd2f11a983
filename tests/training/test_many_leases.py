"""GPU leases under load: many processes on pretended GPUs, killed and impatient ones, and other users' locks."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fersnet.errors import UserError
from fersnet.training import device as module
from fersnet.training.device import choose_device, take_lease

GPUS, JOBS_PER_GPU = ("x", "y", "z"), 2
NOBODY = 65534
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user")


def forked(body: Callable[[], None]) -> int:
    """The process id of a child that runs `body` and ends with 0, or with 1 if it raises."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        body()
        code = 0
    finally:
        os._exit(code)


def test_many_jobs_never_overfill_a_gpu_and_all_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.005)
    log = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    rng = np.random.default_rng(1)
    lengths, killed = rng.uniform(0.0, 0.05, 40), rng.random(40) < 0.4

    gate, opened = os.pipe()

    def work(number: int) -> None:
        os.close(opened)
        os.read(gate, 1)
        lease = take_lease(GPUS, JOBS_PER_GPU, tmp_path)
        os.write(log, f"+{lease.position}\n".encode())
        time.sleep(lengths[number])
        # Said before the lease ends, so that the log never shows more than there were.
        os.write(log, f"-{lease.position}\n".encode())
        if killed[number]:
            os.kill(os.getpid(), signal.SIGKILL)

    processes = [forked(lambda number=number: work(number)) for number in range(40)]
    os.close(opened)
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    assert codes == [-signal.SIGKILL if kill else 0 for kill in killed]
    os.lseek(log, 0, os.SEEK_SET)
    held, most, served = Counter[str](), Counter[str](), Counter[str]()
    for line in os.read(log, 10_000).decode().split():
        held[line[1]] += 1 if line[0] == "+" else -1
        most[line[1]] = max(most[line[1]], held[line[1]])
        served[line[1]] += line[0] == "+"
    os.close(log)
    assert sum(served.values()) == 40
    assert set(served) == {"0", "1", "2"}
    assert max(most.values()) == JOBS_PER_GPU
    assert not any(held.values())


def test_a_job_that_waits_can_be_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.005)
    holder = take_lease(["x"], 1, tmp_path)
    # A job starts with the system's handler; this process may have that of another test, which a fork keeps.
    earlier = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    waiting = forked(lambda: take_lease(["x"], 1, tmp_path) and None)
    signal.signal(signal.SIGTERM, earlier or signal.SIG_DFL)
    os.kill(waiting, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(waiting, 0)[1]) == -signal.SIGTERM
    holder.release()
    take_lease(["x"], 1, tmp_path).release()


def test_only_visible_gpus_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A scheduler gave this job two of four GPUs; the first of them serves somebody already.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    monkeypatch.setattr(module, "_held", [])
    monkeypatch.setattr(module.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(module.torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(module.torch.cuda, "set_device", lambda position: None)
    monkeypatch.setattr(module, "_identity_of", lambda position: f"GPU-{position + 2}")
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    take_lease(["GPU-2"])
    assert choose_device("auto").index == 1
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2,3"
    module._held[0].release()


@as_root
def test_a_lock_of_another_user_is_one_clear_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    take_lease(["x"], 1, folder).release()
    for path in (*tmp_path.parents, tmp_path):
        if path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(0o755)
    folder.chmod(0o777)

    def as_nobody() -> None:
        os.setuid(NOBODY)
        try:
            take_lease(["x"], 1, folder)
        except UserError as error:
            print(error, file=sys.stderr, flush=True)

    process = forked(as_nobody)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    (line,) = capfd.readouterr().err.splitlines()
    assert "gate.lock: cannot be locked (Permission denied); delete it or set TMPDIR" in line


@as_root
def test_a_lease_folder_of_another_user_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = tmp_path / f"fersnet-gpus-{os.getuid()}"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    with pytest.raises(UserError, match=r"belongs to another user.*set TMPDIR"):
        take_lease(["x"])
