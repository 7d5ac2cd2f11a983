"""Before any job: are the configured dataset folders there, and has a licensed copy changed?"""

import hashlib
import os
from pathlib import Path

from fersnet.datasets.index import look_at
from fersnet.settings.tree import Settings


def find_problems(settings: Settings) -> list[str]:
    """One line per configured dataset that cannot be read: which, what was looked for where, which key to set."""
    problems = []
    for key, dataset in settings.datasets.items():
        if dataset.root is None:
            continue
        root = Path(dataset.root).expanduser()
        missing = f"nothing is there: {root}" if not root.exists() else look_at(dataset, root)
        if missing:
            taken = "" if root.is_absolute() else f" (a relative root is taken from the working folder, {Path.cwd()})"
            problems.append(
                f"dataset {key}: {missing}{taken}; set datasets.{key}.root to your copy, or to null for embedded faces"
            )
    return problems


def tree_stamp(root: Path) -> str:
    """Hash over names, sizes and times of all files below a folder (or of one file)."""
    if root.is_file():
        stat = root.stat()
        return hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:16]
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = Path(folder, name)
            stat = path.lstat()
            digest.update(f"{path.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}\n".encode("utf-8", "replace"))
    return digest.hexdigest()[:16]
