"""Before any job: are the configured dataset folders there?"""

from pathlib import Path

from fersnet.datasets.index import look_at, wrong_option
from fersnet.methods.contract import Reader
from fersnet.settings.tree import Settings


def find_problems(settings: Settings) -> list[str]:
    """One line per configured dataset that cannot be read: which, what was looked for where, which key to set."""
    problems = []
    for key, dataset in settings.datasets.items():
        reader = settings.known.readers[dataset.reader]
        wrong = wrong_option(dataset, reader.module)
        if wrong:
            problems.append(f"datasets.{key}.{wrong}")
        if wrong or dataset.root is None:
            continue
        root = Path(dataset.root)
        missing = f"nothing is there: {root}" if not root.exists() else look_at(dataset, root, reader.module)
        if missing:
            taken = "" if root.is_absolute() else f" (a relative root is taken from the working folder, {Path.cwd()})"
            way_out = f"see datasets.{key}.root"
            if isinstance(reader.declared, Reader) and reader.declared.rendered:
                way_out = f"set datasets.{key}.root to your copy, or to null for embedded faces"
            problems.append(f"dataset {key}: {missing}{taken}; {way_out}")
    return problems
