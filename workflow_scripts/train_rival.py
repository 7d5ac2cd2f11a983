"""Trains a synthesis system on the fold's training subjects."""

from pathlib import Path

from fersnet.training.batches import face_set, neutral_faces
from fersnet.training.identity import load_identity
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import read_method, read_split, read_store, training_run

with tracked_job(snakemake) as record:
    method, code, settings = read_method(snakemake)
    store = read_store(snakemake)
    train = read_split(snakemake, store, snakemake.params.hold_out).train
    run = training_run(snakemake, record, getattr(settings, "width", 1), {"image_size": snakemake.params.image_size})
    identity = load_identity(Path(snakemake.input.identity), run.device)
    expressions = tuple(snakemake.params.expressions)
    more = {}
    if "neutral faces" in method.reads:
        more["neutral"] = neutral_faces(store, train, expressions)
    code.fit(face_set(store, train, expressions), settings, run, identity, **more)
