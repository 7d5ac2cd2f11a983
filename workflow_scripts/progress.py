"""A line per finished job for runs whose output goes to a file; on a terminal the logger of the profiles draws bars.

This is no rule's script: `planning/handlers.py` uses it.
"""

import logging
import os
import sys
import time
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent


def draws_bars() -> bool:
    """Whether the standard error can show bars that move."""
    return sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


class ProgressLines(logging.Handler):
    """Prints a line for every finished job: the time, how many of all are done, the rule and its wildcards."""

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[int, str] = {}
        self._finished: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take one of Snakemake's events; only its event of progress, which follows the ends of jobs, prints."""
        event: Any = record.__dict__
        match event.get("event"):
            case LogEvent.JOB_INFO:
                words = [event["rule_name"], *(f"{key}={value}" for key, value in event["wildcards"].items())]
                self._started[event["jobid"]] = " ".join(words)
            case LogEvent.JOB_FINISHED:
                self._finished.append(event["job_id"])
            case LogEvent.PROGRESS:
                clock = time.strftime("%H:%M:%S", time.localtime(record.created))
                lines = [
                    f"{clock}  {event['done']} of {event['total']} jobs done: {self._started.pop(job, job)}\n"
                    for job in self._finished
                ]
                self._finished.clear()
                try:
                    sys.stderr.writelines(lines)
                    sys.stderr.flush()
                except OSError:
                    # A full disk or a closed pipe costs the lines, not the run.
                    self.handleError(record)
