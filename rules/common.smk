"""Paths and input functions; every other rule file uses these and defines rules only."""

from dataclasses import asdict

from fersnet.fingerprint import fingerprint
from fersnet.folds import fold_groups
from fersnet.host import has_gpu
from fersnet.methods.find import code_of
from fersnet.project import CONFIG, PROJECT
from fersnet.repeats import repeat_key, split_repeat
from fersnet.report.description import describe, of_methods

FERSNET_METHODS = tuple(SETTINGS.variants)
RIVALS = SETTINGS.rivals.methods
BASELINES = SETTINGS.baselines.methods
RECOGNITION = SETTINGS.recognition_datasets
PRETRAINING = tuple(key for key in SETTINGS.datasets if key not in RECOGNITION)
SYSTEMS = (*RIVALS, SETTINGS.synthesis.method)
RECOGNISERS = (*BASELINES, *FERSNET_METHODS)
FOUND = {**SETTINGS.known.systems, **SETTINGS.known.recognisers}
NOTHING = "(?!)"  # a wildcard constraint that no name meets
# Files of the project's own whose content shows in results; no prefix of another workflow's goes before them.
QUOTED, COUNTS = (local(str(CONFIG / name)) for name in ("reported.csv", "sequence_counts.csv"))
TEMPLATE = local(str(PROJECT / "fersnet" / "report" / "report.html.j2"))
REPEATS = {
    **dict.fromkeys(RIVALS, SETTINGS.repeats.rivals),
    **dict.fromkeys(BASELINES, SETTINGS.repeats.baselines),
    **dict.fromkeys(FERSNET_METHODS, SETTINGS.repeats.variants),
}


wildcard_constraints:
    dataset="|".join(SETTINGS.datasets),
    fold=r"\d+",


FACES = {
    "faces": "<results>/datasets/{dataset}/faces.npy",
    "table": "<results>/datasets/{dataset}/faces.parquet",
}
FOLD_FACES = FACES | {
    "folds": "<results>/datasets/{dataset}/folds.csv",
    "checked": ancient("<results>/datasets/{dataset}/folds_check.csv"),
}
TRAINED = {
    "checkpoint": "<results>/models/{dataset}/{method}/fold{fold}/checkpoint.pt",
    "history": "<results>/models/{dataset}/{method}/fold{fold}/history.csv",
}


def work(script, **params):
    """Params of a rule: its script, what tells that its code has changed, and what its result depends on."""
    return {"script": script, "code": fingerprint(f"workflow_scripts.{script}")} | params


def training_work(script, **params):
    """Params of a rule that trains networks, or draws something with them: from the seed, on the device."""
    common = {"seed": SETTINGS.seed, "device": SETTINGS.device, "precision": SETTINGS.precision}
    return work(script, **common | params)


def showing(script, of=(), **params):
    """Params of a rule that makes a table or figure of some methods."""
    run = asdict(of_methods(describe(SETTINGS, FOLD_COUNTS), of))
    return work(script, report=dump(SETTINGS.report), run=run, **params)


def needs(megabytes, minutes, gpus=0):
    """Resources of a class of work; a retry gets more memory."""
    return dict(gpu=gpus, mem_mb=lambda wildcards, attempt: megabytes * attempt, runtime=minutes)


def dump(section):
    """A settings section as plain data, the form in which `params` are compared."""
    return section.model_dump(mode="json")


def trainings(methods):
    """The names under which the trainings of some methods lie, repeats included."""
    return [repeat_key(method, repeat) for method in methods for repeat in range(1, REPEATS[method] + 1)]


def one_of(methods):
    """The wildcard constraint for the trainings of some methods."""
    return "|".join(trainings(methods)).replace(".", r"\.") or NOTHING


def method_of(wildcards):
    """The method of a training, whichever repeat it is."""
    return split_repeat(wildcards.method)[0]


def gpu():
    """GPUs of a training job: what `device` says, and for `auto` what this host has."""
    if SETTINGS.device == "auto":
        return int(has_gpu())
    return int(SETTINGS.device == "cuda")


def method_module(wildcards):
    """Where a method of one file is declared; FERSNet itself is not one."""
    method = method_of(wildcards)
    return FOUND[method].module if method in FOUND else "fersnet.training.inference"


def of_method(script):
    """Params of a rule that runs a method of one file: where it is, and what tells that its code has changed."""

    def code(wildcards):
        return fingerprint(f"workflow_scripts.{script}", code_of(method_module(wildcards)))

    return {"module": method_module, "code": code}


def section(wildcards):
    """The settings of a method of one file."""
    method = method_of(wildcards)
    return dump(getattr(SETTINGS, FOUND[method].declared.option).of(method))


def method_device(wildcards):
    """The device of a method: one without networks has no use for a GPU, so it neither asks for nor holds one."""
    return SETTINGS.device if FOUND[method_of(wildcards)].declared.trains_networks else "cpu"


