"""The table of accuracies on synthetic faces."""

from pathlib import Path

from fersnet.report.comparisons import synthesis_table
from fersnet.report.files import EVALUATION_COLUMNS, SET_COLUMNS, read_systems, read_training_jobs
from fersnet.report.quoted import read_quoted
from workflow_scripts.job import results_folder, tracked_job
from workflow_scripts.report_job import describe_run, report_settings, write_table

with tracked_job(snakemake):
    evaluations = read_systems(map(Path, snakemake.input.evaluations), EVALUATION_COLUMNS)
    table = synthesis_table(
        evaluations,
        read_systems(map(Path, snakemake.input.sets), SET_COLUMNS),
        read_quoted(Path(snakemake.input.quoted)),
        read_training_jobs(results_folder(snakemake), evaluations),
        describe_run(snakemake),
        report_settings(snakemake),
        tuple(snakemake.params.datasets),
        snakemake.params.judges,
    )
    write_table(snakemake, table)
