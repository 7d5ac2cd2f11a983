"""Fits a recognition baseline on a fold's training subjects, and reads the test clips with it."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fersnet.baselines.clips import fold_clips
from fersnet.repeats import split_repeat
from fersnet.settings.baselines import BaselinesSettings
from fersnet.training.device import choose_precision
from fersnet.training.predictions import accuracies, table_of_predictions
from fersnet.training.task import TrainingRun
from workflow_scripts.job import job_fingerprint, job_seed, results_folder, tracked_job
from workflow_scripts.training_job import job_device, read_split, read_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with tracked_job(snakemake) as record:
    training, dataset, fold = (snakemake.wildcards[key] for key in ("method", "dataset", "fold"))
    method, _ = split_repeat(training)
    baseline = importlib.import_module(f"fersnet.baselines.{method}")
    section = BaselinesSettings.model_fields[method].annotation
    settings = section.model_validate(snakemake.params.settings, strict=False)
    device = job_device(snakemake, record)
    expressions = tuple(snakemake.params.expressions)
    store = read_store(snakemake)
    split = read_split(snakemake, store, hold_out=True)
    cut = {key: snakemake.params[key] for key in ("size", "frames", "crop")}
    train, validation, test = fold_clips(store, split, expressions, **cut)
    folder = results_folder(snakemake) / "models" / dataset / training / f"fold{fold}"
    folder.mkdir(parents=True, exist_ok=True)
    precision = choose_precision(snakemake.params.precision, device, getattr(settings, "width", 1))
    seed = job_seed(snakemake)
    run = TrainingRun(Path(folder), seed, device, job_fingerprint(snakemake), {}, precision)
    model = baseline.fit(train, validation, settings, seed, run, len(expressions))
    predictions = table_of_predictions(
        test.sequence_ids,
        test.subjects,
        [expressions[label] for label in test.labels],
        [-1] * len(test.sequence_ids),
        model.predict_proba(test) if len(test) else np.zeros((0, len(expressions))),
        expressions,
    )
    predictions.to_parquet(snakemake.output.predictions, index=False)
    record.metrics = accuracies(predictions)
