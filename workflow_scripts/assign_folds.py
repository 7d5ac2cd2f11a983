"""Assigns the labelled subjects to folds."""

from pathlib import Path

from fersnet.datasets.index import read_index
from fersnet.datasets.sequences import labelled
from fersnet.folds import assign_folds, write_folds
from fersnet.settings.data import FoldsSettings
from workflow_scripts.job import tracked_job

with tracked_job(snakemake):
    index = read_index(Path(snakemake.input.index).parent)
    settings = FoldsSettings.model_validate(snakemake.params.settings, strict=False)
    write_folds(
        assign_folds(labelled(index.sequences), settings, snakemake.params.listed), Path(snakemake.output.folds)
    )
