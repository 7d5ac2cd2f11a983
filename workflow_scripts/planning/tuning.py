"""The search for settings as jobs: on which people, with which draws, and which files it takes."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from snakemake.io import expand

from fersnet.report.description import printed_names
from fersnet.tuning.draws import AS_IT_IS, Searched, draw_key, drawn, followed, left_as_they_are, searched
from fersnet.tuning.people import people_of, split_people
from workflow_scripts.planning import paths
from workflow_scripts.planning.params import Params, dump
from workflow_scripts.planning.run import NOTHING, Run, dataset_of

if TYPE_CHECKING:
    from snakemake.io import Wildcards

EVALUATION = "<results>/evaluation/{dataset}/{method}/fold{fold}.parquet"
EVALUATION_SETS = "<results>/evaluation/{dataset}/{method}/fold{fold}_sets.csv"
"""How the synthetic faces of one draw were judged."""


@dataclass(frozen=True)
class Tuning:
    """What is searched, and by whom. Its files lie below `results/<run>/tuning`, in the order of a run's own."""

    run: Run

    @property
    def results(self) -> str:
        """What stands for `<results>` in its rules."""
        return f"results/{self.run.settings.run}/tuning"

    @cached_property
    def searched(self) -> dict[str, Searched]:
        """The methods that have ranges, by key."""
        return searched(self.run.settings)

    @cached_property
    def people(self) -> list[str]:
        """The sets of people: each is a dataset of its own here."""
        return people_of(self.run.settings, self.run.fold_counts)

    @cached_property
    def rendered(self) -> list[str]:
        """Those who are rendered, the people of pre-training among them."""
        datasets = self.run.settings.datasets
        return [key for key in (*self.people, *self._first) if key in datasets and datasets[key].root is None]

    @cached_property
    def copied(self) -> list[str]:
        """Those who are taken from the run's own faces."""
        return [key for key in (*self.people, *self._first) if key not in self.rendered]

    @cached_property
    def _first(self) -> list[str]:
        """The datasets on which searched methods are trained first."""
        sources = self.run.settings.pretrained_on
        return list(dict.fromkeys(sources[key] for key in self.searched if key in sources))

    @property
    def folds(self) -> range:
        """The folds in which draws are trained and read."""
        return range(1, self.run.settings.tuning.folds + 1)

    def each_fold(self, pattern: str) -> list[str]:
        """A file for each of these folds."""
        return paths.per_fold(pattern, self.folds)

    def any_of(self, people: Iterable[str]) -> str:
        """The wildcard constraint for sets of people."""
        return "|".join(people).replace(".", r"\.") or NOTHING

    def draws_of(self, methods: Iterable[str]) -> str:
        """The wildcard constraint for the draws of those methods that have ranges."""
        keys = "|".join(method for method in methods if method in self.searched)
        return rf"(?:{keys})\.draw\d+" if keys else NOTHING

    @property
    def synthesising(self) -> list[str]:
        """The methods whose synthetic faces are judged."""
        return [key for key, one in self.searched.items() if one.synthesises]

    @cached_property
    def judged(self) -> list[str]:
        """The people whose synthetic faces are judged: of datasets in which the run compares them."""
        return [key for key in self.people if split_people(key)[0] in self.run.settings.synthesis.datasets]

    def source(self, wildcards: "Wildcards") -> dict[str, str]:
        """The run's own files of people who are copied; who tests is left out by the folds, pre-training has none."""
        folder = f"<results>/datasets/{dataset_of(wildcards)}"
        names = {"faces": "faces.npy", "table": "faces.parquet", "landmarks": "landmarks.npy", "index": "index.parquet"}
        names |= {"folds": "folds.csv"} if self.outer_fold(wildcards) else {}
        return {key: f"{folder}/{name}" for key, name in names.items()}

    def outer_fold(self, wildcards: "Wildcards") -> int | None:
        """The run's fold whose test subjects the people are not among."""
        return split_people(wildcards.dataset)[1]

    def root(self, wildcards: "Wildcards") -> str:
        """Where the tree of rendered people lies."""
        return f"{self.run.folder}/tuning/embedded/{wildcards.dataset}/tree"

    def only(self, wildcards: "Wildcards") -> list[str]:
        """The one draw that a job judges."""
        return [wildcards.method]

    def predictions(self, wildcards: "Wildcards") -> list[str]:
        """The predictions of all draws of what recognises."""
        recognising = [key for key, one in self.searched.items() if one.recognises]
        return self._of_draws(paths.PREDICTIONS, recognising, self.people)

    def evaluations(self, wildcards: "Wildcards") -> list[str]:
        """The judgements of all draws of what synthesises, face by face."""
        return self._of_draws(EVALUATION, self.synthesising, self.judged)

    def evaluation_sets(self, wildcards: "Wildcards") -> list[str]:
        """The same of all faces of a draw together."""
        return self._of_draws(EVALUATION_SETS, self.synthesising, self.judged)

    def _of_draws(self, pattern: str, methods: Iterable[str], people: Iterable[str]) -> list[str]:
        numbers = range(AS_IT_IS, self.run.settings.tuning.draws + 1)
        keys = [draw_key(method, number) for method in methods for number in numbers]
        return expand(pattern, dataset=list(people), method=keys, fold=self.folds) if keys else []

    def described(self, wildcards: "Wildcards") -> Params:
        """What the choice and its table depend on, beside what the draws reached."""
        settings = self.run.settings
        numbers = range(AS_IT_IS, settings.tuning.draws + 1)
        return {
            "tuning": dump(settings.tuning),
            "ranges": {
                key: {name: asdict(one) for name, one in of.ranges.items()} for key, of in self.searched.items()
            },
            "draws": {key: [drawn(settings, key, number) for number in numbers] for key in self.searched},
            "before": {key: dump(settings.trained_with(key)) for key in self.searched},
            "followed": followed(settings),
            "left": left_as_they_are(settings),
            "names": printed_names(settings),
            "rendered": [key for key in self.people if key in self.rendered],
        }
