"""One self-contained page with all tables and figures."""

from pathlib import Path

from fersnet.report.cards import DataCard
from fersnet.report.files import read_jobs
from fersnet.report.html import write_report
from fersnet.tracking import git_commit
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, job_references

with tracked_job(snakemake):
    write_report(
        Path(snakemake.output.html),
        describe_run(snakemake),
        [Path(path) for path in snakemake.input.tables],
        [Path(path) for path in snakemake.input.figures if path.endswith(".png")],
        read_jobs(Path(snakemake.input.jobs)),
        {"Commit": git_commit()},
        job_references(snakemake),
        cards=[DataCard(**card) for card in snakemake.params.cards],
    )
