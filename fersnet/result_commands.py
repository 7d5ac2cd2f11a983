"""The commands that read the results of runs: `fersnet show`, `report`, `export`, `check`, `compare` and `survey`."""

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


def export(
    results: Results,
    out: Annotated[Path, typer.Argument(help="Zip file to write.", show_default=False)],
) -> None:
    """Put a finished run into one file to be sent: tables, predictions, settings, versions, checksums, and no face."""
    from fersnet.report.export import export_run

    with one_line_errors():
        count = export_run(results, out)
        print(f"{out}: {count} files, {out.stat().st_size / 1e6:.1f} MB; what may be sent: docs/community_results.md")


def check(
    file: Annotated[Path, typer.Argument(help="A file that `fersnet export` wrote.", show_default=False)],
) -> None:
    """Recompute every table of an exported run from the predictions in it, and compare."""
    from fersnet.report.export import check_export

    with one_line_errors():
        run, count = check_export(file)
        print(f"{file}: run {run.description.run}: all {count} tables are what its predictions give")


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of two or more runs; the first is the one to differ from.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables and comparison.html.")] = Path(
        "results/comparison"
    ),
) -> None:
    """Runs beside each other: accuracies with paired differences, settings that differ, time and memory."""
    from fersnet.report.comparison import compare_runs
    from fersnet.report.terminal import print_comparison, print_link, results_console

    with one_line_errors():
        tables = compare_runs(runs, out)
        console = results_console()
        print_comparison(tables, console)
        print_link("Page", out / "comparison.html", console)


def survey(
    results: Results,
    answers: Annotated[
        list[Path] | None, typer.Option(help="A file that the page saved; may be given again, once for each person.")
    ] = None,
    faces: Annotated[int, typer.Option(min=1, help="Faces of each system, and real ones, of each dataset.")] = 12,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the draw.", show_default="the run's")] = None,
) -> None:
    """Write a page on which people say what they see in the synthetic faces; or, with answers, what they saw."""
    from fersnet.report.survey.answers import survey_results
    from fersnet.report.survey.page import write_survey
    from fersnet.report.terminal import print_comparison, results_console

    with one_line_errors():
        if answers:
            print_comparison([survey_results(results, answers)], results_console())
            print(f"Table: {(results / 'survey' / 'survey.csv').resolve()}")
            return
        written = write_survey(results, faces, seed)
        for line in written.left_out:
            print(line)
        print(f"{written.items} faces to be judged, in a browser: {written.page.resolve()}")
        print(f"Then: fersnet survey {results} --answers answers.csv")


COMMANDS = (show, report, export, check, compare, survey)
