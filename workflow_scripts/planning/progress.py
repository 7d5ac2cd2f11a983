"""How far a run is: a line per finished job where the output goes to a file, the head of the bars on a terminal.

The bars are those of the logger that the profiles name.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

from workflow_scripts.planning.time_left import TimeLeft

SHOWN = 3
"""Running jobs that are named; of more their number is told."""


def draws_bars() -> bool:
    """Whether the standard error can show bars that move."""
    return sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


class Progress(logging.Handler):
    """Follows Snakemake's events, and tells `show` whenever jobs start or end."""

    def __init__(self, left: TimeLeft | None = None) -> None:
        super().__init__()
        self._left = left
        self._running: dict[int, str] = {}
        self._finished: list[str] = []
        self._place = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Take one of Snakemake's events."""
        event: Any = record.__dict__
        match event.get("event"):
            case LogEvent.JOB_INFO:
                number = event["jobid"]
                self._running[number] = " ".join((event["rule_name"], *map(str, event["wildcards"].values())))
                if self._left is not None:
                    self._left.start(number)
            case LogEvent.JOB_FINISHED:
                number = event["job_id"]
                self._finished.append(self._running.pop(number, str(number)))
                if self._left is not None:
                    self._left.finish(number)
            case LogEvent.JOB_ERROR:
                self._running.pop(event["jobid"], None)
            case LogEvent.PROGRESS:
                self._place = f"{event['done']} of {event['total']} jobs done"
            case _:
                return
        try:
            self.show(record)
        except OSError:
            # A full disk or a closed pipe costs what would be shown, not the run.
            self.handleError(record)

    def show(self, record: logging.LogRecord) -> None:
        """Show how far the run is."""
        raise NotImplementedError

    def _time_left(self) -> str:
        return self._left.words() if self._left is not None else ""


class ProgressLines(Progress):
    """Prints a line for every finished job: the time, how many of all are done, what it was, and the time left."""

    def show(self, record: logging.LogRecord) -> None:
        """Print what has finished, once Snakemake says how many that makes."""
        if record.__dict__["event"] != LogEvent.PROGRESS:
            return
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        left = self._time_left()
        ends = f" ({left})" if left else ""
        lines = [f"{clock}  {self._place}: {job}{ends}\n" for job in self._finished]
        self._finished.clear()
        sys.stderr.writelines(lines)
        sys.stderr.flush()


class ProgressHead(Progress):
    """Sets the head of the bars: how many jobs are done, what runs, and the time left."""

    def __init__(self, set_head: Callable[[str], None], left: TimeLeft | None = None) -> None:
        super().__init__(left)
        self._set_head = set_head

    def show(self, record: logging.LogRecord) -> None:
        """Say it anew."""
        running = [*self._running.values()]
        more = f" and {len(running) - SHOWN} more" if len(running) > SHOWN else ""
        runs = f"running {', '.join(running[:SHOWN])}{more}" if running else ""
        self._set_head(" · ".join(filter(None, (self._place, self._time_left(), runs))))
        self._finished.clear()
