"""A run as its config has it: the methods and datasets, and what the wildcards of a job stand for."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakemake.exceptions import WorkflowError

from fersnet.claims import Claim, read_claims
from fersnet.cross_validation import fold_counts, synthesis_folds
from fersnet.errors import UserError
from fersnet.host import check_writable, has_gpu
from fersnet.methods.find import Found
from fersnet.project import named_file
from fersnet.readiness import check_ready
from fersnet.repeats import repeat_key, split_repeat
from fersnet.settings.data import DatasetSettings
from fersnet.settings.load import absent_sets, load_settings
from fersnet.settings.quoted import quoted_rows
from fersnet.settings.tree import CROSS, Settings
from fersnet.settings.tuning import Changes
from fersnet.settings.utility import among_recognisers
from fersnet.tuning.draws import drawn, split_draw
from fersnet.tuning.people import split_people

if TYPE_CHECKING:
    from snakemake.io import Wildcards
    from snakemake.workflow import Workflow

NOTHING = "(?!)"
"""A wildcard constraint that no name meets."""


@dataclass(frozen=True)
class Run:
    """What runs."""

    settings: Settings
    folder: str
    """Where its results lie; within another workflow with that one's prefix."""
    fold_counts: Mapping[str, int]
    """Number of folds by recognition dataset."""
    synthesis_folds: Mapping[str, tuple[int, ...]]
    """The folds in which synthesis systems are compared, by recognition dataset."""

    @cached_property
    def folds(self) -> dict[str, tuple[int, ...]]:
        """All folds by recognition dataset."""
        return {dataset: tuple(range(1, count + 1)) for dataset, count in self.fold_counts.items()}

    @cached_property
    def across(self) -> dict[str, tuple[int, ...]]:
        """The folds of trainings across datasets, under the name that stands for all of them; empty without such."""
        sets = self.settings.cross_sets
        return {CROSS: tuple(range(1, len(sets) + 1))} if sets else {}

    @cached_property
    def trained_folds(self) -> dict[str, tuple[int, ...]]:
        """All folds in which recognisers are trained, those across datasets last."""
        return self.folds | self.across

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """FERSNet and its variants."""
        return tuple(self.settings.variants)

    @property
    def rivals(self) -> tuple[str, ...]:
        """The rivals in the synthesis comparison."""
        return self.settings.rivals.methods

    @property
    def baselines(self) -> tuple[str, ...]:
        """The rivals in the recognition tables."""
        return self.settings.baselines.methods

    @property
    def systems(self) -> tuple[str, ...]:
        """All that draws the faces which are compared."""
        return self.settings.systems

    @property
    def recognisers(self) -> tuple[str, ...]:
        """All that has a row in the recognition tables."""
        return (*self.baselines, *self.variants)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """What the paper says as comparisons."""
        return read_claims(named_file("config/claims.csv"))

    def claimed(self, methods: Iterable[str], figure: str) -> tuple[str, ...]:
        """Those of some methods that a claim about a figure names."""
        named = {name for one in self.claims if one.figure == figure for name in (one.method, one.better_than)}
        return tuple(method for method in methods if method in named)

    @cached_property
    def all_claimed(self) -> tuple[str, ...]:
        """All that claims name."""
        synthesised = self.claimed(self.systems, "synthesis")
        return (*self.claimed([*self.recognisers, *self.systems], "recognition"), *synthesised)

    @cached_property
    def augmented(self) -> tuple[str, ...]:
        """The variants that train with faces of another one's, too."""
        return tuple(key for key, variant in self.settings.variants.items() if variant.augmented_by)

    @cached_property
    def utility(self) -> tuple[str, ...]:
        """One variant, trained with the faces of each system; variants like any other, but in a table of their own."""
        return tuple(self.settings.utility_rows)

    @property
    def utility_base(self) -> tuple[str, ...]:
        """The variant that is trained with their faces, where there are such trainings."""
        return (self.settings.utility.method,) if self.utility and self.settings.utility.method else ()

    @cached_property
    def utility_folds(self) -> dict[str, tuple[int, ...]]:
        """The folds in which these are trained, by dataset."""
        return {dataset: self.synthesis_folds[dataset] for dataset in self.settings.utility_datasets}

    def utility_recognisers(self, dataset: str) -> tuple[str, ...]:
        """Those of them that have a row in a dataset's recognition table, too."""
        tested, count = self.utility_folds.get(dataset, ()), self.fold_counts[dataset]
        rows = self.settings.utility_rows
        return among_recognisers(rows, self.variants, dataset, tested, count, quoted_rows())

    def augmented_by(self, wildcards: "Wildcards") -> str:
        """The system whose faces the job's variant trains with."""
        return str(self.settings.variant(method_of(wildcards)).augmented_by)

    @cached_property
    def gated(self) -> tuple[str, ...]:
        """The variants that have gates to be shown."""
        return tuple(key for key, variant in self.settings.variants.items() if variant.sharing == "convflu")

    @cached_property
    def recognition(self) -> tuple[str, ...]:
        """The datasets that enter the cross-validation."""
        return self.settings.recognition_datasets

    @cached_property
    def pretraining(self) -> tuple[str, ...]:
        """The datasets on which variants are trained first."""
        return tuple(key for key in self.settings.datasets if key not in self.recognition)

    @cached_property
    def fetched(self) -> dict[str, DatasetSettings]:
        """The datasets that are fetched before they are read."""
        return {key: dataset for key, dataset in self.settings.datasets.items() if dataset.fetch}

    @property
    def pretrained(self) -> list[str]:
        """The recognition methods of one file that are trained on another dataset first."""
        return [key for key in self.baselines if key in self.settings.pretrained_on]

    @property
    def holds_out(self) -> bool:
        """Whether the validation subjects leave the training set."""
        return self.settings.training.selection == "validation"

    @cached_property
    def gpus(self) -> int:
        """GPUs of a training job: what `device` says, and for `auto` what this host has."""
        return int(has_gpu() if self.settings.device == "auto" else self.settings.device == "cuda")

    @cached_property
    def _repeats(self) -> dict[str, int]:
        repeats = self.settings.repeats
        return {
            **dict.fromkeys(self.rivals, repeats.rivals),
            **dict.fromkeys(self.baselines, repeats.baselines),
            **dict.fromkeys((*self.variants, *self.utility), repeats.variants),
        }

    def same_repeat(self, method: str, repeat: int) -> str:
        """The training of a method on which such a repeat of another one builds: the same, or the same in turn where
        the method has fewer."""
        return repeat_key(method, (repeat - 1) % self._repeats[method] + 1)

    def trainings(self, methods: Iterable[str]) -> list[str]:
        """The names under which the trainings of some methods lie, repeats included."""
        return [repeat_key(method, repeat) for method in methods for repeat in range(1, self._repeats[method] + 1)]

    def one_of(self, methods: Iterable[str]) -> str:
        """The wildcard constraint for the trainings of some methods."""
        return "|".join(self.trainings(methods)).replace(".", r"\.") or NOTHING

    @cached_property
    def methods_of_one_file(self) -> dict[str, Found]:
        """All that the project and the user have; FERSNet itself is not one of them."""
        return {**self.settings.known.systems, **self.settings.known.recognisers}

    def sets_of(self, wildcards: "Wildcards") -> tuple[str, ...]:
        """The job's dataset, or all those across which it trains."""
        return self.settings.cross_sets if wildcards.dataset in self.across else (dataset_of(wildcards),)

    def changes(self, method: str, wildcards: "Wildcards") -> Changes:
        """The keys of a method's settings that are the job's own: those of its draw, or those chosen for its fold."""
        number = split_draw(wildcards.get("method", ""))[1]
        if number is not None:
            return drawn(self.settings, method, number)
        # A training on everybody, before those of the folds, is none fold's own.
        return self.settings.chosen_for(method, wildcards.dataset, wildcards.get("fold", "0"))

    def dataset(self, wildcards: "Wildcards") -> DatasetSettings:
        """The settings of the job's dataset."""
        return self.settings.datasets[dataset_of(wildcards)]

    def is_embedded(self, wildcards: "Wildcards") -> bool:
        """Whether the job's datasets are rendered here, and no copies of the user's."""
        return all(self.settings.datasets[key].root is None for key in self.sets_of(wildcards))

    def dataset_root(self, wildcards: "Wildcards") -> str:
        """Where the tree of the job's dataset lies."""
        return self.dataset(wildcards).root or f"{self.folder}/embedded/{wildcards.dataset}/tree"

    def landmark_backend(self, wildcards: "Wildcards") -> str:
        """What finds the landmarks in the job's dataset; the usual one where its datasets have different ones."""
        usual = self.settings.faces.backend
        found = {self.settings.datasets[key].landmarks or usual for key in self.sets_of(wildcards)}
        return found.pop() if len(found) == 1 else usual


