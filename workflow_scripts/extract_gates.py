"""Keeps the ConvFLU gates of one test face of every fold."""

from pathlib import Path

import numpy as np
import torch

from fersnet.synthesis.generation import to_bytes
from fersnet.training.batches import crop_and_flip, face_set
from fersnet.training.inference import load, predict
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import job_device, read_split, read_store

with tracked_job(snakemake) as record:
    device = job_device(snakemake, record)
    store = read_store(snakemake)
    letter = {"memory": "z", "leaky": "r"}
    for fold, (path, output) in enumerate(
        zip(snakemake.input.checkpoints, snakemake.output.gates, strict=True), start=1
    ):
        subjects, expressions = read_split(snakemake, store, fold=fold).test, tuple(snakemake.params.expressions)
        test = face_set(store, subjects, expressions, may_be_empty=True)
        if not len(test):
            np.savez_compressed(output)
            continue
        face = test.select(torch.tensor([0]))
        image = crop_and_flip(face.images, load(Path(path)).image_size, train=False)[0]
        maps = {}
        for place, values in predict(Path(path), face, device).gates.items():
            level, task, gate = place.split("/")
            maps[f"{letter[gate]}_{task}_{level}"] = values[0]
        np.savez_compressed(
            output,
            image=to_bytes(image).permute(1, 2, 0).numpy(),
            subject=np.array(face.subject_names[int(face.subjects[0])]),
            **maps,
        )
