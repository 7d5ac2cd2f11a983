"""`fersnet …`: the command line beside the workflow."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from fersnet import __version__, model_commands
from fersnet.command import Commands, one_line_errors
from fersnet.datasets.fetching.command import fetch
from fersnet.errors import UserError
from fersnet.result_commands import COMMANDS, Results
from fersnet.tuning.command import tune

COMMANDS_HEADER = """\
# All commands

For everyone at a terminal. Written from the commands themselves by `fersnet commands`; a test fails when it drifts.
"""

app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(fetch)
app.command()(tune)
render = typer.Typer(help="Draw embedded faces.", no_args_is_help=True)
app.add_typer(render, name="render")
for command in (model_commands.describe, model_commands.predict, model_commands.synthesize, model_commands.demo):
    app.command()(command)
for command in COMMANDS:
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"fersnet {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it and exit.")
    ] = False,
) -> None:
    """Facial expression recognition and synthesis. The workflow itself is started with snakemake or make."""


@app.command()
def sync(
    results: Results,
    keep_time: Annotated[
        bool, typer.Option(help="Leave the time of jobs.csv as it is, so that nothing reruns.")
    ] = False,
    ended: Annotated[
        bool, typer.Option(help="No job runs any more: what a killed job left as running on another host is KILLED.")
    ] = False,
) -> None:
    """Copy the job records of a run to the tracking store, and bring jobs.csv up to date.

    The exit status is 1 where the store did not take everything.
    """
    from fersnet.jobs_table import write_jobs
    from fersnet.mirror import mirror
    from fersnet.tracking import jobs_folder

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    with one_line_errors():
        if not jobs_folder(results).is_dir():
            raise UserError(f"{results}: no job was tracked here; give the folder of a run, e.g. results/embedded")
        mirrored = mirror(results, ended=ended)
        table = results / "jobs.csv"
        if not keep_time:
            write_jobs(results, table, mirrored.run_ids, ended)
        elif table.is_file():
            time = table.stat()
            write_jobs(results, table, mirrored.run_ids, ended)
            os.utime(table, ns=(time.st_atime_ns, time.st_mtime_ns))
    if mirrored.failure:
        raise typer.Exit(1)


@app.command()
def plan(
    configfile: Annotated[list[Path] | None, typer.Option(help="Laid over the default; may be given again.")] = None,
    cores: Annotated[int, typer.Option(min=1, help="Cores of the run.")] = 2,
    gpus: Annotated[int, typer.Option(min=0, help="GPUs of the run, as in --resources gpu=N.")] = 0,
    history: Annotated[
        Path | None,
        typer.Option(
            help="An earlier run, of any config, whose jobs calibrate the estimates; results/embedded if done."
        ),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="A run of this config that has ended: print estimate against actual instead.")
    ] = None,
) -> None:
    """Say what a run will take: jobs and hours per rule, memory, disk, the critical path and the time to the end; and
    which difference between two methods it can see."""
    from fersnet.claims import read_claims
    from fersnet.costs.sizes import planned_sizes
    from fersnet.plan.estimate import estimate
    from fersnet.plan.graph import read_graph
    from fersnet.plan.history import read_history
    from fersnet.plan.summary import compare, describe_plan
    from fersnet.project import named_file
    from fersnet.report.power import describe_power
    from fersnet.settings.load import load_settings

    with one_line_errors():
        usual = Path("results/embedded")
        chosen = history or (usual if (usual / "jobs.csv").is_file() else None)
        past = None if chosen is None else read_history(chosen)
        jobs = read_graph(configfile or [])
        if against is None and not any(job.needed for job in jobs):
            print("Nothing to run: all that this config asks for is there and up to date.")
            return
        settings = load_settings(files=configfile or [])
        sizes = planned_sizes(settings, Path())
        estimates = estimate(jobs, sizes, past)
        print(f"Calibrated by: {chosen or 'no earlier run'}")
        if against is None:
            print(describe_plan(estimates, settings, sizes, cores, gpus))
            claims = read_claims(named_file("config/claims.csv"))
            known = {key: sizes.of(key) for key in settings.recognition_datasets}
            print("\n".join(describe_power(settings, known, claims, chosen)))
            return
        table = compare(estimates, read_history(against))
        print(table.to_string(index=False, float_format="{:.1f}".format, na_rep="-"))


@app.command()
def settings(
    check: Annotated[bool, typer.Option(help="Only say whether the files are up to date.")] = False,
) -> None:
    """Write docs/settings.md and the JSON schema from the settings' types."""
    from fersnet.project import CONFIG, PROJECT
    from fersnet.settings.page import json_schema, settings_page

    with one_line_errors():
        source = "the settings' types; run `fersnet settings`"
        _write_page(PROJECT / "docs" / "settings.md", settings_page(), source, check)
        _write_page(CONFIG / "schemas" / "config.schema.json", json_schema(), source, check)


