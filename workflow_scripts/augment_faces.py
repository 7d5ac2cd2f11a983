"""Enlarges and balances a fold's training faces with the synthesis branch of a trained FERSNet."""

from pathlib import Path

import torch

from fersnet.settings.training import AugmentationSettings
from fersnet.synthesis.augmentation import augment
from fersnet.synthesis.augmented_files import write_augmented
from fersnet.training.batches import face_set
from fersnet.training.inference import load
from workflow_scripts.job import job_seed, tracked_job
from workflow_scripts.training_job import job_device, read_split, read_store

with tracked_job(snakemake) as record:
    device = job_device(snakemake, record)
    store = read_store(snakemake)
    split = read_split(snakemake, store, snakemake.params.hold_out)
    real = face_set(store, split.train, tuple(snakemake.params.expressions)).to(device)
    system = load(Path(snakemake.input.checkpoint), device)
    settings = AugmentationSettings.model_validate(snakemake.params.settings, strict=False)
    with torch.no_grad():
        enlarged, table = augment(
            real,
            system,
            lambda images: system.network(images).logits,
            settings,
            system.image_size,
            job_seed(snakemake),
        )
    write_augmented(Path(snakemake.output.faces), enlarged)
    table.to_csv(snakemake.output.table, index=False)
    record.metrics = {"synthetic": len(enlarged) - len(real), "real": len(real)}
