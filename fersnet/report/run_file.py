"""`run.json`: what a run is, in one file beside its results, for those who read them without the workflow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from pydantic import ValidationError

from fersnet import __version__
from fersnet.errors import UserError
from fersnet.methods.citations import references
from fersnet.methods.cited_work import Work, read_references
from fersnet.report.cards import DataCard, data_cards
from fersnet.report.description import RunDescription, describe
from fersnet.settings.presets import PUBLISHED
from fersnet.settings.quoted import quoted_keys
from fersnet.settings.report import ReportSettings
from fersnet.settings.tree import Settings
from fersnet.tracking import git_commit

NAME = "run.json"
LIBRARIES = ("torch", "numpy", "pandas", "scipy", "scikit-image", "scikit-learn", "opencv-python", "snakemake")
"""Packages whose versions figures may depend on."""


@dataclass(frozen=True)
class RunFile:
    """A run: its settings, and the files that it is to make."""

    description: RunDescription
    settings: dict[str, Any]
    """The whole tree, as plain data."""
    tables: tuple[str, ...]
    """Files `tables/*.json`, below the run's folder, in the order of the report."""
    figures: tuple[str, ...]
    """Files `figures/*.png`."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of this project and of what its figures rest on."""
    commit: str = ""
    synthesis_folds: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """By recognition dataset: the folds in which synthesis systems are trained and judged."""
    judges: Mapping[str, str] = field(default_factory=dict)
    """By dataset of the comparison: on what the judge of its synthetic faces was trained."""
    cross: Sequence[str] = ()
    """Methods that are trained across datasets, too."""
    cards: Sequence[DataCard] = ()
    """What the report says of the datasets."""
    references: Mapping[str, Work] = field(default_factory=dict)
    """By method or dataset, the work behind it."""

    @property
    def report(self) -> ReportSettings:
        """The settings of tables and figures."""
        return ReportSettings.model_validate(self.settings["report"], strict=False)


def run_file(
    settings: Settings,
    folds: Mapping[str, int],
    synthesis_folds: Mapping[str, Sequence[int]],
    tables: Sequence[str],
    figures: Sequence[str],
) -> RunFile:
    """The file of a run that starts now."""
    versions = {"fersnet": __version__, "python": python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    dumped = settings.model_dump(mode="json")
    return RunFile(
        describe(settings, folds),
        dumped,
        tuple(tables),
        tuple(figures),
        versions,
        git_commit(),
        synthesis_folds,
        {dataset: settings.judge_of(dataset) for dataset in settings.synthesis.datasets},
        settings.cross_methods,
        data_cards(settings),
        run_references(settings),
    )


def run_references(settings: Settings) -> dict[str, Work]:
    """The works behind all that the tables of a run may name, by key of the method or dataset."""
    # The paper's variants have their rows where a run leaves them out, too.
    variants = {*PUBLISHED["variants"], *settings.variants}
    works = references({key: str(path) for key, path in settings.modules.items()}, sorted(variants))
    named = {*settings.datasets, *settings.baselines.methods, *settings.rivals.methods, *variants}
    return {key: work for key, work in works.items() if key in named.union(*quoted_keys())}


def write_run(run: RunFile, results: Path) -> None:
    """Write `run.json` into the folder of a run."""
    results.mkdir(parents=True, exist_ok=True)
    (results / NAME).write_text(json.dumps(asdict(run), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_run(results: Path) -> RunFile:
    """The run whose results lie in a folder.

    Raises:
        UserError: if there is none, or its file is broken.
    """
    path = results / NAME
    try:
        return parse_run(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise UserError(
            f"{path}: not found; give the folder of a run, e.g. results/embedded, or run its workflow once more"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); run the workflow once more") from None


def parse_run(text: str, place: str) -> RunFile:
    """The run of a file's content.

    Raises:
        UserError: naming the place, if it is none.
    """
    try:
        content = json.loads(text)
        lists = {key: tuple(content.pop(key)) for key in ("tables", "figures")}
        cards = tuple(DataCard(**card) for card in content.pop("cards", ()))
        works = read_references(content.pop("references", {}))
        run = RunFile(RunDescription(**content.pop("description")), **lists, cards=cards, references=works, **content)
        assert isinstance(run.settings, dict) and run.report
        return run
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, ValidationError):
        raise UserError(f"{place}: does not describe a run; run the workflow once more") from None
