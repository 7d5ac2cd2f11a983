"""What tells that files of the user's, or pictures behind an index, have changed (docs/reruns.md)."""

from fersnet.datasets.stamp import STAMPS, data_stamp, files_stamp, option_stamp
from fersnet.faces.backends import backend_files
from fersnet.faces.frames import frames_root


def rendered(wildcards):
    """The manifest of the rendered tree, which tells that it has changed; nothing for a licensed copy."""
    return [f"<results>/embedded/{wildcards.dataset}/manifest.csv"] if is_embedded(wildcards.dataset) else []


def rendered_tree(wildcards):
    """The rendered tree itself: it must be there, but its manifest says whether it is another one."""
    return [ancient(f"<results>/embedded/{wildcards.dataset}/tree")] if is_embedded(wildcards.dataset) else []


def reader_module(wildcards):
    return SETTINGS.known.readers[SETTINGS.datasets[wildcards.dataset].reader].module


def reader_code(wildcards):
    """What tells that the code has changed that reads a dataset."""
    return fingerprint("workflow_scripts.index_sequences", code_of(reader_module(wildcards)))


def raw_stamp(wildcards):
    """What tells that a licensed copy has changed; the manifest does so for a rendered tree."""
    dataset = SETTINGS.datasets[wildcards.dataset]
    return "" if dataset.root is None else data_stamp(dataset, STAMPS, reader_module(wildcards))


def options_stamp(wildcards):
    """What tells that a file has changed which the reader's options name."""
    return option_stamp(SETTINGS.datasets[wildcards.dataset], STAMPS)


def backend_stamp(wildcards):
    """What tells that landmarks or weights of the user's have changed."""
    backend = landmark_backend(wildcards)
    if backend == "annotations" and is_embedded(wildcards.dataset):
        return ""  # they are part of the rendered tree
    root = frames_root(Path(dataset_root(wildcards)))
    return files_stamp(backend_files(backend, root, SETTINGS.faces.model_folder), STAMPS)


def identity_stamp():
    """What tells that the public checkpoint of the identity network has changed."""
    return files_stamp([Path(SETTINGS.identity.checkpoint)] if SETTINGS.identity.checkpoint else [], STAMPS)
