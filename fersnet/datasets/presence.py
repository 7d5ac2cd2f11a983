"""Before any job: are the configured dataset folders there?"""

from pathlib import Path

from fersnet.datasets.fetching.folder import check_folder, receipt_of, wanted
from fersnet.datasets.index import look_at, wrong_option
from fersnet.errors import UserError
from fersnet.methods.contract import Reader
from fersnet.settings.data import DatasetSettings
from fersnet.settings.tree import Settings


def find_problems(settings: Settings) -> list[str]:
    """One line per configured dataset that cannot be read: which, what was looked for where, which key to set."""
    problems = []
    for key, dataset in settings.datasets.items():
        reader = settings.known.readers[dataset.reader]
        wrong = wrong_option(dataset, reader.module)
        if wrong:
            problems.append(f"datasets.{key}.{wrong}")
        if dataset.fetch:
            wrong = _fetch_problem(key, dataset, settings)
            problems += [wrong] if wrong else []
        if wrong or dataset.root is None or (dataset.fetch and not receipt_of(dataset).exists()):
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


def _fetch_problem(key: str, dataset: DatasetSettings, settings: Settings) -> str | None:
    """Why a dataset cannot be fetched, or not within this run."""
    try:
        wanted(dataset)
        if dataset.root is None:
            raise UserError("a root is needed, the folder outside of the project that the set is fetched into")
        check_folder(Path(dataset.root))
    except UserError as error:
        return f"datasets.{key}.fetch: {error}"
    if settings.folds.scheme == "leave_one_subject_out" and not receipt_of(dataset).exists():
        return (
            f"datasets.{key}.fetch: leave_one_subject_out counts the subjects before any job; get them first with "
            f"`fersnet fetch {dataset.reader} --to {dataset.root}`, and leave `fetch` out"
        )
    return None
