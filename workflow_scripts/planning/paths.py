"""Where the files of a run lie, as patterns; Snakemake fills in `<results>` and the wildcards."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakemake.io import local

from fersnet.datasets.fetching.folder import receipt_of
from fersnet.project import PROJECT, named_file
from fersnet.settings.data import DatasetSettings
from fersnet.use.store import CARD

if TYPE_CHECKING:
    from snakemake.io import Wildcards

FOLDS = "<results>/datasets/{dataset}/folds.csv"
FOLDS_CHECK = "<results>/datasets/{dataset}/folds_check.csv"
CHECKPOINT = "<results>/models/{dataset}/{method}/fold{fold}/checkpoint.pt"
MODEL_CARD = f"<results>/models/{{dataset}}/{{method}}/fold{{fold}}/{CARD}"
HISTORY = "<results>/models/{dataset}/{method}/fold{fold}/history.csv"
PREDICTIONS = "<results>/predictions/{dataset}/{method}/fold{fold}.parquet"
SYNTHESES = "<results>/synthesis/{dataset}/{method}/fold{fold}.npz"
EVALUATION = "<results>/evaluation/{dataset}/fold{fold}.parquet"
EVALUATION_SETS = "<results>/evaluation/{dataset}/fold{fold}_sets.csv"
REFERENCES = "<results>/tables/references.bib"
GATES = "<results>/gates/{dataset}/fold{fold}.npz"
STORED = ("faces.npy", "faces.parquet", "landmarks.npy")
FACES = {
    "faces": "<results>/datasets/{dataset}/faces.npy",
    "table": "<results>/datasets/{dataset}/faces.parquet",
}
AUGMENTATION = {
    "faces": "<results>/augmentation/{dataset}/{method}/fold{fold}.npz",
    "table": "<results>/augmentation/{dataset}/{method}/fold{fold}.csv",
}
FOLD_FACES = FACES | {"folds": FOLDS, "checked": FOLDS_CHECK}
LANDMARKS = "<results>/datasets/{dataset}/landmarks.npy"
CHECKSUM = "<results>/datasets/{dataset}/checksum.txt"


def of_dataset(dataset: str, patterns: Mapping[str, str]) -> dict[str, str]:
    """The files of one dataset."""
    return {key: pattern.format(dataset=dataset) for key, pattern in patterns.items()}


def trained(method: str = "{method}", fold: str = "{fold}") -> dict[str, str]:
    """What a training leaves; without arguments that of the job's own wildcards."""
    of = {"dataset": "{dataset}", "method": method, "fold": fold}
    return {"checkpoint": CHECKPOINT.format(**of), "history": HISTORY.format(**of)}


def identity(fold: str = "{fold}") -> str:
    """The identity network of a fold; that of fold 0 knows everybody."""
    return trained("identity", fold)["checkpoint"]


def project_file(name: str) -> Any:
    """A file whose content shows in results; no prefix of another workflow's goes before one of the project's own."""
    return local(str(named_file(name)))


def receipt(dataset: DatasetSettings) -> Any:
    """The file beside a fetched set that says that it is there; no prefix of another workflow's goes before it."""
    return local(str(receipt_of(dataset)))


def per_fold(pattern: str, folds: Iterable[int]) -> list[str]:
    """One file for each of the folds: for jobs so short that one does all folds of a method."""
    return [pattern.replace("{fold}", str(fold)) for fold in folds]


def within_folds(pattern: str) -> Callable[["Wildcards"], Any]:
    """The input function for a file of the folds, which a training on everybody (fold 0) has no use for."""
    return lambda wildcards: [] if wildcards.fold == "0" else pattern.format(**wildcards)


def page_files() -> list[Any]:
    """The templates, the style and the script of the pages."""
    folder = Path("fersnet", "report", "page")
    names = sorted(path.name for path in (PROJECT / folder).iterdir() if path.suffix in (".j2", ".css", ".js"))
    return [project_file(str(folder / name)) for name in names]
