"""The table of trainings across datasets."""

from pathlib import Path

from fersnet.report.across import cross_table, read_across
from fersnet.report.files import read_predictions
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings, write_table

with tracked_job(snakemake):
    table = cross_table(
        read_across(map(Path, snakemake.input.across)),
        read_predictions(map(Path, snakemake.input.predictions)),
        describe_run(snakemake),
        report_settings(snakemake),
        tuple(snakemake.params.methods),
    )
    write_table(snakemake, table)
