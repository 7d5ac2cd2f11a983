"""The works behind the tables, for those who write a paper with them."""

from pathlib import Path

from fersnet.report.references import to_bibtex
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import job_references

with tracked_job(snakemake):
    Path(snakemake.output.bibtex).write_text(to_bibtex(job_references(snakemake)), encoding="utf-8", newline="\n")
