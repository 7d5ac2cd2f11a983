"""Which files a rule takes and which ones a target asks for, as far as that depends on the run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snakemake.io import ancient, expand, multiext

from fersnet.mirror import MODEL_METHOD
from fersnet.repeats import split_repeat
from workflow_scripts.planning import paths
from workflow_scripts.planning.run import Run, dataset_of, method_of

if TYPE_CHECKING:
    from snakemake.io import Wildcards


def table(name: str, *forms: str) -> list[str]:
    """A table as a target asks for it."""
    return multiext(f"<results>/tables/{name}", *(forms or (".csv", ".json", ".md", ".tex")))


def figures(*names: str) -> list[str]:
    """Figures as a target asks for them."""
    return [f"<results>/figures/{name}.{ending}" for name in names for ending in ("png", "pdf")]


@dataclass(frozen=True)
class Files:
    """The files that depend on what runs: lists of them, and input functions, which take a job's wildcards."""

    run: Run

    def of_folds(
        self, pattern: str, datasets: Iterable[str], folds: Mapping[str, Iterable[int]] | None = None, **more: Any
    ) -> list[str]:
        """A file for every dataset and fold (and whatever else); all of a dataset's folds, unless others are given."""
        chosen = folds or self.run.folds
        return [path for dataset in datasets for path in expand(pattern, dataset=dataset, **more, fold=chosen[dataset])]

    def each_fold(self, pattern: str, **more: Any) -> Callable[["Wildcards"], list[str]]:
        """The input function for a file of every fold of the job's dataset."""
        return lambda wildcards: self.of_folds(pattern, [wildcards.dataset], **more)

    def of_judged_folds(self, pattern: str, datasets: Iterable[str], **more: Any) -> list[str]:
        """A file for every dataset and fold in which synthesis systems are compared."""
        return self.of_folds(pattern, datasets, self.run.synthesis_folds, **more)

    def each_judged_fold(self, pattern: str, **more: Any) -> Callable[["Wildcards"], list[str]]:
        """The input function for a file of every fold of the job's dataset in which systems are compared."""
        return lambda wildcards: self.of_judged_folds(pattern, [wildcards.dataset], **more)

    def first_judged_fold(self, pattern: str) -> Callable[["Wildcards"], str]:
        """The input function for a file of the first of these folds."""
        return lambda wildcards: pattern.format(**wildcards, fold=self.run.synthesis_folds[wildcards.dataset][0])

    def each_dataset(self, name: str) -> list[str]:
        """A file of every recognition dataset."""
        return expand(f"<results>/datasets/{{dataset}}/{name}", dataset=self.run.recognition)

    def manifest(self, wildcards: "Wildcards") -> list[str]:
        """The manifest of the rendered tree, which tells that it has changed; nothing for a licensed copy."""
        embedded = self.run.is_embedded(wildcards)
        return [f"<results>/embedded/{wildcards.dataset}/manifest.csv"] if embedded else []

    def tree(self, wildcards: "Wildcards") -> list[Any]:
        """What says that the tree is there which is rendered or fetched; others tell whether it is another one."""
        if self.run.is_embedded(wildcards):
            return [ancient(f"<results>/embedded/{wildcards.dataset}/tree")]
        return (
            [ancient(paths.receipt(self.run.fetched[wildcards.dataset]))]
            if wildcards.dataset in self.run.fetched
            else []
        )

    def pretrained(self, wildcards: "Wildcards") -> list[str]:
        """The checkpoint from which a method's training starts."""
        source = self.run.settings.pretrained_on.get(method_of(wildcards))
        return [paths.CHECKPOINT.format(dataset=source, method=wildcards.method, fold=0)] if source else []

    def augmentation(self, wildcards: "Wildcards") -> list[str]:
        """The synthetic faces with which a variant trains, too."""
        augmented = self.run.settings.variant(method_of(wildcards)).augmented_by
        return [paths.AUGMENTATION["faces"].format(**wildcards)] if augmented else []

    def augmenting(self, wildcards: "Wildcards") -> str:
        """The checkpoint that draws those faces: of the same repeat."""
        return self._beside(wildcards, self.run.augmented_by(wildcards))

    def reading(self, wildcards: "Wildcards") -> list[str]:
        """The checkpoint that reads those faces, if there is one."""
        reader = self.run.settings.reader_of(method_of(wildcards))
        return [self._beside(wildcards, reader)] if reader else []

    def _beside(self, wildcards: "Wildcards", method: str) -> str:
        """Another method's checkpoint of the job's dataset, fold and repeat."""
        source = self.run.same_repeat(method, split_repeat(wildcards.method)[1])
        return paths.CHECKPOINT.format(dataset=wildcards.dataset, method=source, fold=wildcards.fold)

    def judge(self, wildcards: "Wildcards") -> list[str]:
        """The judge of a fold's synthetic faces, if it is trained in this run."""
        fixed = self.run.settings.judge_of(dataset_of(wildcards)) == "fixed"
        return [] if fixed else [paths.trained("standard_fer")["checkpoint"].format(**wildcards)]

    def judged_with(self, name: str) -> Callable[["Wildcards"], list[str]]:
        """The input function for a file of the other sets' faces on which a dataset's judge is trained, too."""
        return lambda wildcards: [
            paths.FACES[name].format(dataset=other) for other in self.run.settings.judged_with(wildcards.dataset)
        ]

    def read_beside(self, name: str) -> Callable[["Wildcards"], list[str]]:
        """The input function for a file of the other sets' faces on which a recogniser is trained, too."""
        return lambda wildcards: [
            paths.FACES[name].format(dataset=other)
            for other in self.run.settings.others_of(method_of(wildcards), wildcards.dataset)
        ]

    def compared(self, wildcards: "Wildcards") -> list[str]:
        """The synthetic faces of all systems in a fold."""
        methods = self.run.trainings(self.run.systems)
        return expand(paths.SYNTHESES, dataset=wildcards.dataset, method=methods, fold=wildcards.fold)

    def predictions(self, methods: Iterable[str]) -> list[str]:
        """The predictions of all trainings of some methods."""
        return self.of_folds(paths.PREDICTIONS, self.run.recognition, method=self.run.trainings(methods))

    def recognised(self, wildcards: "Wildcards") -> list[str]:
        """The predictions of all that has a row in the recognition table of the job's dataset."""
        methods = [*self.run.recognisers, *self.run.utility_recognisers(wildcards.dataset)]
        return self.of_folds(paths.PREDICTIONS, [wildcards.dataset], method=self.run.trainings(methods))

    def claimed(self) -> list[str]:
        """The predictions of all that a claim about recognition names."""
        run, named = self.run, self.run.claimed(self.run.systems, "recognition")
        systems = [
            path
            for dataset in run.recognition
            for key in run.utility_recognisers(dataset)
            if run.settings.utility_rows[key] in named
            for path in self.of_folds(paths.PREDICTIONS, [dataset], method=run.trainings([key]))
        ]
        return [*self.predictions(run.claimed(run.recognisers, "recognition")), *systems]

    def utility(self, pattern: str, *recognisers: str) -> list[str]:
        """A file of every recogniser that is trained with a system's faces, and of the others given, where both are."""
        run = self.run
        trained = run.trainings([*recognisers, *run.utility])
        return self.of_folds(pattern, run.utility_folds, run.utility_folds, method=trained)

    def across(self) -> list[str]:
        """The predictions of all trainings across datasets."""
        methods = self.run.trainings(self.run.settings.cross_methods)
        return self.of_folds(paths.PREDICTIONS, self.run.across, self.run.across, method=methods)

    def joined(self, pattern: str) -> list[str]:
        """A file of every dataset across which is trained."""
        return expand(pattern, dataset=self.run.settings.cross_sets)

    def models(self, pattern: str) -> list[str]:
        """A file for every checkpoint that becomes a model in the tracking store."""
        kept = MODEL_METHOD in self.run.variants
        return self.of_folds(pattern, self.run.recognition, method=MODEL_METHOD) if kept else []

    def evaluations(self, pattern: str = paths.EVALUATION) -> list[str]:
        """How the synthetic faces were judged, a file a fold."""
        return self.of_judged_folds(pattern, self.run.settings.synthesis.datasets)

    def selection(self) -> list[str]:
        """What the study of epoch selection found, if there is one."""
        study = self.run.settings.selection_study.method
        return self.of_folds("<results>/selection/{dataset}/fold{fold}.parquet", self.run.recognition) if study else []

    def recognition_tables(self, *forms: str) -> list[str]:
        """A table for every recognition dataset, and one across them."""
        names = [*(f"fer_{dataset}" for dataset in self.run.recognition), *self.run.across]
        return [path for name in names for path in table(name, *forms)]

    def all_tables(self, *forms: str) -> list[str]:
        """The tables of this run."""
        names = ("claims", "datasets", "ablation", "subgroups", "synthesis")
        utility = table("utility", *forms) if self.run.utility else []
        selection = table("selection", *forms) if self.run.settings.selection_study.method else []
        first = [path for name in names for path in table(name, *forms)]
        return [*first, *utility, *self.recognition_tables(*forms), *selection]

    def face_sheets(self) -> list[str]:
        """A sheet of aligned faces for every dataset."""
        return expand("<results>/figures/faces_{dataset}.png", dataset=self.run.settings.datasets)

    def synthesis_figures(self) -> list[str]:
        """The figures of the synthesis comparison."""
        run, names = self.run, []
        steered = [key for key in run.rivals if run.methods_of_one_file[key].declared.controls_intensity]
        for dataset in run.settings.synthesis.datasets:
            names += [f"synthesis_{dataset}"]
            names += [f"confusion_synthesis_{dataset}_{method}" for method in run.systems]
            names += [f"intensity_{dataset}_{method}" for method in steered]
        return figures(*names, "synthesis_scatter")

    def all_figures(self) -> list[str]:
        """The figures of this run."""
        names = ["ablation"]
        for dataset in self.run.recognition:
            names += [f"training_{dataset}", f"ranking_{dataset}"]
            names += [f"confusion_{dataset}_{method}" for method in self.run.recognisers]
            names += [f"gates_{dataset}"] if self.run.gated else []
            names += [f"augmentation_{dataset}"] if self.run.augmented else []
        return [*self.face_sheets(), *self.synthesis_figures(), *figures(*names)]

    def deliverables(self) -> list[str]:
        """What `all` asks for by name: Snakemake makes a deleted file again only where somebody asks for it."""
        run = self.run
        drawn = run.trainings(run.systems)
        syntheses = self.of_judged_folds(paths.SYNTHESES, run.settings.synthesis.datasets, method=drawn)
        predictions = [*self.predictions(run.recognisers), *self.utility(paths.PREDICTIONS), *self.across()]
        tables = [*self.all_tables(), paths.REFERENCES]
        return [*tables, *self.all_figures(), *predictions, *syntheses]
