"""ConvFLU gate maps of a dataset."""

from pathlib import Path

from fersnet.report.gates import choose_gates, draw_gates
from fersnet.report.style import save_figure
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    dataset, description = snakemake.wildcards.dataset, describe_run(snakemake)
    arrays = choose_gates(dataset, list(map(Path, snakemake.input.gates)), description, report_settings(snakemake))
    figure = draw_gates(dataset, arrays, description, snakemake.params.method)
    save_figure(figure, Path(snakemake.output.png).with_suffix(""), report_settings(snakemake).dpi)
