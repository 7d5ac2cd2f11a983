"""The ablation as bars with intervals."""

from pathlib import Path

from fersnet.report.ablation import draw_ablation
from fersnet.report.files import read_table
from fersnet.report.style import save_figure
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    figure = draw_ablation(read_table(Path(snakemake.input.table), ("method", "accuracy")), describe_run(snakemake))
    save_figure(figure, Path(snakemake.output.png).with_suffix(""), report_settings(snakemake).dpi)
