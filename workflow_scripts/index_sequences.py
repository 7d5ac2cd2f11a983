"""Reads a dataset's tree into the common sequence index."""

import logging
from pathlib import Path

from fersnet.datasets.counts import PUBLISHED, compare_counts, describe_index
from fersnet.datasets.index import read_dataset, write_index
from fersnet.settings.data import DatasetSettings
from workflow_scripts.job import tracked_job

with tracked_job(snakemake) as record:
    settings = DatasetSettings.model_validate(snakemake.params.settings, strict=False)
    index = read_dataset(settings, Path(snakemake.params.root), snakemake.params.peak_frames, snakemake.params.module)
    write_index(index, Path(snakemake.output.index).parent)
    record.metrics = {"sequences": len(index.sequences), "left_out": len(index.rejected)}
    # Embedded trees are smaller than the published sets by design; only a copy of the set itself is compared.
    published = settings.reader if settings.root else ""
    for line in describe_index(
        index, snakemake.wildcards.dataset, compare_counts(index.sequences, published, PUBLISHED)
    ):
        logging.info("%s", line)
