"""Mirrors the job records to the tracking store and writes the table of jobs."""

from pathlib import Path

from fersnet.jobs_table import write_jobs
from fersnet.mirror import mirror
from workflow_scripts.job import results_folder, tracked_job

with tracked_job(snakemake) as record:
    results = results_folder(snakemake)
    record.metrics = {"jobs": write_jobs(results, Path(snakemake.output.jobs), mirror(results).run_ids)}
