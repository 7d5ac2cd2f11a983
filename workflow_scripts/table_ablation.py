"""The ablation table."""

from pathlib import Path

from fersnet.report.coverage import coverage_notes
from fersnet.report.files import read_predictions, read_training_jobs
from fersnet.report.quoted import read_quoted
from fersnet.report.tables import ablation_table
from workflow_scripts.job import results_folder, tracked_job
from workflow_scripts.report_job import describe_run, report_settings, write_table

with tracked_job(snakemake):
    predictions = read_predictions(map(Path, snakemake.input.predictions))
    table = ablation_table(
        predictions,
        read_quoted(Path(snakemake.input.quoted)),
        read_training_jobs(results_folder(snakemake), predictions),
        describe_run(snakemake),
        report_settings(snakemake),
        tuple(snakemake.params.datasets),
        tuple(snakemake.params.methods),
        coverage_notes(predictions, [Path(path).parent for path in snakemake.input.folds]),
    )
    write_table(snakemake, table)
