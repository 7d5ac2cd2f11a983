"""Judges the synthetic faces of all systems of a fold."""

from pathlib import Path

from fersnet.judge.fixed import load_fixed_judge
from fersnet.synthesis.evaluation import evaluate_fold
from fersnet.synthesis.generation import read_synthetic
from fersnet.training.identity import load_identity
from fersnet.training.standard_fer import load_standard_fer
from workflow_scripts.job import job_seed, tracked_job
from workflow_scripts.training_job import job_device, read_split, read_store

with tracked_job(snakemake) as record:
    device = job_device(snakemake, record)
    store = read_store(snakemake)
    classes = tuple(snakemake.params.expressions)
    if snakemake.params.fixed_judge:
        judge = load_fixed_judge(classes, device)
    else:
        judge, classes = load_standard_fer(Path(snakemake.input.standard_fer[0]), device)
    syntheses = {
        method: vars(read_synthetic(Path(path)))
        for method, path in zip(snakemake.params.methods, snakemake.input.syntheses, strict=True)
    }
    evaluation = evaluate_fold(
        store,
        syntheses,
        judge,
        load_identity(Path(snakemake.input.identity), device),
        snakemake.params.image_size,
        read_split(snakemake, store).test,
        classes=classes,
        device=device,
        seed=job_seed(snakemake),
    )
    evaluation.images.to_parquet(snakemake.output.images, index=False)
    evaluation.sets.to_csv(snakemake.output.sets, index=False)
    correct = evaluation.images["predicted"] == evaluation.images["target"]
    record.metrics = {
        f"accuracy_{method}": float(part.mean()) for method, part in correct.groupby(evaluation.images["method"])
    }
