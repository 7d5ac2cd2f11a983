"""`fersnet tune`: the search of a config's settings, as jobs of the workflow."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from fersnet.command import one_line_errors
from fersnet.errors import UserError


def tune(
    configfile: Annotated[
        list[Path] | None, typer.Argument(help="Config files, laid over the default as by --configfile.")
    ] = None,
    cores: Annotated[int, typer.Option(min=1, help="Cores of the search.")] = 2,
    gpus: Annotated[int, typer.Option(min=0, help="GPUs of the search, as in --resources gpu=N.")] = 0,
) -> None:
    """Search the settings of a config's methods, on people whom no reported figure is about.

    What was found before is kept; a search that was stopped goes on. On a cluster: snakemake tuning --workflow-profile
    profiles/slurm --configfile ...
    """
    from fersnet.project import PROJECT
    from fersnet.settings.load import load_settings
    from fersnet.tuning.draws import check_search, followed, left_as_they_are, searched

    with one_line_errors():
        files = configfile or []
        if not (PROJECT / "Snakefile").is_file():
            raise UserError(f"{PROJECT}: no Snakefile here; tune with the fersnet of a copy of the whole project")
        settings = load_settings(files=files)
        check_search(settings)
        found = searched(settings)
        print(f"Searched, with {settings.tuning.draws} draws of each: {', '.join(found)}")
        for key, source in followed(settings).items():
            if source in found:
                print(f"{key}: builds on another training; takes what is chosen for {source}")
        for key in left_as_they_are(settings):
            print(f"{key}: has no ranges; left at its settings")
        sys.stdout.flush()
        words = ["tuning", "--cores", str(cores), "--snakefile", str(PROJECT / "Snakefile")]
        words += ["--configfile", *map(str, files)] if files else []
        words += ["--resources", f"gpu={gpus}"] if gpus else []
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        status = subprocess.call([sys.executable, "-m", "snakemake", *words], env=os.environ | {"PYTHONPATH": path})
        if status:
            raise UserError("the search has not come to its end; the same command goes on with it")
        chosen = Path("results", settings.run, "tuning", "chosen.yaml")
        print(f"Chosen settings: {chosen}")
        print(f"Run with them: snakemake --cores {cores} --configfile {' '.join(map(str, [*files, chosen]))}")
        print(f"All draws: {chosen.with_name('draws.csv')}; as a table: {chosen.with_name('tuning.md')}")
