"""What the scripts of tables and figures share: the run's description, the quoted figures, and writing."""

from pathlib import Path
from typing import TYPE_CHECKING

from fersnet.report import writing
from fersnet.report.description import RunDescription
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


def write_table(snakemake: "Snakemake", table: Table) -> None:
    """Write a table in all its forms, beside the first of the job's outputs."""
    writing.write_table(table, Path(snakemake.output[0]).parent)