def method_of(wildcards: "Wildcards") -> str:
    """The method of a training, whichever repeat or draw it is."""
    return split_repeat(split_draw(wildcards.method)[0])[0]


def dataset_of(wildcards: "Wildcards") -> str:
    """The dataset of a job, be it on the people of one of its folds alone."""
    return split_people(wildcards.dataset)[0]


def read_run(workflow: "Workflow", config: dict[str, Any], config_files: list[Path]) -> Run:
    """The run of a config.

    Args:
        workflow: that reads the rules.
        config: what the files and the command line make together.
        config_files: where its parts come from.

    Raises:
        WorkflowError: what is wrong with the config, the data or the folder of the results, before any job.
    """
    try:
        settings = load_settings(config, config_files, workflow.config_settings.config)
        # Snakemake puts a module's prefix before inputs, outputs and logs; paths that it does not see need it, too.
        folder = str(workflow.modifier.modify_path(f"results/{settings.run}"))
        check_writable(Path(folder))
        if workflow.is_main_process:  # a job reads the rules again, and need not look again
            for key in absent_sets(config):
                print(f"{key}: nothing is at datasets.{key}.root; left out", file=sys.stderr, flush=True)
            check_ready(settings)
        counts = fold_counts(settings, Path(folder))
        return Run(settings, folder, counts, synthesis_folds(settings, counts))
    except UserError as error:
        raise WorkflowError(str(error)) from None
