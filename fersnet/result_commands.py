"""The commands that read the results of runs: `fersnet show`, `report`."""

from pathlib import Path
from typing import Annotated

import typer

from fersnet.command import one_line_errors

Results = Annotated[Path, typer.Argument(help="Folder of a run, e.g. results/embedded.")]


def report(results: Results) -> None:
    """Write the report of a run as it stands; where it has not come to its end, the report says what is missing."""
    from fersnet.report.standing import write_standing_report

    with one_line_errors():
        missing = write_standing_report(results)
        page = (results / "report.html").resolve()
        print(f"Report: {page}" + (f" (unfinished: {missing.words})" if missing else ""))


COMMANDS = (report,)
