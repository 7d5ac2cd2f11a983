"""The params of the rules: a rule's script, and exactly what its result depends on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fersnet.cross_validation import fold_list
from fersnet.fingerprint import fingerprint
from fersnet.methods.find import code_of, load_code
from fersnet.mirror import MODEL_METHOD
from fersnet.report.cards import data_cards
from fersnet.report.description import describe, of_methods
from fersnet.report.run_file import run_references
from fersnet.settings.base import Section
from fersnet.settings.quoted import quoted_keys
from workflow_scripts.planning.run import Run, dataset_of, method_of

if TYPE_CHECKING:
    from snakemake.io import Wildcards

Params = dict[str, Any]


def work(script: str, **params: Any) -> Params:
    """Params of a rule: its script, what tells that its code has changed, and what its result depends on."""

    # A function: what runs a single job need not read the code of all others.
    def code(_: "Wildcards") -> str:
        return fingerprint(f"workflow_scripts.{script}")

    return {"script": script, "code": code} | params


def dump(section: Section) -> Params:
    """A settings section as plain data, the form in which `params` are compared."""
    return section.model_dump(mode="json")


@dataclass(frozen=True)
class RunParams:
    """The params that depend on what runs: groups of them, and functions of one, which take a job's wildcards."""

    run: Run

    def training(self, script: str, **params: Any) -> Params:
        """Params of a rule that trains networks, or draws something with them: from the seed, on the device."""
        settings = self.run.settings
        common = {"seed": settings.seed, "device": settings.device, "precision": settings.precision}
        return work(script, **common | params)

    def showing(self, script: str, of: Iterable[str] = (), **params: Any) -> Params:
        """Params of a rule that makes a table or figure of some methods."""
        return work(script, report=dump(self.run.settings.report), **{"run": self.described(of)} | params)

    def showing_recognisers(self, script: str) -> Params:
        """Params of a rule that makes a table or figure of a dataset's recognisers."""
        run = self.run

        def described(wildcards: "Wildcards") -> Params:
            rows = run.utility_recognisers(wildcards.dataset)
            return self.described([*run.recognisers, *rows, *(run.settings.utility_rows[key] for key in rows)])

        return self.showing(script, run=described)

    def showing_judged(self, script: str, of: Iterable[str], **params: Any) -> Params:
        """Params of a rule that makes a table or figure of some synthesis systems."""
        folds = self.run.synthesis_folds
        judged = {dataset: some for dataset, some in folds.items() if len(some) < self.run.fold_counts[dataset]}
        return self.showing(script, run=self.described(of) | {"judged": judged}, **params)

    def table(self, script: str, of: Sequence[str] = (), **params: Any) -> Params:
        """Params of a rule that makes a table of some methods, with the works behind them."""
        return self.showing(script, of, references=self.references(of), **params)

    def table_of_judged(self, script: str, of: Sequence[str], **params: Any) -> Params:
        """Params of a rule that makes a table of some synthesis systems, with the works behind them."""
        return self.showing_judged(script, of, references=self.references(of), **params)

    def described(self, methods: Iterable[str]) -> Params:
        """The run as tables and figures of some methods describe it."""
        return asdict(of_methods(describe(self.run.settings, self.run.fold_counts), methods))

    def described_system(self, wildcards: "Wildcards") -> Params:
        """The run as a figure of the job's one synthesis system, which is of one fold, describes it."""
        judged = {wildcards.dataset: (self.first_judged_fold(wildcards),)}
        return self.described([wildcards.method]) | {"judged": judged}

    def first_judged_fold(self, wildcards: "Wildcards") -> int:
        """The first fold in which the synthesis systems are compared."""
        return self.run.synthesis_folds[wildcards.dataset][0]

    def cards(self) -> list[Params]:
        """What the report says of the datasets and the people in them."""
        return [asdict(card) for card in data_cards(self.run.settings)]

    def references(self, of: Iterable[str]) -> Params:
        """The works behind what a table of some methods names: these, those that the paper quotes, and the datasets."""
        named = {*of, *self.run.settings.datasets}.union(*quoted_keys())
        return {key: asdict(work) for key, work in run_references(self.run.settings).items() if key in named}

    def bibliography(self) -> Params:
        """All works of the run by their keys, whatever rests on them."""
        works = {work.key: work.reference for work in run_references(self.run.settings).values()}
        return {key: asdict(works[key]) for key in sorted(works)}

    def of_method(self, script: str, method: Callable[["Wildcards"], str] = method_of) -> Params:
        """Params of a rule that runs a method of one file, by default the job's own: where it is, and what tells that
        its code has changed."""

        def module(wildcards: "Wildcards") -> str:
            return self._module(method(wildcards))

        def code(wildcards: "Wildcards") -> str:
            return fingerprint(f"workflow_scripts.{script}", code_of(module(wildcards)))

        return {"module": module, "code": code}

    def _module(self, method: str) -> str:
        """Where a method of one file is declared; FERSNet itself is not one."""
        known = self.run.methods_of_one_file
        return known[method].module if method in known else "fersnet.training.inference"

    def training_variant(self, script: str, settings: Callable[["Wildcards"], Params]) -> Params:
        """Params of a rule that trains FERSNet or a variant of it, which has to say whose faces it was trained on."""
        told = {"faces": self.faces, "trained_on": self.trained_on}
        return self.training(script, settings=settings, expressions=self.classes, **told)

    def training_recogniser(self, script: str) -> Params:
        """Params of a rule that trains the recognisers of one file, on faces or clips."""
        settings = self.run.settings
        faces = {"size": settings.baselines.size, "crop": settings.model.image_size, "expressions": self.classes}
        return self.training_method(script) | faces | {"frames": settings.faces.clip_frames}

    def training_method(self, script: str) -> Params:
        """Params of a rule that trains the methods of one file."""
        own = {"settings": self._method_settings, "device": self.method_device}
        return self.training(script, **self.of_method(script), **own)

    def _method_settings(self, wildcards: "Wildcards") -> Params:
        method = method_of(wildcards)
        return dump(self.run.settings.for_method(method, self.run.changes(method, wildcards)))

    def method_device(self, wildcards: "Wildcards") -> str:
        """The device of a method: one without networks has no use for a GPU, so it neither asks for nor holds one."""
        networks = self.run.methods_of_one_file[method_of(wildcards)].declared.trains_networks
        return self.run.settings.device if networks else "cpu"

    def alignment_device(self, wildcards: "Wildcards") -> str:
        """The device of the landmarks; of the backends, one has networks."""
        networks = self.run.landmark_backend(wildcards) == "face_alignment"
        return self.run.settings.device if networks else "cpu"

    def gpus_of(self, device: Callable[["Wildcards"], str]) -> Callable[["Wildcards"], int]:
        """The GPUs that a job needs whose device is looked up by its wildcards."""
        return lambda wildcards: 0 if device(wildcards) == "cpu" else self.run.gpus

    def faces(self, wildcards: "Wildcards") -> Params:
        """How the faces were aligned, which a trained model must do again with a picture of a user's."""
        settings, backend = dump(self.run.settings.faces), self.run.landmark_backend(wildcards)
        return {key: settings[key] for key in ("size", "channels", "lighting")} | {"backend": backend}

    def trained_on(self, wildcards: "Wildcards") -> str:
        """Whose faces a model has seen, which it must tell who tries it on others."""
        return "rendered" if self.run.is_embedded(wildcards) else "real"

    def reader(self, wildcards: "Wildcards") -> str:
        """What reads the job's dataset."""
        return self.run.dataset(wildcards).reader

    def dataset(self, wildcards: "Wildcards") -> Params:
        """The settings of the job's dataset."""
        return dump(self.run.dataset(wildcards))

    def fetching(self, dataset: str) -> Params:
        """The settings of a dataset that decide what is fetched, and how its files are known again."""
        return self.run.settings.datasets[dataset].model_dump(
            mode="json", include={"reader", "root", "fetch", "options"}
        )

    def index_workers(self, wildcards: "Wildcards") -> int:
        """Processes of the job that reads a dataset: one, unless the reader decodes videos, which takes many."""
        reader = load_code(self.run.settings.known.readers[self.reader(wildcards)].module)
        return 8 if hasattr(reader, "complete_index") else 1

    def embedded(self, wildcards: "Wildcards") -> Params:
        """The settings of the embedded faces of the job's dataset."""
        return dump(self.run.dataset(wildcards).embedded)

    def judge(self, wildcards: "Wildcards") -> Params:
        """The settings of the judge that is trained for the job's dataset."""
        settings = self.run.settings
        trained_on = settings.judge_of(dataset_of(wildcards))
        return dump(settings.standard_fer.model_copy(update={"trained_on": trained_on}))

    def other_sets(self, wildcards: "Wildcards") -> dict[str, bool]:
        """The other sets that its judge is trained on, and whether its own subjects may be in each, too."""
        return self._with_readers(self.run.settings.judged_with(wildcards.dataset), wildcards)

    def read_beside(self, wildcards: "Wildcards") -> dict[str, bool]:
        """The other sets that its recogniser is trained on, and whether its own subjects may be in each, too."""
        return self._with_readers(self.run.settings.others_of(method_of(wildcards), wildcards.dataset), wildcards)

    def _with_readers(self, others: Iterable[str], wildcards: "Wildcards") -> dict[str, bool]:
        datasets = self.run.settings.datasets
        return {key: datasets[key].reader == self.run.dataset(wildcards).reader for key in others}

    def fold_count(self, wildcards: "Wildcards") -> int:
        """How many folds of the job's dataset the run trains."""
        return self.run.fold_counts[wildcards.dataset]

    def fold_list(self, wildcards: "Wildcards") -> dict[str, int]:
        """The fold of every subject of the job's dataset, where the config names a list of them."""
        return fold_list(self.run.settings, wildcards.dataset)

    def fold_scheme(self, wildcards: "Wildcards") -> str:
        """How the subjects of the job's dataset come into folds."""
        return describe(self.run.settings, self.run.fold_counts).fold_scheme_of(wildcards.dataset)

    def classes(self, wildcards: "Wildcards") -> list[str]:
        """The expressions that are told apart."""
        return self.shared_classes() if wildcards.dataset in self.run.across else [*self.run.dataset(wildcards).classes]

    def shared_classes(self) -> list[str]:
        """The expressions that are told apart across datasets."""
        return list(self.run.settings.cross_classes)

    def readers_across(self) -> dict[str, str]:
        """The datasets across which recognisers are trained, and what reads each."""
        return {key: self.run.settings.datasets[key].reader for key in self.run.settings.cross_sets}

    def synthesis_classes(self, wildcards: "Wildcards") -> list[str]:
        """The expressions that are drawn."""
        return list(self.run.dataset(wildcards).synthesis_classes)

    def drawn_classes(self, wildcards: "Wildcards") -> list[str]:
        """The expressions that a variant's training faces are enlarged by: of the systems that are compared those that
        all of them draw."""
        compared = method_of(wildcards) in self.run.utility
        return self.synthesis_classes(wildcards) if compared else self.classes(wildcards)

    def drawn_size(self, wildcards: "Wildcards") -> int:
        """Side of the images that the system draws which enlarges a variant's training faces."""
        return self.run.settings.drawn_size(self.run.augmented_by(wildcards))

    def augmentation(self, wildcards: "Wildcards") -> Params:
        """How a variant's training faces are enlarged."""
        return dump(self.run.settings.augmentation_of(method_of(wildcards)))

    def variant(self, wildcards: "Wildcards") -> Params:
        """The settings of a variant that its training depends on."""
        method = method_of(wildcards)
        return dump(self.run.settings.for_variant(method, changes=self.run.changes(method, wildcards)))

    def pretraining(self, wildcards: "Wildcards") -> Params:
        """The settings of a variant that its first training, on another dataset, depends on."""
        return self._variant(method_of(wildcards), pretraining=True)

    def model_card(self) -> Params:
        """What the cards of the models in the tracking store say, beside their run: how they were trained, and how
        intervals are computed."""
        report = self.run.settings.report.model_dump(mode="json", include={"bootstrap_samples", "confidence"})
        if MODEL_METHOD not in self.run.variants:
            return {"report": report, "recipe": {}, "of_folds": {}}
        settings = self.run.settings
        of_folds = {
            dataset: {
                fold: dump(settings.for_variant(MODEL_METHOD, changes=methods[MODEL_METHOD]))
                for fold, methods in folds.items()
                if MODEL_METHOD in methods
            }
            for dataset, folds in settings.chosen.items()
        }
        return {"report": report, "recipe": self._variant(MODEL_METHOD), "of_folds": of_folds}

    def study(self, wildcards: "Wildcards") -> Params:
        """What the selection study's result depends on; its method is a variant like any other."""
        method = self.run.settings.selection_study.method or ""
        return dump(self.run.settings.for_variant(method, changes=self.run.changes(method, wildcards)))

    def _variant(self, method: str, pretraining: bool = False) -> Params:
        return dump(self.run.settings.for_variant(method, pretraining))
