"""From raw dataset folders to every table and figure of the paper; start it with `make reproduce`."""

import os

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.12")

if not isinstance(workflow.current_basedir, os.PathLike):
    raise WorkflowError(
        "the scripts of this workflow import its own Python package, which Snakemake does not fetch with them; "
        "clone the project, and give `snakefile:` the path of the clone's Snakefile"
    )


include: "rules/settings.smk"
include: "rules/classes.smk"
include: "rules/data.smk"
include: "rules/training.smk"
include: "rules/synthesis.smk"
include: "rules/baselines.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/tuning.smk"
include: "rules/handlers.smk"


rule all:
    input:
        "<results>/report.html",
        FILES.deliverables(),


rule data:
    input:
        expand("<results>/datasets/{dataset}/{name}", dataset=SETTINGS.datasets, name=paths.STORED),
        FILES.face_sheets(),


rule folds:
    input:
        FILES.each_dataset("folds_check.csv"),


rule ablation:
    input:
        table("ablation"),
        "<results>/figures/ablation.png",


rule recognition:
    input:
        FILES.recognition_tables(),
        figures(*(f"ranking_{dataset}" for dataset in RUN.recognition)),


rule synthesis:
    input:
        table("synthesis"),
        FILES.synthesis_figures(),


rule tables:
    input:
        FILES.all_tables(),
        paths.REFERENCES,


rule figures:
    input:
        FILES.all_figures(),


rule tuning:
    input:
        "<results>/tuning/chosen.yaml",
