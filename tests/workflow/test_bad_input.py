"""What a user gets for a wrong config: one clear line before any job, and no traceback."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.workflow.conftest import snakemake

CASES = {
    "unknown key": ("modle: {width: 4}", ["'modle'", "mine.yaml"]),
    "negative size": ("model: {width: -1}", ["model.width"]),
    "no folds": ("folds: {count: 0}", ["folds.count"]),
    "F4 more folds than subjects": ("folds: {count: 21}", ["folds.count", "datasets.mmi", "15 or less"]),
    "F4 a checkpoint that is not there": (
        "identity: {checkpoint: /nowhere/x.pth}",
        ["identity.checkpoint", "/nowhere"],
    ),
    "F2 a key given twice": ("seed: 2\nseed: 3", ["mine.yaml, lines 1 and 2", "'seed'"]),
    "F3 a variant called identity": ("variants: {identity: {name: mine}}", ["variants.identity", "identity network"]),
    "unknown method": ("rivals: {methods: [startgan]}", ["startgan", "stargan"]),
    "unknown baseline": ("baselines: {methods: [lbptop]}", ["lbptop", "lbp_top", "mine.yaml"]),
    "clips too short": ("faces: {clip_frames: 2}", ["baselines.lbp_top.time_radii", "faces.clip_frames"]),
    "missing folder": (
        "datasets: {ckplus: {root: /nowhere/ckplus}}",
        ["dataset ckplus", "/nowhere/ckplus", "datasets.ckplus.root"],
    ),
    "wrong folder": ("datasets: {mmi: {root: config}}", ["dataset mmi", "datasets.mmi.root"]),
    "broken yaml": ("model: {width: [", ["not valid JSON or YAML"]),
}


@pytest.mark.parametrize("case", CASES)
def test_one_clear_line_before_any_job(project: Path, case: str) -> None:
    text, parts = CASES[case]
    (project / "mine.yaml").write_text(text + "\n", encoding="utf-8")
    done = snakemake(project, "-n", "--cores", "1", "--configfile", "mine.yaml")
    assert done.returncode != 0
    for part in parts:
        assert part in done.stdout, done.stdout
    assert "Traceback" not in done.stdout
    assert not (project / "results").exists()


def test_a_results_folder_that_cannot_be_written_says_so(project: Path) -> None:
    # Root may write anywhere, so the folder is made impossible instead of forbidden.
    (project / "results").write_text("", encoding="utf-8")
    done = snakemake(project, "--cores", "1", "--configfile", "config/smoke.yaml")
    assert done.returncode != 0
    assert "results/smoke: cannot be written" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ('{"methods": ["fersnet_fes_da"]}', "tuning.methods: fersnet_fes_da builds on another training; name fersnet"),
        ('{"methods": ["hog3d"]}', "nothing to tune: no method of this config has ranges"),
        ('{"parts": 9, "folds": 9}', "people in 9 parts (tuning.parts) leave"),
    ],
)
def test_a_search_that_would_find_nothing_is_refused_where_the_workflow_starts_it(
    project: Path, asked: str, line: str
) -> None:
    done = snakemake(project, "tuning", "--cores", "1", "--config", f"tuning={asked}")
    assert done.returncode != 0
    assert line in done.stdout
    assert "Traceback" not in done.stdout
    assert not (project / "results/embedded/tuning").exists()


def test_f4_f7_an_unknown_subject_stops_the_run_once_the_index_is_there_and_the_end_says_so(project: Path) -> None:
    subjects = 'report={"chosen_subjects": {"oulu_casia": ["s99"]}}'
    done = snakemake(
        project, "--cores", "2", "--configfile", "config/smoke.yaml", "--config", subjects, "--",
        "results/smoke/datasets/oulu_casia/folds_check.csv", "results/smoke/datasets/mmi/index.parquet",
    )  # fmt: skip
    assert done.returncode != 0
    assert (project / "results/smoke/datasets/mmi/index.parquet").is_file()
    end = done.stdout[done.stdout.index("1 job failed") :]
    assert "- check_folds oulu_casia: report.chosen_subjects.oulu_casia: 's99' is no test subject" in end
    assert "choose among P001, P004" in end
    assert "not made for it: 1 other file" in end
    assert "Traceback" not in done.stdout


def test_a_full_disk_costs_one_job_and_nothing_that_is_finished(project: Path) -> None:
    # A limit on the size of a file stands for the full disk: the system refuses the write in the same place.
    target = ("--configfile", "config/smoke.yaml", "--", "results/smoke/datasets/ckplus/faces.npy")
    limited = snakemake(
        project,
        "--cores",
        "2",
        *target,
        before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )
    assert limited.returncode != 0
    assert "align_faces ckplus: " in limited.stdout, limited.stdout
    assert "File too large; free some space, then run again" in limited.stdout
    assert "1 job failed" in limited.stdout
    assert "Traceback" not in limited.stdout
    planned = snakemake(project, "-n", "--cores", "2", *target).stdout
    assert "align_faces" in planned
    assert "render_dataset" not in planned
    assert "index_sequences" not in planned


def test_an_interrupted_run_goes_on_where_it_was(project: Path) -> None:
    fewer = ("--config", "datasets={ckplus: null}", "synthesis={datasets: [oulu_casia]}")
    words = ("--cores", "1", "--configfile", "config/smoke.yaml", *fewer, "--", "data")
    command = [sys.executable, "-m", "snakemake", *words]
    output = project / "output.txt"
    with output.open("w") as file:
        run = subprocess.Popen(
            command, cwd=project, env=os.environ | {"PYTHONPATH": ""}, stdout=file, stderr=file, start_new_session=True,
            # A shell that runs the tests in the background lets them, and so their children, ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )  # fmt: skip
        # The second log file is there as soon as the second job is at work.
        deadline = time.monotonic() + 300
        while len(list(project.glob("results/smoke/logs/*/*.log"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait(timeout=600) != 0
    assert "stopped from outside; run again to go on" in output.read_text()
    assert "Traceback" not in output.read_text()
    finished = list(project.glob("results/smoke/embedded/*/manifest.csv"))
    assert len(finished) == 1
    before = finished[0].stat().st_mtime_ns
    done = snakemake(project, *words)
    assert done.returncode == 0, done.stdout[-3000:]
    assert finished[0].stat().st_mtime_ns == before
    # Case E5: a run whose output goes to a file says what is done and how much there is.
    lines = re.findall(r"^\d\d:\d\d:\d\d  (\d+) of (\d+) jobs done: (.*)$", done.stdout, re.MULTILINE)
    assert [int(count) for count, _, _ in lines] == list(range(1, int(lines[0][1]) + 1))
    assert "align_faces mmi" in [name for _, _, name in lines]
    assert lines[-1][2] == "data"
