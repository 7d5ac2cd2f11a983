"""Parts the people of a search into folds, and makes sure that there are enough to read draws on."""

from pathlib import Path

from fersnet.datasets.index import read_index
from fersnet.datasets.sequences import labelled
from fersnet.folds import write_folds
from fersnet.tuning.people import tuning_folds
from workflow_scripts.job import tracked_job

with tracked_job(snakemake):
    index = read_index(Path(snakemake.input.index).parent)
    folds = tuning_folds(labelled(index.sequences), snakemake.params.parts, snakemake.params.read)
    write_folds(folds, Path(snakemake.output.folds))
    sizes = folds.groupby("fold").agg(subjects=("subject", "nunique"), sequences=("sequence_id", "size"))
    sizes.to_csv(snakemake.output.summary)
