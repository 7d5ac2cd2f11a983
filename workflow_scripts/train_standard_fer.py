"""Trains the standard FER model on real faces of the fold and of other sets, and reads the real test faces with it."""

from fersnet.settings.training import StandardFerSettings
from fersnet.training.batches import face_set
from fersnet.training.predictions import accuracies, face_probabilities, prediction_table
from fersnet.training.standard_fer import fit_standard_fer, load_standard_fer, with_other_sets
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import read_other_sets, read_split, read_store, training_run

with tracked_job(snakemake) as record:
    settings = StandardFerSettings.model_validate(snakemake.params.settings, strict=False)
    size, expressions = snakemake.params.image_size, tuple(snakemake.params.expressions)
    store = read_store(snakemake)
    split = read_split(snakemake, store, snakemake.params.hold_out)
    run = training_run(snakemake, record, settings.width)
    others = read_other_sets(snakemake, store, split.train).values()
    faces = with_other_sets(face_set(store, split.train, expressions), others)
    fit_standard_fer(faces, settings, size, run)
    judge, _ = load_standard_fer(snakemake.output.checkpoint, run.device)
    test = face_set(store, split.test, expressions, may_be_empty=True).to(run.device)
    predictions = prediction_table(test, face_probabilities(judge, test, size))
    predictions.to_parquet(snakemake.output.predictions, index=False)
    record.metrics = accuracies(predictions)
