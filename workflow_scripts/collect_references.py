"""The works behind the tables, for those who write a paper with them."""

from pathlib import Path

from fersnet.methods.bibtex import bibtex_file
from fersnet.methods.contract import Reference
from workflow_scripts.job import tracked_job

with tracked_job(snakemake):
    works = {key: Reference(**work) for key, work in snakemake.params.works.items()}
    Path(snakemake.output.bibtex).write_text(bibtex_file(works), encoding="utf-8", newline="\n")
