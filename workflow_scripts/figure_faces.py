"""A contact sheet of a dataset's aligned faces."""

from pathlib import Path

from fersnet.faces.contact_sheet import write_contact_sheet
from fersnet.faces.store import open_store
from fersnet.report.publication import credit, may_be_shown
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    store = open_store(Path(snakemake.input.faces).parent)
    dataset, description = snakemake.wildcards.dataset, describe_run(snakemake)
    subjects = may_be_shown(dataset, set(store.table["subject"]), description, report_settings(snakemake))
    line = credit(dataset, description)
    write_contact_sheet(store, Path(snakemake.output.png), subjects=subjects, credit=line)
