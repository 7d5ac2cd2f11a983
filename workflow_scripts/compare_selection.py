"""Trains once with the validation subjects held out, and reads the test faces by each epoch-selection rule."""

from pathlib import Path

import pandas as pd

from fersnet.settings.training import VariantRecipe
from fersnet.training.batches import face_set
from fersnet.training.fersnet import train_and_compare
from fersnet.training.identity import load_identity
from fersnet.training.predictions import prediction_table
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import read_split, read_store, training_run

with tracked_job(snakemake) as record:
    recipe = VariantRecipe.model_validate(snakemake.params.settings, strict=False)
    expressions = tuple(snakemake.params.expressions)
    store = read_store(snakemake)
    split = read_split(snakemake, store, hold_out=True)
    run = training_run(snakemake, record, recipe.model.width)
    test = face_set(store, split.test, expressions)
    _, choices = train_and_compare(
        face_set(store, split.train, expressions),
        face_set(store, split.validation, expressions),
        test,
        recipe,
        run,
        load_identity(Path(snakemake.input.identity), run.device),
    )
    parts = [
        prediction_table(test, choice.probabilities).assign(rule=rule, epoch=choice.epoch)
        for rule, choice in choices.items()
    ]
    pd.concat(parts).to_parquet(snakemake.output.predictions, index=False)
    (run.folder / "checkpoint.pt").unlink()
    record.metrics = {f"test_accuracy_{rule}": choice.test_accuracy for rule, choice in choices.items()}
