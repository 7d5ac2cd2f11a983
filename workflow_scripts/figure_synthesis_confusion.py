"""What the standard FER model reads on each system's synthetic faces of a dataset."""

from pathlib import Path

from fersnet.report.confusion import draw_confusion, synthesis_confusion
from fersnet.report.files import EVALUATION_COLUMNS, read_systems
from fersnet.report.style import save_figure
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    dataset, description = snakemake.wildcards.dataset, describe_run(snakemake)
    evaluation = read_systems(map(Path, snakemake.input.evaluations), EVALUATION_COLUMNS)
    folder = Path(snakemake.output[0]).parent
    for method in snakemake.params.methods:
        counts = synthesis_confusion(evaluation[evaluation["method"] == method])
        figure = draw_confusion(
            counts, dataset, method, description, unit="synthetic faces", row_label="Target expression"
        )
        save_figure(figure, folder / f"confusion_synthesis_{dataset}_{method}", report_settings(snakemake).dpi)