@app.command()
def citations(
    check: Annotated[bool, typer.Option(help="Only say whether the file is up to date.")] = False,
) -> None:
    """Write CITATIONS.md from the references of the methods, datasets and tools."""
    from fersnet.methods.citations import citations_page
    from fersnet.project import PROJECT

    with one_line_errors():
        source = "the references that are declared; run `fersnet citations`"
        _write_page(PROJECT / "CITATIONS.md", citations_page(), source, check)


@app.command()
def ranges(
    check: Annotated[bool, typer.Option(help="Only say whether the file is up to date.")] = False,
) -> None:
    """Write docs/ranges.md from the ranges of all methods."""
    from fersnet.project import PROJECT
    from fersnet.tuning.page import ranges_page

    with one_line_errors():
        source = "the ranges that are declared; run `fersnet ranges`"
        _write_page(PROJECT / "docs" / "ranges.md", ranges_page(), source, check)


@app.command()
def commands(
    check: Annotated[bool, typer.Option(help="Only say whether the file is up to date.")] = False,
) -> None:
    """Write docs/command_line.md from the commands themselves."""
    from fersnet.project import PROJECT

    with one_line_errors():
        source = "the commands; run `fersnet commands`"
        _write_page(PROJECT / "docs" / "command_line.md", commands_page(), source, check)


def commands_page() -> str:
    """`docs/command_line.md`: every command with its arguments and options."""
    from typer.cli import get_docs_for_click
    from typer.core import MARKUP_MODE_KEY

    command = typer.main.get_command(app)
    # In this mode what HTML would take for a tag is escaped.
    with command.make_context("fersnet", [], resilient_parsing=True, obj={MARKUP_MODE_KEY: "rich"}) as context:
        _, text = get_docs_for_click(obj=command, ctx=context, name="fersnet").split("\n", 1)
    return COMMANDS_HEADER + text.rstrip() + "\n"


def _write_page(path: Path, text: str, source: str, check: bool) -> None:
    """Write a file that is made from something else, or only say where the two differ."""
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        raise UserError(f"{path}: differs from {source}")


@render.command("sheet")
def render_sheet(
    out: Annotated[Path, typer.Option(help="PNG file to write.")],
    identities: Annotated[int, typer.Option(min=1)] = 8,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    size: Annotated[int, typer.Option(min=64)] = 192,
) -> None:
    """A contact sheet: a row per identity, a column per expression."""
    with one_line_errors():
        from fersnet.embedded.sheet import draw_sheet

        draw_sheet(out, identities, seed, size)


@render.command("face")
def render_face(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    identities: Annotated[int, typer.Option(min=1)] = 1,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    size: Annotated[int, typer.Option(min=64)] = 256,
    expressions: Annotated[str, typer.Option(help="`all` (neutral and six), or names separated by commas.")] = "all",
) -> None:
    """Single faces with their landmarks: <identity>_<expression>.png and landmarks.csv."""
    with one_line_errors():
        from fersnet.embedded.sheet import draw_faces

        draw_faces(identities, seed, size, expressions, out)


@render.command("tree")
def render_tree(
    reader: Annotated[str, typer.Argument(help="ckplus, oulu_casia, mmi or bu4dfe.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    subjects: Annotated[int, typer.Option(min=1)] = 10,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    workers: Annotated[int, typer.Option(min=1)] = 1,
) -> None:
    """A whole dataset tree, laid out as distributed."""
    with one_line_errors():
        from fersnet.embedded.trees import write_tree
        from fersnet.settings.data import EmbeddedSettings

        write_tree(reader, out, EmbeddedSettings(subjects=subjects), seed, workers)


if __name__ == "__main__":
    app()
