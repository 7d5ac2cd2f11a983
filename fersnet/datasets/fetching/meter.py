"""How far a download is: a bar on a terminal, a line for each tenth elsewhere."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Meter:
    """What `fetch` announces its downloads to; a context, in which the bar is drawn.

    Args:
        say: takes the lines; None draws a bar where standard error is a terminal.
    """

    def __init__(self, say: Callable[[str], None] | None = None) -> None:
        self._say = say or (None if sys.stderr.isatty() else _print)
        self._bar: Progress | None = None
        self._name, self._total, self._have, self._told = "", 0, 0, 0

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def announce(self, name: str, total: int, have: int) -> Callable[[int], None]:
        """Begin with a number of bytes, of which some are there already."""
        self._name, self._total, self._have, self._told = name, total, have, 10 * have // max(total, 1)
        if self._say is None:
            from rich import progress
            from rich.console import Console

            columns = (progress.BarColumn(), progress.DownloadColumn(), progress.TransferSpeedColumn())
            words = progress.TextColumn("{task.description}")
            self._bar = progress.Progress(words, *columns, progress.TimeRemainingColumn(), console=Console(stderr=True))
            task = self._bar.add_task(name, total=total, completed=have)
            self._bar.start()
            bar = self._bar
            return lambda count: bar.advance(task, count)
        self._say(f"{name}: {total / 1e6:.0f} MB, {have / 1e6:.0f} MB are there")
        return self._arrived

    def _arrived(self, count: int) -> None:
        self._have += count
        tenth = 10 * self._have // max(self._total, 1)
        if tenth > self._told and self._say is not None:
            self._told = tenth
            self._say(f"{self._name}: {10 * tenth} % of {self._total / 1e6:.0f} MB")
