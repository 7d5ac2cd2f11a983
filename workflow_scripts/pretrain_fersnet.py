"""Trains a FERSNet variant on the whole of a pre-training dataset."""

from pathlib import Path

from fersnet.training.batches import face_set
from fersnet.training.fersnet import fit
from fersnet.training.identity import load_identity
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import read_store, training_run
from workflow_scripts.variant import variant_arguments

with tracked_job(snakemake) as record:
    arguments = variant_arguments(snakemake.params.settings)
    store = read_store(snakemake)
    faces = face_set(store, frozenset(store.table["subject"]), tuple(snakemake.params.expressions))
    run = training_run(snakemake, record, arguments["model"].width, {"faces": snakemake.params.faces})
    fit(faces, **arguments, run=run, identity=load_identity(Path(snakemake.input.identity), run.device))
