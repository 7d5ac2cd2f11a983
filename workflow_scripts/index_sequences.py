"""Reads a dataset's tree into the common sequence index."""

import logging
from pathlib import Path

from fersnet.datasets.counts import PUBLISHED, compare_counts, describe_index
from fersnet.datasets.index import complete_index, read_dataset, write_index
from fersnet.datasets.sequences import labelled
from fersnet.settings.data import DatasetSettings
from workflow_scripts.job import tracked_job

with tracked_job(snakemake) as record:
    settings = DatasetSettings.model_validate(snakemake.params.settings, strict=False)
    root, peak_frames, module = Path(snakemake.params.root), snakemake.params.peak_frames, snakemake.params.module
    index = read_dataset(settings, root, peak_frames, module)
    index = complete_index(settings, index, root, peak_frames, snakemake.threads, module)
    write_index(index, Path(snakemake.output.index).parent)
    sequences = labelled(index.sequences)
    record.metrics = {"sequences": len(sequences), "left_out": len(index.rejected)}
    # Embedded trees are smaller than the published sets by design; only a copy of the set itself is compared.
    published = settings.reader if settings.root else ""
    for line in describe_index(index, snakemake.wildcards.dataset, compare_counts(sequences, published, PUBLISHED)):
        logging.info("%s", line)
