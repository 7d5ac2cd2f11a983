"""A system's strip of intensities on a test face of the first fold that is judged."""

from pathlib import Path

import torch

from fersnet.methods.find import load_code
from fersnet.report.intensity import draw_intensity
from fersnet.report.style import save_figure
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings
from workflow_scripts.training_job import read_split, read_store

with tracked_job(snakemake):
    store, settings = read_store(snakemake), report_settings(snakemake)
    synthesizer = load_code(snakemake.params.module).load(Path(snakemake.input.checkpoint), torch.device("cpu"))
    test = read_split(snakemake, store, fold=snakemake.params.fold).test
    dataset, method = snakemake.wildcards.dataset, snakemake.wildcards.method
    figure = draw_intensity(dataset, method, synthesizer, store, test, describe_run(snakemake), settings)
    save_figure(figure, Path(snakemake.output.png).with_suffix(""), settings.dpi)
