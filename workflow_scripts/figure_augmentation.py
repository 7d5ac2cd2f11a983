"""Class counts before and after FES-based augmentation."""

from pathlib import Path

import pandas as pd

from fersnet.folds import read_folds
from fersnet.report.augmentation import class_counts, draw_class_counts
from fersnet.report.files import read_table
from fersnet.report.style import save_figure
from workflow_scripts.job import tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    dataset, description = snakemake.wildcards.dataset, describe_run(snakemake)
    parts = [read_table(Path(path), ("subject", "target")) for path in snakemake.input.augmentations]
    synthetic = pd.concat([part.assign(fold=fold) for fold, part in enumerate(parts, start=1)])
    folds = read_folds(Path(snakemake.input.folds))
    faces = pd.read_parquet(snakemake.input.table)
    counts = class_counts(faces, folds, synthetic, description.selection)
    figure = draw_class_counts(counts, dataset, description)
    save_figure(figure, Path(snakemake.output.png).with_suffix(""), report_settings(snakemake).dpi)
