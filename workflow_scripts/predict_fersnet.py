"""Reads the test faces of every fold with the fold's trained FERSNet."""

from pathlib import Path

import pandas as pd

from fersnet.training.batches import face_set
from fersnet.training.inference import predict
from fersnet.training.predictions import accuracies, prediction_table
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import job_device, read_split, read_store

with tracked_job(snakemake) as record:
    device = job_device(snakemake, record)
    store = read_store(snakemake)
    tables = []
    params, checkpoints = snakemake.params, snakemake.input.checkpoints
    for fold, checkpoint, output in zip(params.folds, checkpoints, snakemake.output.predictions, strict=True):
        subjects = read_split(snakemake, store, fold=fold).test
        test = face_set(store, subjects, tuple(params.expressions), may_be_empty=True)
        predictions = prediction_table(test, predict(Path(checkpoint), test, device).probabilities)
        predictions.to_parquet(output, index=False)
        tables.append(predictions)
    record.metrics = accuracies(pd.concat(tables))
