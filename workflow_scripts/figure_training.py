"""Training curves of a dataset."""

from pathlib import Path

from fersnet.report.files import read_histories
from fersnet.report.style import save_figure
from fersnet.report.training import draw_training
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    histories = read_histories(map(Path, snakemake.input.histories))
    figure = draw_training(histories, snakemake.wildcards.dataset, describe_run(snakemake))
    save_figure(figure, Path(snakemake.output.png).with_suffix(""), report_settings(snakemake).dpi)
