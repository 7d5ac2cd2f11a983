"""The comparison of epoch-selection rules."""

from pathlib import Path

from fersnet.report.comparisons import selection_table
from fersnet.report.files import PREDICTION_COLUMNS, read_by_dataset
from fersnet.report.quoted import read_quoted
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings, write_table

with tracked_job(snakemake):
    table = selection_table(
        read_by_dataset(map(Path, snakemake.input.selection), (*PREDICTION_COLUMNS, "rule", "epoch")),
        read_quoted(Path(snakemake.input.quoted)),
        describe_run(snakemake),
        report_settings(snakemake),
        snakemake.params.method,
    )
    write_table(snakemake, table)
