"""The commands that read the results of runs: `fersnet show`, `report`."""

from pathlib import Path
from typing import Annotated

import typer

from fersnet.command import one_line_errors

Results = Annotated[Path, typer.Argument(help="Folder of a run, e.g. results/embedded.")]


def show(results: Results) -> None:
    """Print the ablation, the synthesis table and the claims of a run, and where its report is."""
    from fersnet.report.terminal import print_results

    with one_line_errors():
        print_results(results)


def report(results: Results) -> None:
    """Write the report of a run as it stands; where it has not come to its end, the report says what is missing."""
    from fersnet.report.standing import write_standing_report

    with one_line_errors():
        missing = write_standing_report(results)
        page = (results / "report.html").resolve()
        print(f"Report: {page}" + (f" (unfinished: {missing.words})" if missing else ""))


COMMANDS = (show, report)
