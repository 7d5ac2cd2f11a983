"""Before any job: are the configured dataset folders there?"""

from pathlib import Path

from fersnet.datasets.index import look_at
from fersnet.settings.tree import Settings


def find_problems(settings: Settings) -> list[str]:
    """One line per configured dataset that cannot be read: which, what was looked for where, which key to set."""
    problems = []
    for key, dataset in settings.datasets.items():
        if dataset.root is None:
            continue
        root = Path(dataset.root)
        missing = f"nothing is there: {root}" if not root.exists() else look_at(dataset, root)
        if missing:
            problems.append(
                f"dataset {key}: {missing}; set datasets.{key}.root to your copy, or to null for embedded faces"
            )
    return problems
