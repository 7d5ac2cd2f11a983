"""Fits a recognition method on a fold's training subjects, and reads the test subjects' faces or clips with it."""

from pathlib import Path

from fersnet.baselines.clips import ClipSet
from fersnet.training.predictions import accuracies, prediction_table, table_of_predictions
from workflow_scripts.job import tracked_job
from workflow_scripts.recogniser_job import read_more, read_parts, recogniser_run
from workflow_scripts.training_job import read_method, read_split, read_store

with tracked_job(snakemake) as record:
    training, dataset, fold = (snakemake.wildcards[key] for key in ("method", "dataset", "fold"))
    method, code, settings = read_method(snakemake)
    expressions = tuple(snakemake.params.expressions)
    store = read_store(snakemake)
    split = read_split(snakemake, store, hold_out=True)
    train, validation, test = read_parts(snakemake, method, store, split)
    more = read_more(snakemake, method, store, split)
    # What a training leaves to go on from lies beside the models of others.
    folder = Path(snakemake.output.predictions).parents[3] / "models" / dataset / training / f"fold{fold}"
    run = recogniser_run(snakemake, record, settings, folder)
    if snakemake.input.pretrained:
        more["pretrained"] = Path(snakemake.input.pretrained[0])
    model = code.fit(train, validation, settings, run, len(expressions), **more)
    probabilities = model.predict_proba(test)
    if isinstance(test, ClipSet):
        truths = [expressions[label] for label in test.labels]
        whole = [-1] * len(test)
        predictions = table_of_predictions(test.sequence_ids, test.subjects, truths, whole, probabilities, expressions)
    else:
        predictions = prediction_table(test, probabilities)
    predictions.to_parquet(snakemake.output.predictions, index=False)
    record.metrics = accuracies(predictions)
