"""Proves that no subject is in two folds, that those who are to be shown are there, and writes the folds' sizes."""

from typing import TYPE_CHECKING

import pandas as pd

from fersnet.folds import check_chosen, check_folds
from workflow_scripts.job import tracked_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with tracked_job(snakemake):
    folds = pd.read_csv(snakemake.input.folds, dtype={"subject": str, "sequence_id": str})
    check_folds(folds)
    # Not a param: who is shown in a figure changes nothing in the folds, and another choice must retrain nothing.
    report = snakemake.config.get("report") or {}
    chosen = (report.get("chosen_subjects") or {}).get(snakemake.wildcards.dataset, ())
    check_chosen(snakemake.wildcards.dataset, chosen, set(folds["subject"]))
    sizes = folds.groupby("fold").agg(subjects=("subject", "nunique"), sequences=("sequence_id", "size"))
    counts = pd.crosstab(folds["fold"], folds["expression"])
    sizes.join(counts).assign(scheme=snakemake.params.scheme).to_csv(snakemake.output.summary)
