"""The paper's claims, each with its verdict here."""

from pathlib import Path

from fersnet.claims import read_claims
from fersnet.report.claims import claims_table
from fersnet.report.files import EVALUATION_COLUMNS, read_predictions, read_systems
from fersnet.report.quoted import read_quoted
from fersnet.report.utility import by_system
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings, write_table

with tracked_job(snakemake):
    table = claims_table(
        read_claims(Path(snakemake.input.claims)),
        by_system(read_predictions(map(Path, snakemake.input.predictions))),
        read_systems(map(Path, snakemake.input.evaluations), EVALUATION_COLUMNS),
        read_quoted(Path(snakemake.input.quoted)),
        describe_run(snakemake),
        report_settings(snakemake),
    )
    write_table(snakemake, table)