def alignment_device(wildcards):
    """The device of the landmarks; of the backends, one has networks."""
    return SETTINGS.device if landmark_backend(wildcards) == "face_alignment" else "cpu"


def gpus_of(device):
    """The GPUs that a job needs whose device is looked up by its wildcards."""
    return lambda wildcards: 0 if device(wildcards) == "cpu" else gpu()


def training_minutes(epochs):
    """A generous limit for a training job, from its number of epochs at full size."""
    return max(60, 2 * epochs)


def is_embedded(dataset):
    return SETTINGS.datasets[dataset].root is None


def dataset_root(wildcards):
    return SETTINGS.datasets[wildcards.dataset].root or f"{FOLDER}/embedded/{wildcards.dataset}/tree"


def rendered(wildcards):
    """The manifest of the rendered tree; nothing for a licensed copy."""
    return [f"<results>/embedded/{wildcards.dataset}/manifest.csv"] if is_embedded(wildcards.dataset) else []


def raw_stamp(wildcards):
    """What tells that a licensed copy has changed; the manifest does so for a rendered tree."""
    return "" if is_embedded(wildcards.dataset) else tree_stamp(Path(dataset_root(wildcards)))


def option_files(wildcards):
    """Files that the reader's options name, whose content the index depends on; the reader says which are missing."""
    selection = SETTINGS.datasets[wildcards.dataset].options.get("selection")
    # It is the user's own file, wherever a module's prefix puts those of the workflow.
    return [local(str(named_file(selection)))] if selection and named_file(selection).is_file() else []


def landmark_backend(wildcards):
    return SETTINGS.datasets[wildcards.dataset].landmarks or SETTINGS.faces.backend


def face_params(wildcards):
    """How the faces were aligned, which a trained model must do again with a picture of a user's."""
    settings = dump(SETTINGS.faces)
    return {key: settings[key] for key in ("size", "channels", "lighting")} | {"backend": landmark_backend(wildcards)}


def classes(wildcards):
    return list(SETTINGS.datasets[wildcards.dataset].classes)


def hold_out():
    return SETTINGS.training.selection == "validation"


def variant_sections(method, pretraining=False):
    """The settings of a variant that its training depends on."""
    parts = SETTINGS.for_variant(method, pretraining)
    variant = SETTINGS.variants[method]
    own = {"sharing": variant.sharing, "augmented_by": variant.augmented_by}
    return own | {key: dump(part) for key, part in parts.items()}


def variant_params(wildcards):
    return variant_sections(method_of(wildcards))


def pretrain_params(wildcards):
    return variant_sections(method_of(wildcards), pretraining=True)


def dump_study():
    """What the selection study's result depends on; its method is a variant like any other."""
    method = SETTINGS.selection_study.method
    return variant_sections(method) if method else {}


def folds_of(dataset):
    """The folds of a dataset; `leave_one_subject_out` has as many as the dataset has subjects."""
    return range(1, FOLD_COUNTS[dataset] + 1)


def per_fold(pattern, count):
    """One file for every fold: for jobs so short that one does all folds of a method."""
    return expand(pattern, fold=range(1, count + 1))


def of_folds(pattern, datasets, **more):
    """A file for every dataset and fold (and whatever else), the folds being each dataset's own."""
    return [path for dataset in datasets for path in expand(pattern, dataset=dataset, **more, fold=folds_of(dataset))]


def checkpoint(dataset, method, fold):
    return f"<results>/models/{dataset}/{method}/fold{fold}/checkpoint.pt"


def pretrained_checkpoint(wildcards):
    source = SETTINGS.variants[method_of(wildcards)].pretrained_on
    return [checkpoint(source, wildcards.method, 0)] if source else []


def augmentation_faces(wildcards):
    if SETTINGS.variants[method_of(wildcards)].augmented_by is None:
        return []
    return [f"<results>/augmentation/{wildcards.dataset}/{wildcards.method}/fold{wildcards.fold}.npz"]


def augmenting_checkpoint(wildcards):
    method, repeat = split_repeat(wildcards.method)
    source = repeat_key(SETTINGS.variants[method].augmented_by, repeat)
    return checkpoint(wildcards.dataset, source, wildcards.fold)


def face_stores():
    names = ("faces.npy", "faces.parquet", "landmarks.npy")
    return expand("<results>/datasets/{dataset}/{name}", dataset=SETTINGS.datasets, name=names)


def face_sheets():
    return expand("<results>/figures/faces_{dataset}.png", dataset=SETTINGS.datasets)


def checked_folds():
    return expand("<results>/datasets/{dataset}/folds_check.csv", dataset=RECOGNITION)


def indexes():
    return expand("<results>/datasets/{dataset}/index.parquet", dataset=RECOGNITION)


def predictions(datasets, methods):
    """The predictions of all trainings of some methods."""
    pattern = "<results>/predictions/{dataset}/{method}/fold{fold}.parquet"
    return of_folds(pattern, datasets, method=trainings(methods))


