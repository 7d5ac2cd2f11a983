"""The comparison of epoch-selection rules."""

from pathlib import Path
from typing import TYPE_CHECKING

from fersnet.report.comparisons import selection_table
from fersnet.report.files import PREDICTION_COLUMNS, read_by_dataset
from fersnet.report.quoted import read_quoted
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import QUOTED, describe_run, report_settings, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with tracked_job(snakemake):
    table = selection_table(
        read_by_dataset(map(Path, snakemake.input.selection), (*PREDICTION_COLUMNS, "rule", "epoch")),
        read_quoted(QUOTED),
        describe_run(snakemake),
        report_settings(snakemake),
        snakemake.params.method,
    )
    write_table(snakemake, table)
