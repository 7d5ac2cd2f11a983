"""What the scripts of tables and figures share: the run's description, the quoted figures, and writing."""

from pathlib import Path
from typing import TYPE_CHECKING

from fersnet.methods.cited_work import Work, read_references
from fersnet.report import writing
from fersnet.report.description import RunDescription
from fersnet.report.references import cited
from fersnet.report.table import Table
from fersnet.settings.report import ReportSettings

if TYPE_CHECKING:
    from snakemake.script import Snakemake


def describe_run(snakemake: "Snakemake") -> RunDescription:
    """What every table and figure says about where it comes from."""
    return RunDescription(**snakemake.params.run)


def report_settings(snakemake: "Snakemake") -> ReportSettings:
    """The settings of tables and figures."""
    return ReportSettings.model_validate(snakemake.params.report, strict=False)


def job_references(snakemake: "Snakemake") -> dict[str, Work]:
    """The works behind what the job's table or page names."""
    return read_references(snakemake.params.references)


def write_table(snakemake: "Snakemake", table: Table) -> None:
    """Write a table with its references in all its forms, beside the first of the job's outputs."""
    writing.write_table(cited(table, job_references(snakemake)), Path(snakemake.output[0]).parent)