def dataset_predictions(wildcards):
    return predictions([wildcards.dataset], RECOGNISERS)


def evaluations():
    return of_folds("<results>/evaluation/{dataset}/fold{fold}.parquet", SETTINGS.synthesis.datasets)


def dataset_evaluations(wildcards):
    return of_folds("<results>/evaluation/{dataset}/fold{fold}.parquet", [wildcards.dataset])


def evaluation_sets():
    return [path.replace(".parquet", "_sets.csv") for path in evaluations()]


def fold_syntheses(wildcards):
    folder = f"<results>/synthesis/{wildcards.dataset}"
    return [f"{folder}/{method}/fold{wildcards.fold}.npz" for method in trainings(SYSTEMS)]


def dataset_syntheses(wildcards):
    pattern = "<results>/synthesis/{dataset}/{method}/fold{fold}.npz"
    return of_folds(pattern, [wildcards.dataset], method=SYSTEMS)


def selection_files():
    if SETTINGS.selection_study.method is None:
        return []
    return of_folds("<results>/selection/{dataset}/fold{fold}.parquet", RECOGNITION)


def augmented_methods():
    return [key for key, variant in SETTINGS.variants.items() if variant.augmented_by]


def augmentation_tables(wildcards):
    pattern = "<results>/augmentation/{dataset}/{method}/fold{fold}.csv"
    return of_folds(pattern, [wildcards.dataset], method=augmented_methods()[:1])


def gated_methods():
    return [key for key, variant in SETTINGS.variants.items() if variant.sharing == "convflu"]


def gated_checkpoints(wildcards):
    return of_folds(TRAINED["checkpoint"], [wildcards.dataset], method=gated_methods()[:1])


def gates(wildcards):
    return of_folds("<results>/gates/{dataset}/fold{fold}.npz", [wildcards.dataset])


def histories(wildcards):
    return of_folds(TRAINED["history"], [wildcards.dataset], method=FERSNET_METHODS)


def tables(name, *forms):
    return multiext(f"<results>/tables/{name}", *(forms or (".csv", ".json", ".md", ".tex")))


def recognition_tables():
    return [path for dataset in RECOGNITION for path in tables(f"fer_{dataset}")]


def all_tables(*forms):
    names = ["datasets", "ablation", "synthesis", *(f"fer_{dataset}" for dataset in RECOGNITION)]
    names += ["selection"] if SETTINGS.selection_study.method else []
    return [path for name in names for path in tables(name, *forms)]


def figure_files(*names):
    return [f"<results>/figures/{name}.{ending}" for name in names for ending in ("png", "pdf")]


def synthesis_figures():
    names = []
    for dataset in SETTINGS.synthesis.datasets:
        names += [f"synthesis_{dataset}"]
        names += [f"confusion_synthesis_{dataset}_{method}" for method in SYSTEMS]
        names += [f"intensity_{dataset}_{method}" for method in RIVALS if FOUND[method].declared.controls_intensity]
    return figure_files(*names, "synthesis_scatter")


def ranking_figures():
    return figure_files(*(f"ranking_{dataset}" for dataset in RECOGNITION))


def all_figures():
    names = ["ablation"]
    for dataset in RECOGNITION:
        names += [f"training_{dataset}", f"ranking_{dataset}"]
        names += [f"confusion_{dataset}_{method}" for method in RECOGNISERS]
        names += [f"gates_{dataset}"] if gated_methods() else []
        names += [f"augmentation_{dataset}"] if augmented_methods() else []
    return [*face_sheets(), *synthesis_figures(), *figure_files(*names)]


def deliverables():
    """What `all` asks for by name: Snakemake makes a deleted file again only where somebody asks for it."""
    pattern = "<results>/synthesis/{dataset}/{method}/fold{fold}.npz"
    syntheses = of_folds(pattern, SETTINGS.synthesis.datasets, method=trainings(SYSTEMS))
    return [*all_tables(), *all_figures(), *predictions(RECOGNITION, RECOGNISERS), *syntheses]


def table_files(name, caption):
    """Outputs of a rule that makes a table."""
    kept = {ending: f"<results>/tables/{name}.{ending}" for ending in ("json", "md", "tex")}
    csv = report(f"<results>/tables/{name}.csv", caption=f"captions/{caption}.rst", category="Tables")
    return dict(csv=csv, **kept)


def drawn(caption, *names, category="Figures"):
    """Outputs of a rule that draws figures."""
    pngs = [f"<results>/figures/{name}.png" for name in names]
    shown = [report(path, caption=f"captions/{caption}.rst", category=category) for path in pngs]
    return [*shown, *(path.replace(".png", ".pdf") for path in pngs)]


def figure(name, caption, category="Figures"):
    """Outputs of a rule that draws one figure."""
    png, pdf = drawn(caption, name, category=category)
    return dict(png=png, pdf=pdf)
