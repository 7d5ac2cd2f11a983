"""The paper's table of sequence counts."""

from pathlib import Path

import pandas as pd

from fersnet.datasets.sequences import labelled
from fersnet.report.quoted import read_published_counts
from fersnet.report.tables import datasets_table
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, write_table

with tracked_job(snakemake):
    indexes = {Path(path).parent.name: labelled(pd.read_parquet(path)) for path in snakemake.input.indexes}
    write_table(
        snakemake,
        datasets_table(indexes, read_published_counts(Path(snakemake.input.published)), describe_run(snakemake)),
    )
