"""Enlarges and balances a fold's training faces with those of a trained synthesis system."""

from pathlib import Path

import torch

from fersnet.methods.find import load_code
from fersnet.settings.training import AugmentationSettings
from fersnet.synthesis.augmentation import augment
from fersnet.synthesis.augmented_files import write_augmented
from fersnet.training.batches import crop_and_flip, face_set
from fersnet.training.inference import load
from workflow_scripts.job import job_seed, tracked_job
from workflow_scripts.training_job import job_device, read_split, read_store

with tracked_job(snakemake) as record:
    device = job_device(snakemake, record)
    store = read_store(snakemake)
    split = read_split(snakemake, store, snakemake.params.hold_out)
    real = face_set(store, split.train, tuple(snakemake.params.expressions)).to(device)
    logits_of = None
    if snakemake.input.reader:
        reader = load(Path(snakemake.input.reader[0]), device)

        def logits_of(faces):
            return reader.network(crop_and_flip(faces, reader.image_size, train=False)).logits

    with torch.no_grad():
        enlarged, table = augment(
            real,
            load_code(snakemake.params.module).load(Path(snakemake.input.checkpoint), device),
            logits_of,
            AugmentationSettings.model_validate(snakemake.params.settings, strict=False),
            snakemake.params.image_size,
            job_seed(snakemake),
            snakemake.params.targets,
        )
    write_augmented(Path(snakemake.output.faces), enlarged)
    table.to_csv(snakemake.output.table, index=False)
    record.metrics = {"synthetic": len(enlarged) - len(real), "real": len(real)}
