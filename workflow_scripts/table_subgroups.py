"""The accuracy by sex, age and ethnicity."""

from pathlib import Path

import pandas as pd

from fersnet.report.files import read_predictions
from fersnet.report.subgroups import subgroups_table
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings, write_table

with tracked_job(snakemake):
    table = subgroups_table(
        read_predictions(map(Path, snakemake.input.predictions)),
        {Path(path).parent.name: pd.read_parquet(path) for path in snakemake.input.indexes},
        describe_run(snakemake),
        report_settings(snakemake),
        tuple(snakemake.params.methods),
    )
    write_table(snakemake, table)
