"""Trains a FERSNet variant on a fold's training subjects."""

from pathlib import Path

from fersnet.synthesis.augmented_files import with_augmented
from fersnet.training.batches import face_set
from fersnet.training.fersnet import fit
from fersnet.training.identity import load_identity
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import note_model, read_split, read_store, training_run
from workflow_scripts.variant import variant_arguments

with tracked_job(snakemake) as record:
    arguments = variant_arguments(snakemake.params.settings)
    selection = arguments["training"].selection
    expressions = tuple(snakemake.params.expressions)
    store = read_store(snakemake)
    split = read_split(snakemake, store, selection == "validation")
    faces = face_set(store, split.train, expressions)
    if snakemake.input.augmentation:
        faces = with_augmented(faces, Path(snakemake.input.augmentation[0]))
    run = training_run(snakemake, record, arguments["model"].width, {"faces": snakemake.params.faces})
    fit(
        faces,
        **arguments,
        run=run,
        identity=load_identity(Path(snakemake.input.identity), run.device),
        pretrained=Path(snakemake.input.pretrained[0]) if snakemake.input.pretrained else None,
        validation=face_set(store, split.validation, expressions) if selection == "validation" else None,
        test=face_set(store, split.test, expressions) if selection == "test_best" else None,
    )
    note_model(snakemake, record)
