"""Case E5: what a run says of its progress where its output goes to a file."""

import errno
import logging
import re
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_logger_plugin_rich.handler import RichLogHandler

from fersnet.costs.job import Job
from workflow_scripts.planning.progress import ProgressHead, ProgressLines, draws_bars
from workflow_scripts.planning.time_left import TimeLeft


def test_e5_each_finished_job_is_one_line_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("snakemake", logging.INFO)
    logger.addHandler(ProgressLines())
    fold = {"dataset": "own", "fold": "2"}
    logger.info(
        "Rule", extra={"event": LogEvent.JOB_INFO, "jobid": 7, "rule_name": "train_identity", "wildcards": fold}
    )
    logger.info("Rule", extra={"event": LogEvent.JOB_INFO, "jobid": 8, "rule_name": "table_ablation", "wildcards": {}})
    logger.info("Rule", extra={"event": LogEvent.JOB_ERROR, "jobid": 8})
    assert capsys.readouterr().err == ""
    logger.info("Finished", extra={"event": LogEvent.JOB_FINISHED, "job_id": 7})
    logger.info(None, extra={"event": LogEvent.PROGRESS, "done": 12, "total": 202})
    line = r"\d\d:\d\d:\d\d  12 of 202 jobs done: train_identity own 2\n"
    assert re.fullmatch(line, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("terminal", "kind", "bars"), [(True, "xterm", True), (True, "dumb", False), (False, "", False)]
)
def test_e5_bars_are_for_terminals_that_can_move_them(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, kind: str, bars: bool
) -> None:
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    assert draws_bars() == bars


def test_e5_output_that_takes_nothing_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    handler = ProgressLines()
    monkeypatch.setattr("logging.raiseExceptions", False)
    monkeypatch.setattr("sys.stderr", SimpleNamespace(writelines=refuse))
    handler.handle(logging.makeLogRecord({"event": LogEvent.JOB_FINISHED, "job_id": 7}))
    handler.handle(logging.makeLogRecord({"event": LogEvent.PROGRESS, "done": 1, "total": 2}))


def test_the_head_of_the_bars_says_what_runs_and_how_long() -> None:
    heads: list[str] = []
    clock = iter(range(0, 1000, 10))
    jobs = {number: Job("train_rival", threads=1) for number in range(5)}
    left = TimeLeft(jobs, cores=1, gpus=0, clock=lambda: float(next(clock)))
    handler = ProgressHead(heads.append, left)

    def event(kind: LogEvent, **values: object) -> None:
        handler.handle(logging.makeLogRecord({"event": kind, **values}))

    for number in range(4):
        event(LogEvent.JOB_INFO, jobid=number, rule_name="train_rival", wildcards={"fold": str(number)})
    assert heads[-1] == "running train_rival 0, train_rival 1, train_rival 2 and 1 more"
    left.estimate([300.0] * 5)
    event(LogEvent.JOB_FINISHED, job_id=0)
    event(LogEvent.PROGRESS, done=1, total=5)
    assert re.fullmatch(
        r"1 of 5 jobs done · about \d+ min left · running train_rival 1, train_rival 2, train_rival 3", heads[-1]
    )
    event(LogEvent.JOB_ERROR, jobid=1)
    assert "train_rival 1" not in heads[-1]


def test_the_time_left_follows_from_the_plan_and_from_the_jobs_so_far() -> None:
    now = [0.0]
    chain = {10 + number: Job("a", after=[number - 1] if number else []) for number in range(6)}
    left = TimeLeft(chain, cores=2, gpus=0, clock=lambda: now[0])
    assert left.seconds() is None and left.words() == ""
    left.estimate([100.0] * 6)
    assert left.seconds() == 600 and left.words() == "about 10 min left"
    left.start(10)
    now[0] = 40.0
    assert left.seconds() == 560
    left.finish(10)
    # Three jobs took twice as long as was thought: so will the others.
    for number in (11, 12):
        left.start(number)
        now[0] += 280.0
        left.finish(number)
    assert left.seconds() == pytest.approx(3 * 200)
    for number in (13, 14, 15):
        left.finish(number)
    assert left.seconds() == 0 and left.words() == "about a minute left"


def test_the_logger_of_the_profiles_has_a_head_to_be_set() -> None:
    settings = SimpleNamespace(dryrun=False, printshellcmds=False, show_failed_logs=False, verbose=False)
    panel = RichLogHandler(settings).live_display.get_renderable()
    assert panel.title == "Workflow Progress"
