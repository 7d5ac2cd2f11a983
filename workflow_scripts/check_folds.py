"""Proves that no subject is in two folds, that those who are to be shown are there, and writes the folds' sizes."""

from pathlib import Path

import pandas as pd

from fersnet.folds import check_chosen, check_folds, judged_subjects, read_folds
from workflow_scripts.job import tracked_job

with tracked_job(snakemake):
    folds = read_folds(Path(snakemake.input.folds))
    check_folds(folds, snakemake.params.planned)
    # Not params: who is shown in a figure changes nothing in the folds, and another choice must retrain nothing.
    chosen = snakemake.config["report"]["chosen_subjects"].get(snakemake.wildcards.dataset, ())
    judged = judged_subjects(folds, snakemake.config["synthesis"]["folds"])
    check_chosen(snakemake.wildcards.dataset, chosen, judged)
    sizes = folds.groupby("fold").agg(subjects=("subject", "nunique"), sequences=("sequence_id", "size"))
    counts = pd.crosstab(folds["fold"], folds["expression"])
    sizes.join(counts).assign(scheme=snakemake.params.scheme).to_csv(snakemake.output.summary)
