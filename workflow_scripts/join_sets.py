"""Joins the faces of all recognition datasets, with a fold for each set, for trainings across them."""

import hashlib
from pathlib import Path

import pandas as pd

from fersnet.faces.joined import join_stores
from fersnet.faces.store import open_store
from fersnet.folds import check_folds, folds_across, read_folds, write_folds
from workflow_scripts.job import tracked_job

with tracked_job(snakemake) as record:
    readers, expressions = snakemake.params.readers, snakemake.params.expressions
    places = dict(zip(readers, (Path(path).parent for path in snakemake.input.faces), strict=True))
    tables = {key: read_folds(place / "folds.csv") for key, place in places.items()}
    shared = {key: table[table["expression"].isin(expressions)] for key, table in tables.items()}
    folds = folds_across(shared, readers)
    check_folds(folds, len(readers))
    stores = {key: open_store(place) for key, place in places.items()}
    record.metrics = {"faces": join_stores(stores, expressions, Path(snakemake.output.faces).parent)}
    write_folds(folds, Path(snakemake.output.folds))
    pd.crosstab(folds["fold"], folds["expression"]).to_csv(snakemake.output.checked)
    checksum = hashlib.sha256()
    for path in (snakemake.output.faces, snakemake.output.table):
        with Path(path).open("rb") as file:
            checksum.update(hashlib.file_digest(file, "sha256").digest())
    Path(snakemake.output.checksum).write_text(f"{checksum.hexdigest()}\n", encoding="utf-8")
