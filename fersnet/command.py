"""How a command ends: one line where something is wrong, and silence where nobody reads on."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer
from typer.core import TyperGroup

from fersnet.errors import UserError

CLOSED_PIPE = 128 + 13
"""Exit status of a command whose reader has gone, as if SIGPIPE had ended it."""


class Commands(TyperGroup):
    """All commands: what the system refuses is one line, and nothing is said when nobody reads on (`| head`)."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        try:
            try:
                return super().main(*arguments, **options)
            finally:
                # Here, and not when the interpreter ends, where nobody could catch what goes wrong.
                if sys.stdout is not None:
                    sys.stdout.flush()
        except SystemExit as end:
            # Typer and rich end in this way when they see a closed pipe.
            if not isinstance(end.__context__, BrokenPipeError):
                raise
            status = CLOSED_PIPE
        except BrokenPipeError:
            status = CLOSED_PIPE
        except OSError as error:
            reason = error.strerror or error
            with suppress(OSError):
                print(f"{error.filename}: {reason}" if error.filename else reason, file=sys.stderr, flush=True)
            status = 1
        # What is left in the buffers must not be tried again.
        for stream in (sys.stdout, sys.stderr) if status == CLOSED_PIPE else (sys.stdout,):
            with suppress(OSError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        sys.exit(status)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Ends the command with the line of a `UserError`, or of a library that is missing, on stderr."""
    try:
        yield
    except UserError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    except ImportError as error:
        # Python's packages are pinned; what a bare system lacks are the libraries that OpenCV loads.
        way_out = "; OpenCV needs it (Debian: apt-get install libgl1 libglib2.0-0)" if ".so" in str(error) else ""
        print(f"{error}{way_out}", file=sys.stderr)
        raise typer.Exit(1) from None
