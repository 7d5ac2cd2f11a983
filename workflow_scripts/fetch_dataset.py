"""Fetches an open set into the root of a dataset that says `fetch`."""

import logging
from pathlib import Path

from fersnet.datasets.fetching.about import about
from fersnet.datasets.fetching.fetch import fetch
from fersnet.datasets.fetching.folder import wanted, write_receipt
from fersnet.datasets.fetching.meter import Meter
from fersnet.datasets.stamp import STAMPS, data_stamp
from fersnet.settings.data import DatasetSettings
from workflow_scripts.job import tracked_job

with tracked_job(snakemake) as record:
    dataset = DatasetSettings.model_validate(snakemake.params.settings, strict=False)
    one, parts = wanted(dataset)
    logging.info("`fetch` in the config accepts these terms:\n%s", about(one))
    with Meter(logging.info) as meter:
        record.metrics = {"fetched": fetch(one, Path(dataset.root), parts, meter.announce)}
    write_receipt(dataset, data_stamp(dataset, STAMPS, snakemake.params.module))
