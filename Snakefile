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
include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/stamps.smk"
include: "rules/classes.smk"
include: "rules/data.smk"
include: "rules/training.smk"
include: "rules/synthesis.smk"
include: "rules/baselines.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/handlers.smk"


rule all:
    input:
        "<results>/report.html",
        deliverables(),


rule data:
    input:
        expand("<results>/datasets/{dataset}/{name}", dataset=SETTINGS.datasets, name=STORED),
        face_sheets(),


rule folds:
    input:
        each_dataset("folds_check.csv"),


rule ablation:
    input:
        tables("ablation"),
        "<results>/figures/ablation.png",


rule recognition:
    input:
        recognition_tables(),
        figure_files(*(f"ranking_{dataset}" for dataset in RECOGNITION)),


rule synthesis:
    input:
        tables("synthesis"),
        synthesis_figures(),


rule tables:
    input:
        all_tables(),


rule figures:
    input:
        all_figures(),
