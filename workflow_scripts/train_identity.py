"""Trains the identity network on the fold's training subjects, or takes the public checkpoint."""

from fersnet.settings.training import IdentitySettings
from fersnet.training.batches import face_set
from fersnet.training.identity import fit_identity
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import read_split, read_store, training_run

with tracked_job(snakemake) as record:
    settings = IdentitySettings.model_validate(snakemake.params.settings, strict=False)
    store = read_store(snakemake)
    split = read_split(snakemake, store, snakemake.params.hold_out)
    expressions = tuple(sorted(set(store.table["expression"])))
    faces = face_set(store, split.train, expressions, role=None)
    fit_identity(faces, settings, snakemake.params.image_size, training_run(snakemake, record, settings.width))
