"""Fits a recognition method on the whole of a pre-training dataset; the trainings of the folds start from it."""

from workflow_scripts.job import tracked_job
from workflow_scripts.recogniser_job import read_more, read_parts, recogniser_run
from workflow_scripts.training_job import read_method, read_split, read_store

with tracked_job(snakemake) as record:
    method, code, settings = read_method(snakemake)
    store = read_store(snakemake)
    split = read_split(snakemake, store, fold=0)
    everybody, nobody, _ = read_parts(snakemake, method, store, split)
    run = recogniser_run(snakemake, record, settings)
    more = read_more(snakemake, method, store, split)
    code.fit(everybody, nobody, settings, run, len(snakemake.params.expressions), **more)
