"""The table of what synthetic faces are worth to a recogniser."""

from pathlib import Path

from fersnet.report.files import read_augmentations, read_predictions, read_training_jobs
from fersnet.report.quoted import read_quoted
from fersnet.report.utility import utility_table
from workflow_scripts.job import results_folder, tracked_job
from workflow_scripts.report_job import describe_run, report_settings, write_table

with tracked_job(snakemake):
    predictions = read_predictions(map(Path, snakemake.input.predictions))
    table = utility_table(
        predictions,
        read_augmentations(map(Path, snakemake.input.augmentations)),
        read_quoted(Path(snakemake.input.quoted)),
        read_training_jobs(results_folder(snakemake), predictions),
        describe_run(snakemake),
        report_settings(snakemake),
        tuple(snakemake.params.datasets),
        snakemake.params.method,
    )
    write_table(snakemake, table)
