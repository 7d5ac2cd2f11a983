"""Signals that ask a training to save and stop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED_EXIT_CODE = 75
"""Exit code of a job that saved its state and stopped on request (EX_TEMPFAIL: run it again to go on)."""


class TrainingInterrupted(SystemExit):
    """Training stopped on a signal after saving its state; uncaught, it ends the process with exit code 75."""

    def __init__(self, message: str) -> None:
        super().__init__(INTERRUPTED_EXIT_CODE)
        self.message = message

    def __str__(self) -> str:
        return self.message


class StopRequest:
    """Whether a signal has asked to stop, and which."""

    def __init__(self) -> None:
        self.name: str | None = None

    def __bool__(self) -> bool:
        return self.name is not None

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self.name = signal.Signals(number).name


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turns SIGTERM and SIGUSR1 into a request that the loop reads after each step.

    Outside the main thread, where Python delivers no signals, the request never comes. Earlier handlers are put back
    at the end.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    numbers = (signal.SIGTERM, signal.SIGUSR1)
    earlier = {number: signal.signal(number, request._receive) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
