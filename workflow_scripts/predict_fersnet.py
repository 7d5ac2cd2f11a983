"""Reads the test faces of a fold with a trained FERSNet."""

from pathlib import Path
from typing import TYPE_CHECKING

from fersnet.training.batches import face_set
from fersnet.training.device import choose_device, describe_device
from fersnet.training.fersnet import predict
from fersnet.training.predictions import accuracies, prediction_table
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import read_split, read_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with tracked_job(snakemake) as record:
    device = choose_device(snakemake.params.device)
    record.device = describe_device(device)
    store = read_store(snakemake)
    test = face_set(store, read_split(snakemake, store).test, tuple(snakemake.params.expressions))
    predictions = prediction_table(test, predict(Path(snakemake.input.checkpoint), test, device).probabilities)
    predictions.to_parquet(snakemake.output.predictions, index=False)
    record.metrics = accuracies(predictions)
