"""Renders embedded faces in the layout of a dataset."""

import hashlib
from pathlib import Path

from fersnet.embedded.trees import write_tree
from fersnet.settings.data import EmbeddedSettings
from workflow_scripts.job import job_seed, tracked_job

with tracked_job(snakemake):
    tree = Path(snakemake.output.tree)
    settings = EmbeddedSettings.model_validate(snakemake.params.settings, strict=False)
    write_tree(snakemake.params.reader, tree, settings, job_seed(snakemake), snakemake.threads)
    with Path(snakemake.output.manifest).open("w", encoding="utf-8") as manifest:
        manifest.write("file,sha256\n")
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            name = path.relative_to(tree).as_posix().replace('"', '""')
            manifest.write(f'"{name}",{hashlib.sha256(path.read_bytes()).hexdigest()}\n')
