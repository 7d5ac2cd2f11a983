"""The grid of synthetic faces of a dataset."""

from pathlib import Path

from fersnet.report.grids import draw_grid, grid_blocks
from fersnet.report.style import save_figure
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    dataset, description = snakemake.wildcards.dataset, describe_run(snakemake)
    files = list(map(Path, snakemake.input.syntheses))
    systems = {method: [path for path in files if path.parent.name == method] for method in snakemake.params.methods}
    folder = Path(snakemake.input.faces).parent
    blocks = grid_blocks(dataset, folder, systems, description, report_settings(snakemake))
    figure = draw_grid(dataset, blocks, description)
    save_figure(figure, Path(snakemake.output.png).with_suffix(""), report_settings(snakemake).dpi)
