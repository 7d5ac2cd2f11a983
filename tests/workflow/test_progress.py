"""Case E5: what a run says of its progress where its output goes to a file."""

import errno
import logging
import re
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from workflow_scripts.progress import ProgressLines, draws_bars


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
    line = r"\d\d:\d\d:\d\d  12 of 202 jobs done: train_identity dataset=own fold=2\n"
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
