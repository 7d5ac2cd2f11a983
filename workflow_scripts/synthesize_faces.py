"""Synthesises every test face of every fold with each of the expressions that are compared."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from fersnet.synthesis.generation import synthesize_faces, write_synthetic
from fersnet.training.batches import face_set
from workflow_scripts.job import job_seed, tracked_job
from workflow_scripts.training_job import job_device, read_split, read_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with tracked_job(snakemake) as record:
    device = job_device(snakemake, record)
    store = read_store(snakemake)
    system = importlib.import_module(snakemake.params.family)
    count = 0
    files = zip(snakemake.input.checkpoints, snakemake.output.syntheses, strict=True)
    for fold, (checkpoint, output) in enumerate(files, start=1):
        synthesizer = system.load(Path(checkpoint), device)
        split = read_split(snakemake, store, fold=fold)
        test = face_set(store, split.test, tuple(snakemake.params.expressions)).to(device)
        faces = synthesize_faces(synthesizer, test, snakemake.params.image_size, job_seed(snakemake))
        write_synthetic(Path(output), faces)
        count += len(faces.images)
    record.metrics = {"faces": count}
