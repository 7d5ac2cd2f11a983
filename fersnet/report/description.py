"""What a table or figure says about where it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fersnet.faces.consent import shown_of, terms_of
from fersnet.methods.contract import Shown
from fersnet.settings.tree import Settings

ROW_NAMES: dict[str, str] = {
    "identity_map": "Identity map (output = input)",
    "real_target": "Real target face",
    "standard_fer": "Standard FER model on real faces",
}
"""Rows of the synthesis table that no system made."""

SELECTION_WORDS: dict[str, str] = {
    "last": "last epoch",
    "validation": "epoch chosen on held-out validation subjects",
    "test_best": "epoch chosen on the test fold (optimistic)",
}

RUN_COLUMNS = ("run", "data", "selection", "folds", "fold_scheme", "seed")
"""Columns of every row of a table, which say where it comes from."""


@dataclass(frozen=True)
class RunDescription:
    """The run behind a table or figure."""

    run: str
    embedded: Mapping[str, bool]
    """By dataset: True for embedded faces, False for a licensed (real) copy."""
    selection: str
    """Rule by which the epoch was chosen: `last`, `validation` or `test_best`."""
    fold_scheme: str
    folds: Mapping[str, int]
    """By recognition dataset: the number of its folds."""
    seed: int
    identity_features: str = "LightCNN-9 trained on each fold's training subjects"
    """Which identity network stands behind the identity figures."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Printed names of methods and datasets by key; a key that is not named prints as it is."""
    shown: Mapping[str, Shown] = field(default_factory=dict)
    """By dataset: whose faces figures may show."""
    credits: Mapping[str, str] = field(default_factory=dict)
    """By dataset: the line that stands under figures with its faces, where its terms ask for one."""
    listed: tuple[str, ...] = ()
    """Datasets whose folds a list gives, and not the scheme."""
    pretrained_on: Mapping[str, str] = field(default_factory=dict)
    """By method: the dataset on which this run trained it first; a method that is not named starts from scratch."""
    read_other_sets: tuple[str, ...] = ()
    """Methods that this run trained on its other recognition sets, too."""
    judged: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """By dataset: the folds that what is shown comes from; a dataset that is not named shows all of its folds."""

    def name_of(self, key: str) -> str:
        """Printed name of a method or dataset."""
        return self.names.get(key) or ROW_NAMES.get(key) or key

    def data_of(self, dataset: str) -> str:
        """`embedded` or `real`."""
        return "embedded" if self.embedded.get(dataset, False) else "real"

    def data_words(self, datasets: Iterable[str]) -> str:
        """The data in words, e.g. `CK+: embedded faces; MMI: real faces`."""
        return "; ".join(
            f"{self.name_of(dataset)}: {self.data_of(dataset)} faces" for dataset in dict.fromkeys(datasets)
        )

    def fold_scheme_of(self, dataset: str) -> str:
        """How the subjects of a dataset come into folds: by a scheme, or `listed`."""
        return "listed" if dataset in self.listed else self.fold_scheme

    def fold_words(self, datasets: Iterable[str]) -> str:
        """The folds in words, e.g. `fold 1 of 3 subject-wise folds (strided)`, by dataset where they differ."""
        here = [dataset for dataset in datasets if dataset in self.folds]
        number = self._by_dataset({dataset: self._folds_of(dataset) for dataset in here})
        schemes = {dataset: self.fold_scheme_of(dataset).replace("_", " ") for dataset in here}
        scheme = self._by_dataset(schemes) or self.fold_scheme.replace("_", " ")
        return f"{number} subject-wise folds ({scheme})".lstrip()

    def _by_dataset(self, words: Mapping[str, str]) -> str:
        """What all datasets have in common, or each one's with its name."""
        if len(set(words.values())) > 1:
            return ", ".join(f"{word} ({self.name_of(dataset)})" for dataset, word in words.items())
        return next(iter(words.values()), "")

    def _folds_of(self, dataset: str) -> str:
        judged, count = self.judged.get(dataset, ()), self.folds[dataset]
        if not judged:
            return f"{count}"
        return f"fold{'s' * (len(judged) > 1)} {', '.join(map(str, judged))} of {count}"

    def words(self, datasets: Iterable[str], n: str, selection: str | None = None) -> str:
        """One line that every table and figure carries: run, data, n, selection rule, fold scheme, seed."""
        datasets = tuple(datasets)
        rule = self.selection if selection is None else selection
        parts = [
            f"Run {self.run}",
            self.data_words(datasets),
            n,
            SELECTION_WORDS.get(rule, rule),
            self.fold_words(datasets),
            f"seed {self.seed}",
        ]
        return "; ".join(part for part in parts if part) + "."

    def columns(self, dataset: str) -> dict[str, str | int]:
        """The same as columns of a csv row."""
        return {
            "run": self.run,
            "data": self.data_of(dataset),
            "selection": self.selection,
            "folds": self.folds[dataset],
            "fold_scheme": self.fold_scheme_of(dataset),
            "seed": self.seed,
        }


def printed_names(settings: Settings) -> dict[str, str]:
    """Printed names of the datasets that a reader of their own reads, of the methods that run, and of the variants."""
    known = settings.known
    chosen = [(key, known.systems) for key in settings.rivals.methods]
    chosen += [(key, known.recognisers) for key in settings.baselines.methods]
    chosen += [(key, known.readers) for key, section in settings.datasets.items() if section.reader == key]
    return {key: found[key].declared.name for key, found in chosen} | {
        key: settings.variant(key).name for key in (*settings.variants, *settings.utility_rows)
    }


def describe(settings: Settings, folds: Mapping[str, int]) -> RunDescription:
    """The description of the run that has these settings, and these numbers of folds by dataset."""
    return RunDescription(
        run=settings.run,
        embedded={key: dataset.root is None for key, dataset in settings.datasets.items()},
        selection=settings.training.selection,
        fold_scheme=settings.folds.scheme,
        listed=tuple(settings.folds.lists),
        folds=folds,
        seed=settings.seed,
        identity_features=(
            "public LightCNN-9 checkpoint"
            if settings.identity.checkpoint
            else "LightCNN-9 trained on each fold's training subjects"
        ),
        names=printed_names(settings),
        shown={key: shown_of(key, settings) for key in settings.datasets},
        credits={key: terms.credit for key in settings.datasets if (terms := terms_of(key, settings)) and terms.credit},
        pretrained_on=settings.pretrained_on,
        read_other_sets=tuple(key for key in settings.baselines.methods if settings.reads_other_sets(key)),
    )


def of_methods(description: RunDescription, methods: Iterable[str]) -> RunDescription:
    """The description of a run, of its methods the given ones alone: others do not show where these are shown."""
    shown = {*methods, *description.embedded}
    return replace(
        description,
        names={key: name for key, name in description.names.items() if key in shown},
        pretrained_on={key: source for key, source in description.pretrained_on.items() if key in shown},
        read_other_sets=tuple(key for key in description.read_other_sets if key in shown),
    )
