"""Finds, aligns and stores the faces of a dataset."""

import hashlib
from pathlib import Path

import pandas as pd

from fersnet.csv_files import read_csv
from fersnet.datasets.index import read_index
from fersnet.faces.store import build_store
from fersnet.settings.data import FacesSettings
from workflow_scripts.job import tracked_job

with tracked_job(snakemake) as record:
    folder = Path(snakemake.output.faces).parent
    index = read_index(folder)
    root = Path(snakemake.params.root)
    settings = FacesSettings.model_validate(snakemake.params.settings, strict=False)
    build_store(
        index.sequences,
        root,
        folder,
        settings,
        snakemake.params.backend,
        snakemake.threads,
        index_rejected=index.rejected,
        device=snakemake.params.device,
        backend_stamp=snakemake.params.backend_stamp,
    )
    with Path(snakemake.output.faces).open("rb") as faces:
        checksum = hashlib.file_digest(faces, "sha256")
    checksum.update(Path(snakemake.output.table).read_bytes())
    Path(snakemake.output.checksum).write_text(f"{checksum.hexdigest()}\n", encoding="utf-8")
    record.metrics = {
        "faces": len(pd.read_parquet(snakemake.output.table)),
        "left_out": len(read_csv(Path(snakemake.output.rejected))),
    }
