"""Confusion matrices of all recognition methods of a dataset."""

from pathlib import Path

from fersnet.report.confusion import draw_confusion, recognition_confusion
from fersnet.report.files import read_predictions
from fersnet.report.style import save_figure
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    dataset, description = snakemake.wildcards.dataset, describe_run(snakemake)
    predictions = read_predictions(map(Path, snakemake.input.predictions))
    folder = Path(snakemake.output[0]).parent
    for method, rows in predictions.groupby("method"):
        figure = draw_confusion(recognition_confusion(rows), dataset, str(method), description)
        save_figure(figure, folder / f"confusion_{dataset}_{method}", report_settings(snakemake).dpi)
