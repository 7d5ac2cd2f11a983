"""Devices: what is chosen, and leases between processes on pretended GPUs."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from fersnet.errors import UserError
from fersnet.training import device as module
from fersnet.training.device import choose_device, choose_precision, describe_device, take_lease

HOLDER = """
import sys
from pathlib import Path
from fersnet.training import device
device.WAIT_SECONDS = 0.02
lease = device.take_lease(sys.argv[2].split(","), int(sys.argv[3]), Path(sys.argv[1]))
print(lease.position, flush=True)
sys.stdin.readline()
"""


class Holders:
    """Processes that each take a lease and hold it until told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen] = []

    def start(self, gpus: str, jobs: int) -> subprocess.Popen:
        environment = os.environ | {"PYTHONPATH": str(Path(module.__file__).parents[2]), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(self.folder), gpus, str(jobs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self.running.append(process)
        return process

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.communicate()


@pytest.fixture
def holders(tmp_path: Path):
    group = Holders(tmp_path)
    yield group
    group.stop()


def position_of(process: subprocess.Popen) -> int:
    return int(process.stdout.readline())


def test_jobs_at_once_take_different_gpus_then_share_evenly_and_wait(holders: Holders) -> None:
    processes = [holders.start("x,y", 2) for _ in range(4)]
    positions = {process.pid: position_of(process) for process in processes}
    assert Counter(positions.values()) == {0: 2, 1: 2}
    waiting = holders.start("x,y", 2)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=4)
    os.set_blocking(waiting.stdout.fileno(), False)
    assert not waiting.stdout.readline(), "beyond the number per GPU a job waits"
    os.set_blocking(waiting.stdout.fileno(), True)
    os.kill(processes[2].pid, signal.SIGKILL)
    assert position_of(waiting) == positions[processes[2].pid], "a killed holder frees its GPU"


def test_the_least_loaded_gpu_is_taken(tmp_path: Path) -> None:
    leases = [take_lease(["x", "y", "z"], 2, tmp_path) for _ in range(3)]
    assert [lease.position for lease in leases] == [0, 1, 2]
    leases[1].release()
    assert take_lease(["x", "y", "z"], 2, tmp_path).position == 1


def test_gpus_are_told_apart_by_name_not_by_position(tmp_path: Path) -> None:
    first = take_lease(["x", "y"], 1, tmp_path)
    assert (first.position, take_lease(["x", "y"], 1, tmp_path).position) == (0, 1)
    assert take_lease(["y", "x", "GPU/../z"], 1, tmp_path).position == 2
    assert all(path.parent == tmp_path for path in tmp_path.rglob("*"))


def test_a_folder_of_somebody_else_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"fersnet-gpus-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="set TMPDIR"):
        take_lease(["x"])


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.0.lock").symlink_to(tmp_path / "target")
    with pytest.raises(UserError, match=r"x\.0\.lock"):
        take_lease(["x"], 1, tmp_path)


def pretend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, count: int) -> list[int]:
    chosen: list[int] = []
    monkeypatch.setattr(module, "_held", [])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(module, "_identity_of", lambda position: f"GPU-{position}")
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return chosen


def test_without_a_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, 0)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(UserError, match="cuda was asked for"):
        choose_device("cuda")


def test_with_pretended_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = pretend(monkeypatch, tmp_path, 2)
    assert choose_device("cpu") == torch.device("cpu")
    assert not list(tmp_path.iterdir()), "the CPU needs no lease"
    other = take_lease(["GPU-0", "GPU-1"])
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda", 1 - other.position)
    assert set(chosen) == {1 - other.position}


def test_a_schedulers_only_gpu_is_taken_without_asking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    lease = take_lease(["GPU-0"])
    assert choose_device("auto") == torch.device("cuda", 0)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3"
    lease.release()


@pytest.mark.parametrize(
    ("capabilities", "narrowest"),
    [
        ({"avx512_bf16": True, "amx_bf16": True, "cpu_name": "Intel Xeon"}, 32),
        ({"avx512_bf16": True, "amx_bf16": False, "cpu_name": "Intel Xeon"}, None),
        ({"avx512_bf16": True, "amx_bf16": False, "cpu_name": "AMD EPYC 9655"}, 12),
        ({"avx512_bf16": False, "amx_bf16": False, "cpu_name": "AMD EPYC 7763"}, None),
        ({}, None),
    ],
)
def test_precision(monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, object], narrowest: int | None) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    for width in (1, 8, 11, 12, 16, 31, 32, 64):
        expected = "bf16" if narrowest is not None and width >= narrowest else "fp32"
        assert choose_precision("auto", cpu, width) == expected, width
    assert choose_precision("bf16", cpu, 4) == "bf16"
    assert choose_precision("fp32", cpu, 64) == "fp32"


def test_description(monkeypatch: pytest.MonkeyPatch) -> None:
    assert describe_device(torch.device("cpu")) == "cpu"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Pretended")
    names = set()
    for identifier in ("GPU-0a1b2c3d-4e5f", "99887766-5544"):
        monkeypatch.setattr(module, "_identity_of", lambda position, identifier=identifier: identifier)
        names.add(describe_device(torch.device("cuda", 0)))
        assert describe_device(torch.device("cuda")).startswith("cuda Pretended")
    assert names == {"cuda:0 Pretended 0a1b2c3d", "cuda:0 Pretended 99887766"}
