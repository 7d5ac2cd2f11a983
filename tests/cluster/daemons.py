"""A SLURM cluster of one node with pretended GPUs, on loopback only, that lives as long as the process that starts it.

Its daemons run in the foreground as children, with their own configuration, keys and state in one folder, so that an
installed cluster is left alone. A GPU is pretended by a character device (a second `/dev/null`): SLURM counts it,
gives it out and sets CUDA_VISIBLE_DEVICES, which is all that a scheduler knows about a GPU.
"""

import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NODE = "fersnet1"
DAEMONS = ("munged", "slurmctld", "slurmd")
ENDED_WITH_TESTS = ("setpriv", "--pdeathsig", "TERM")
"""Put before a command: it ends with the process that started it, even if that is killed."""
SEARCHED = (*os.get_exec_path(), "/usr/sbin", "/sbin")
"""Where programs are looked for; daemons lie in folders that a user's PATH may lack."""
START_SECONDS = 60
"""How long a daemon may take before the cluster counts as broken."""

# A requeued job waits until its old credential has expired, by SLURM's own value two minutes. ReturnToService=1 leaves
# a node that was set down as it is until it is resumed; with 2 it comes back by itself when its daemon next reports.
CONFIGURATION = """
ClusterName=fersnet
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=20
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=1
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes={node} MaxTime=1 State=UP
"""


class ClusterError(RuntimeError):
    """A daemon or a command of the cluster failed; the message ends with what it printed."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster; its commands need `environment`."""

    folder: Path
    environment: dict[str, str]

    def command(self, *words: str) -> str:
        """What a SLURM command prints.

        Raises:
            ClusterError: if it fails.
        """
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise ClusterError(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def set_node(self, state: str) -> None:
        """Puts the node `down` (its jobs are lost, as when a node dies) or back with `resume`."""
        self.command("scontrol", "update", f"nodename={NODE}", f"state={state}", "reason=test")


@contextmanager
def running_cluster(folder: Path, gpus: int = 2) -> Iterator[Cluster]:
    """Starts a cluster in an empty folder, and shuts it down whatever happens in the body.

    Needs root, since it makes device nodes, and the commands of Debian's slurm-wlm and munge.

    Raises:
        ClusterError: if a daemon does not come up; the message ends with its last words.
    """
    _configure(folder, gpus)
    environment = os.environ | {
        "SLURM_CONF": str(folder / "slurm.conf"),
        "PATH": os.pathsep.join((str(folder / "bin"), *SEARCHED)),
    }
    cluster = Cluster(folder, environment)
    socket_path = folder / "munge.socket"
    files = [f"--{name}-file={folder / f'munge.{name}'}" for name in ("key", "pid", "seed")]
    running: list[subprocess.Popen[bytes]] = []
    try:
        # Forced, since the folder may be closed to other users; there are none.
        munge = (
            "munged",
            "--foreground",
            "--force",
            f"--socket={socket_path}",
            *files,
            f"--log-file={folder / 'munge.log'}",
        )
        running.append(_start(folder, environment, munge))
        _wait_for("munged", running[-1], folder, socket_path.exists)
        running.append(_start(folder, environment, ("slurmctld", "-D", "-f", environment["SLURM_CONF"])))
        _wait_for("slurmctld", running[-1], folder, lambda: "is UP" in _answer(cluster, "scontrol", "ping"))
        running.append(_start(folder, environment, ("slurmd", "-D", "-N", NODE, "-f", environment["SLURM_CONF"])))
        _wait_for("slurmd", running[-1], folder, lambda: _answer(cluster, "sinfo", "-h", "-o", "%t").startswith("idle"))
        yield cluster
    finally:
        if len(running) == len(DAEMONS):
            _end_jobs(cluster)
        for process in reversed(running):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _configure(folder: Path, gpus: int) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    values = {
        "folder": folder,
        "node": NODE,
        "host": socket.gethostname(),
        "controller_port": _free_port(),
        "node_port": _free_port(),
        "cpus": min(os.cpu_count() or 1, 2),
        # Pretended too: two retried trainings of 8 GB must fit by SLURM's books; small faces need little of it.
        "memory": 20000,
        "gpus": gpus,
    }
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**values), encoding="utf-8")
    devices = []
    for number in range(gpus):
        devices.append(folder / f"gpu{number}")
        os.mknod(devices[-1], 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    lines = "".join(f"NodeName={NODE} Name=gpu File={device}\n" for device in devices)
    (folder / "gres.conf").write_text(lines, encoding="utf-8")
    # The executor plugin clears SLURM_CONF around the job step, as an installed cluster has its file in /etc.
    (folder / "bin").mkdir()
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n', encoding="utf-8")
    srun.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)


def _start(folder: Path, environment: dict[str, str], command: Sequence[str]) -> subprocess.Popen[bytes]:
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise ClusterError(f"{command[0]} is not installed; run tests/cluster/install")
    with (folder / f"{command[0]}.out").open("wb") as output:
        return subprocess.Popen(
            [*ENDED_WITH_TESTS, program, *command[1:]],
            env=environment,
            stdout=output,
            stderr=output,
            # Ctrl-C is for the tests, which then end the cluster in order.
            start_new_session=True,
        )


def _wait_for(name: str, process: subprocess.Popen[bytes], folder: Path, ready: Callable[[], bool]) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            words = (folder / f"{name}.out").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise ClusterError(f"{name} does not come up (exit code {process.poll()}): {words}")
        time.sleep(0.2)


def _answer(cluster: Cluster, *words: str) -> str:
    try:
        return cluster.command(*words)
    except ClusterError:
        return ""


def _end_jobs(cluster: Cluster) -> None:
    """Ends what still runs, so that no job outlives its cluster."""
    _answer(cluster, "scancel", "--quiet", "--signal=KILL", "--full", f"--nodelist={NODE}")
    _answer(cluster, "scancel", "--quiet", "--user=root")
    end = time.monotonic() + START_SECONDS
    while _answer(cluster, "squeue", "--noheader").strip() and time.monotonic() < end:
        time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
