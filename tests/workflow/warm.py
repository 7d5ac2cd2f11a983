"""Runs of Snakemake, and where they are many also its jobs, from processes that have loaded the large libraries.

A small run spends most of its time on starting Python, Snakemake and PyTorch. Here each run and each job is still a
process of its own, only that it is forked off instead of started anew. That all of them start anew, too, is shown by
the tests that interrupt a run, and for every rule by those on a cluster.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import wait
from pathlib import Path
from threading import Lock
from typing import Any

# Nothing large is imported here: each of the processes reads this file.
FOR_RUNS = ("snakemake.cli", "snakemake.api", "snakemake.script", "snakemake_executor_plugin_slurm", "pandas")
FOR_JOBS = (
    "snakemake.script",
    "torch",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "skimage.feature",
    "cv2",
    "seaborn",
)
JOB = """
import atexit, runpy, threading
try:
    runpy.run_path(path, run_name="__main__")
finally:
    threading._shutdown()
    atexit._run_exitfuncs()
"""
"""A script, and what the interpreter does at its end, but a forked process does not: it would wait five minutes for
joblib's idle workers. As a text, since the tests are not in the job's path."""
FORKED = multiprocessing.get_context("forkserver")
ALONE = Lock()
"""The standard library reads the exit code of an ended process at any start of another one."""
PATIENCE = 2 * 3600.0
"""Seconds after which a run counts as stuck, on the slowest of machines."""


def run_module(
    name: str, folder: Path, words: Sequence[str], environment: dict[str, str], warm_jobs: bool = False
) -> subprocess.CompletedProcess[str]:
    """`python -m name words` in a folder and an environment; stdout and stderr together in `.stdout`."""
    FORKED.set_forkserver_preload(list(FOR_RUNS))
    with tempfile.NamedTemporaryFile() as output:
        run = FORKED.Process(target=_run, args=(name, str(folder), words, environment, output.name, warm_jobs))
        run.start()
        run.join(PATIENCE)
        run.kill()
        run.join()
        text = Path(output.name).read_text(encoding="utf-8", errors="replace")
    return subprocess.CompletedProcess([name, *words], run.exitcode, text)


def _run(name: str, folder: str, words: Sequence[str], environment: dict[str, str], output: str, warm: bool) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    # As without the tests: what pytest has put there stays out.
    project = Path(__file__).parents[2]
    ours = {"", *map(str, (project, *project.glob("tests/**/")))}
    sys.path[:] = [folder, *(path for path in sys.path if path.rstrip("/") not in ours)]
    sys.argv[1:] = words
    number = os.open(output, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(number, stream)
    if warm:
        from snakemake.script import PythonScript

        FORKED.set_forkserver_preload(list(FOR_JOBS))
        PythonScript.execute_script = _execute_script
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _execute_script(script: Any, path: str, edit: bool = False) -> None:
    """What Snakemake calls to run a script in a process of its own."""
    from snakemake.benchmark import benchmarked

    with ALONE:
        job = FORKED.Process(target=exec, args=(JOB, {"path": path}))
        job.start()
    with benchmarked(job.pid, script.bench_record):
        wait([job.sentinel])
    with ALONE:
        job.join()
    if job.exitcode:
        raise subprocess.CalledProcessError(job.exitcode, path)
