"""What tells that files of the user's, or pictures behind an index, have changed (docs/reruns.md)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fersnet.datasets.fetching.folder import fetched_stamp
from fersnet.datasets.stamp import STAMPS, data_stamp, files_stamp, option_stamp
from fersnet.faces.backends import backend_files
from fersnet.faces.frames import frames_root
from fersnet.fingerprint import fingerprint
from fersnet.judge.record import checked_sha256
from fersnet.methods.find import code_of
from workflow_scripts.planning.run import Run, dataset_of

if TYPE_CHECKING:
    from snakemake.io import Wildcards


@dataclass(frozen=True)
class Stamps:
    """Params of files that are no inputs, as functions of a job's wildcards."""

    run: Run

    def reader_module(self, wildcards: "Wildcards") -> str:
        """Where the reader of the job's dataset is declared."""
        return self.module_of(wildcards.dataset)

    def module_of(self, dataset: str) -> str:
        """Where the reader of a dataset is declared."""
        return self.run.settings.known.readers[self.run.settings.datasets[dataset].reader].module

    def reader_code(self, wildcards: "Wildcards") -> str:
        """What tells that the code has changed that reads a dataset."""
        return fingerprint("workflow_scripts.index_sequences", code_of(self.reader_module(wildcards)))

    def raw(self, wildcards: "Wildcards") -> str:
        """What tells that a licensed copy has changed; the manifest does so for a rendered tree."""
        if self.run.is_embedded(wildcards):
            return ""
        dataset, module = self.run.dataset(wildcards), self.reader_module(wildcards)
        if dataset.fetch:
            return fetched_stamp(dataset, lambda: data_stamp(dataset, STAMPS, module))
        return data_stamp(dataset, STAMPS, module)

    def options(self, wildcards: "Wildcards") -> str:
        """What tells that a file has changed which the reader's options name."""
        return option_stamp(self.run.dataset(wildcards), STAMPS)

    def backend(self, wildcards: "Wildcards") -> str:
        """What tells that landmarks or weights of the user's have changed."""
        backend = self.run.landmark_backend(wildcards)
        if backend == "annotations" and self.run.is_embedded(wildcards):
            return ""  # they are part of the rendered tree
        root = frames_root(Path(self.run.dataset_root(wildcards)))
        return files_stamp(backend_files(backend, root, self.run.settings.faces.model_folder), STAMPS)

    def judge(self, wildcards: "Wildcards") -> str:
        """What tells that the fixed judge is another one, where it judges the job's dataset."""
        return checked_sha256() if self.run.settings.judge_of(dataset_of(wildcards)) == "fixed" else ""

    def identity(self) -> str:
        """What tells that the public checkpoint of the identity network has changed."""
        public = self.run.settings.identity.checkpoint
        return files_stamp([Path(public)] if public else [], STAMPS)
