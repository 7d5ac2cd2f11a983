"""A SLURM cluster of one node with pretended GPUs, on loopback only, that lives as long as the process that starts it.

Its daemons run in the foreground as children, with their own configuration, keys and state in one folder, so that an
installed cluster is left alone. A GPU is pretended by a character device (a second `/dev/null`): SLURM counts it,
gives it out and sets CUDA_VISIBLE_DEVICES, which is all that a scheduler knows about a GPU.
"""

import os
import random
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

NODE = "fersnet1"
DAEMONS = ("munged", "slurmctld", "slurmd")
ENDED_WITH_TESTS = ("setpriv", "--pdeathsig", "TERM")
"""Put before a command: it ends with the process that started it, even if that is killed."""
SEARCHED = (*os.get_exec_path(), "/usr/sbin", "/sbin")
"""Where programs are looked for; daemons lie in folders that a user's PATH may lack."""
START_SECONDS = 1800
"""After how long without an answer the cluster counts as broken; no time that anything should take."""

# A requeued job waits until its old credential has expired, by SLURM's own value two minutes. ReturnToService=1 leaves
# a node that was set down as it is until it is resumed; with 2 it comes back by itself when its daemon next reports.
# Whatever SLURM takes for lost or hanging after a while gets more of it than a busy machine may need. What is pretended
# of the node is room for two trainings at once, also for retried ones of twice the memory, whatever the machine has.
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
MessageTimeout=100
TCPTimeout=60
BatchStartTimeout=600
SlurmdTimeout=0
KillWait=600
UnkillableStepTimeout=1200
MinJobAge=3600
SchedulerParameters=sched_interval=2,bf_interval=2
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
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=40000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP
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
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
        if done.returncode:
            raise ClusterError(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def end_jobs(self) -> None:
        """Ends what still runs, at once, and waits until it has ended."""
        self.command("scancel", "--quiet", "--signal=KILL", "--full", f"--nodelist={NODE}")
        self.command("scancel", "--quiet", "--user=root")
        end = time.monotonic() + START_SECONDS
        while self.command("squeue", "--noheader").strip():
            if time.monotonic() > end:
                raise ClusterError(f"jobs do not end: {self.command('squeue', '--noheader')}")
            time.sleep(0.5)

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
            with suppress(ClusterError):
                cluster.end_jobs()
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
    controller_port, node_port = _free_ports(2)
    values = {
        "folder": folder,
        "node": NODE,
        "host": socket.gethostname(),
        "controller_port": controller_port,
        "node_port": node_port,
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


def _free_ports(count: int) -> list[int]:
    """Ports below those from which the system serves outgoing connections, so that none is gone before it is used."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found += [port] if port not in found else []
    return found
