"""Whole dataset trees of embedded faces."""

import multiprocessing
import shutil
from collections.abc import Callable, Collection
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType

from fersnet.embedded.limits import check_subjects
from fersnet.errors import UserError
from fersnet.settings.data import EmbeddedSettings


def _writer(reader: str) -> ModuleType:
    from fersnet.embedded.writers import bu4dfe, ckplus, mmi, oulu_casia

    writers = {"ckplus": ckplus, "oulu_casia": oulu_casia, "mmi": mmi, "bu4dfe": bu4dfe}
    if reader not in writers:
        raise UserError(f"reader {reader!r} has no embedded faces; those of {', '.join(writers)} can be rendered")
    return writers[reader]


def write_tree(reader: str, root: Path, settings: EmbeddedSettings, seed: int, workers: int = 1) -> None:
    """Renders a dataset and lays it out exactly as distributed.

    The tree appears at `root` only when it is complete. Its bytes depend on the reader, the settings and the seed, not
    on the number of workers; the subjects of different readers are different people.

    Args:
        reader: `ckplus`, `oulu_casia`, `mmi` or `bu4dfe`.
        root: folder to make; it may exist if it is empty.
        settings: number of subjects, sequence length, frame size, intensity, quirks.
        seed: fixes everything random.
        workers: processes that render at once.

    Raises:
        UserError: if the reader has no writer, the folder is not empty, or there are more subjects than names.
    """
    writer = _writer(reader)
    check_subjects(reader, settings)
    root = Path(root)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UserError(f"{root}: already exists; remove it to render the faces anew")
    partial_root = root.with_name(f".{root.name}.partial")
    shutil.rmtree(partial_root, ignore_errors=True)
    partial_root.mkdir(parents=True)
    _run(partial(writer.record, partial_root), writer.plan(settings, seed), workers)
    writer.finish(partial_root, settings, seed)
    if root.exists():
        root.rmdir()
    partial_root.rename(root)


def labelled_people(reader: str, settings: EmbeddedSettings, seed: int, classes: Collection[str]) -> int:
    """Number of subjects with a sequence of these classes in the tree that `write_tree` makes."""
    return len({subject for subject, expression in _writer(reader).labelled(settings, seed) if expression in classes})


def _run(record: Callable[[object], None], recordings: list[object], workers: int) -> None:
    if workers <= 1:
        for recording in recordings:
            record(recording)
        return
    # Processes are started afresh, not forked: OpenCV's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        for _ in pool.map(record, recordings, chunksize=4):
            pass


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)
