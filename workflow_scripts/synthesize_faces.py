"""Synthesises the test faces of the folds in which systems are judged, with each expression that is compared."""

from pathlib import Path

from fersnet.methods.find import load_code
from fersnet.synthesis.generation import synthesize_faces, write_synthetic
from fersnet.training.batches import face_set
from workflow_scripts.job import job_seed, tracked_job
from workflow_scripts.training_job import job_device, read_split, read_store

with tracked_job(snakemake) as record:
    device = job_device(snakemake, record)
    store = read_store(snakemake)
    system = load_code(snakemake.params.module)
    count = 0
    files = zip(snakemake.params.folds, snakemake.input.checkpoints, snakemake.output.syntheses, strict=True)
    for fold, checkpoint, output in files:
        synthesizer = system.load(Path(checkpoint), device)
        split = read_split(snakemake, store, fold=fold)
        expressions = tuple(snakemake.params.expressions)
        test = face_set(store, split.test, expressions, may_be_empty=True).to(device)
        faces = synthesize_faces(synthesizer, test, snakemake.params.image_size, job_seed(snakemake))
        write_synthetic(Path(output), faces)
        count += len(faces.images)
    record.metrics = {"faces": count}
