"""Trains a FERSNet variant on a fold's training subjects, and reads the test subjects' faces with it."""

from pathlib import Path

from fersnet.models.describe import count_parameters
from fersnet.settings.training import VariantRecipe
from fersnet.synthesis.augmented_files import with_augmented
from fersnet.training.batches import face_set
from fersnet.training.fersnet import fit
from fersnet.training.identity import load_identity
from fersnet.training.inference import load, predict
from fersnet.training.predictions import accuracies, prediction_table
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import described, note_model, read_split, read_store, training_run

with tracked_job(snakemake) as record:
    recipe = VariantRecipe.model_validate(snakemake.params.settings, strict=False)
    selection = recipe.training.selection
    expressions = tuple(snakemake.params.expressions)
    store = read_store(snakemake)
    split = read_split(snakemake, store, selection == "validation")
    faces = face_set(store, split.train, expressions)
    test = face_set(store, split.test, expressions, may_be_empty=selection != "test_best")
    if snakemake.input.augmentation:
        faces = with_augmented(faces, Path(snakemake.input.augmentation[0]))
    run = training_run(snakemake, record, recipe.model.width, described(snakemake))
    fit(
        faces,
        recipe,
        run,
        load_identity(Path(snakemake.input.identity), run.device),
        pretrained=Path(snakemake.input.pretrained[0]) if snakemake.input.pretrained else None,
        validation=face_set(store, split.validation, expressions) if selection == "validation" else None,
        test=test if selection == "test_best" else None,
    )
    checkpoint = Path(snakemake.output.checkpoint)
    predictions = prediction_table(test, predict(checkpoint, test, run.device).probabilities)
    predictions.to_parquet(snakemake.output.predictions, index=False)
    record.metrics = {"parameters": count_parameters(load(checkpoint).network), **accuracies(predictions)}
    note_model(snakemake, record)
