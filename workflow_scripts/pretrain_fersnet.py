"""Trains a FERSNet variant on the whole of a pre-training dataset."""

from pathlib import Path

from fersnet.settings.training import VariantRecipe
from fersnet.training.batches import face_set
from fersnet.training.fersnet import fit
from fersnet.training.identity import load_identity
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import described, read_store, training_run

with tracked_job(snakemake) as record:
    recipe = VariantRecipe.model_validate(snakemake.params.settings, strict=False)
    store = read_store(snakemake)
    faces = face_set(store, frozenset(store.table["subject"]), tuple(snakemake.params.expressions))
    run = training_run(snakemake, record, recipe.model.width, described(snakemake))
    fit(faces, recipe, run, load_identity(Path(snakemake.input.identity), run.device))
