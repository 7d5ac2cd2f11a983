"""The recognition table of one dataset."""

from pathlib import Path

from fersnet.report.coverage import coverage_notes
from fersnet.report.files import read_predictions, read_training_jobs
from fersnet.report.quoted import read_quoted
from fersnet.report.tables import recognition_table
from fersnet.report.utility import by_system, recogniser_notes
from workflow_scripts.job import results_folder, tracked_job
from workflow_scripts.report_job import describe_run, report_settings, write_table

with tracked_job(snakemake):
    predictions = read_predictions(map(Path, snakemake.input.predictions))
    description = describe_run(snakemake)
    notes = coverage_notes(predictions, [Path(snakemake.input.folds).parent])
    table = recognition_table(
        snakemake.wildcards.dataset,
        by_system(predictions),
        read_quoted(Path(snakemake.input.quoted)),
        by_system(read_training_jobs(results_folder(snakemake), predictions)),
        description,
        report_settings(snakemake),
        (*notes, *recogniser_notes(predictions, description)),
    )
    write_table(snakemake, table)
