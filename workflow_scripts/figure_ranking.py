"""All recognition methods of a dataset in order."""

from pathlib import Path

from fersnet.report.files import read_table
from fersnet.report.ranking import draw_ranking
from fersnet.report.style import save_figure
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    table = read_table(Path(snakemake.input.table), ("method", "accuracy"))
    figure = draw_ranking(table, snakemake.wildcards.dataset, describe_run(snakemake))
    save_figure(figure, Path(snakemake.output.png).with_suffix(""), report_settings(snakemake).dpi)
