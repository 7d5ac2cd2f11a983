"""Takes the training subjects of a fold, with their faces, as a dataset of their own."""

from pathlib import Path

from fersnet.folds import read_folds, split_subjects
from fersnet.tuning.people import copy_people
from workflow_scripts.job import tracked_job

with tracked_job(snakemake) as record:
    source, target = Path(snakemake.input.faces).parent, Path(snakemake.output.faces).parent
    fold, theirs = snakemake.params.fold, None
    if fold is not None:
        theirs = split_subjects(read_folds(Path(snakemake.input.folds)), fold, hold_out_validation=False).train
    record.metrics = {"faces": copy_people(source, target, theirs)}
    whole = (source / "checksum.txt").read_text(encoding="utf-8").split()[0]
    Path(snakemake.output.checksum).write_text(f"{whole} without the test subjects of fold {fold}\n", encoding="utf-8")
