"""Trains a synthesis rival on the fold's training subjects."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from fersnet.repeats import split_repeat
from fersnet.settings.rivals import RivalsSettings
from fersnet.training.batches import face_set
from fersnet.training.identity import load_identity
from workflow_scripts.job import tracked_job
from workflow_scripts.training_job import read_split, read_store, training_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with tracked_job(snakemake) as record:
    method, _ = split_repeat(snakemake.wildcards.method)
    rival = importlib.import_module(f"fersnet.rivals.{method}")
    section = RivalsSettings.model_fields[method].annotation
    settings = section.model_validate(snakemake.params.settings, strict=False)
    store = read_store(snakemake)
    split = read_split(snakemake, store, snakemake.params.hold_out)
    run = training_run(snakemake, record, settings.width, {"image_size": snakemake.params.image_size})
    identity = load_identity(Path(snakemake.input.identity), run.device)
    # CycleGAN alone has a protocol, and one of its two begins with neutral faces.
    neutral = getattr(settings, "protocol", None) == "neutral"
    expressions = tuple(snakemake.params.expressions)
    more = {"neutral": face_set(store, split.train, expressions, "neutral")} if neutral else {}
    rival.fit(face_set(store, split.train, expressions), settings, run, identity, **more)
