"""Paths and input functions; every other rule file uses these and defines rules only."""

from dataclasses import asdict

from fersnet.datasets.presence import tree_stamp
from fersnet.fingerprint import fingerprint
from fersnet.host import has_gpu
from fersnet.project import named_file
from fersnet.repeats import repeat_key, split_repeat
from fersnet.report.description import describe
from fersnet.settings.baselines import HandcraftedSettings

FOLDS = range(1, SETTINGS.folds.count + 1)
FERSNET_METHODS = tuple(SETTINGS.variants)
RIVALS = SETTINGS.rivals.methods
BASELINES = SETTINGS.baselines.methods
RECOGNITION = SETTINGS.recognition_datasets
PRETRAINING = tuple(key for key in SETTINGS.datasets if key not in RECOGNITION)
SYSTEMS = (*RIVALS, SETTINGS.synthesis.method)
REPEATS = {
    **dict.fromkeys(RIVALS, SETTINGS.repeats.rivals),
    **dict.fromkeys(BASELINES, SETTINGS.repeats.baselines),
    **dict.fromkeys(FERSNET_METHODS, SETTINGS.repeats.variants),
}


wildcard_constraints:
    dataset="|".join(SETTINGS.datasets),
    fold=r"\d+",


def code(*modules):
    """Fingerprint of a rule's script and of the modules that it loads by name."""
    return fingerprint(*(f"workflow_scripts.{name}" if "." not in name else name for name in modules))


def dump(section):
    """A settings section as plain data, the form in which `params` are compared."""
    return section.model_dump(mode="json")


def trainings(methods):
    """The names under which the trainings of some methods lie, repeats included."""
    return [repeat_key(method, repeat) for method in methods for repeat in range(1, REPEATS[method] + 1)]


def one_of(methods):
    """The wildcard constraint for the trainings of some methods."""
    return "|".join(trainings(methods)).replace(".", r"\.") or "none"


def method_of(wildcards):
    """The method of a training, whichever repeat it is."""
    return split_repeat(wildcards.method)[0]


def gpu():
    """GPUs of a training job: what `device` says, and for `auto` what this host has."""
    if SETTINGS.device == "auto":
        return int(has_gpu())
    return int(SETTINGS.device == "cuda")


def baseline_device(wildcards):
    """The device of a baseline: handcrafted features have no use for a GPU, so they neither ask for nor hold one."""
    section = getattr(SETTINGS.baselines, method_of(wildcards))
    return "cpu" if isinstance(section, HandcraftedSettings) else SETTINGS.device


def training_minutes(epochs):
    """A generous limit for a training job, from its number of epochs at full size."""
    return max(60, 2 * epochs)


def is_embedded(dataset):
    return SETTINGS.datasets[dataset].root is None


def dataset_root(wildcards):
    return SETTINGS.datasets[wildcards.dataset].root or f"{FOLDER}/embedded/{wildcards.dataset}/tree"


def rendered(wildcards):
    """The manifest of the rendered tree; nothing for a licensed copy."""
    return [f"{RESULTS}/embedded/{wildcards.dataset}/manifest.csv"] if is_embedded(wildcards.dataset) else []


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
    return {"sharing": SETTINGS.variants[method].sharing} | {key: dump(part) for key, part in parts.items()}


def variant_params(wildcards):
    return variant_sections(method_of(wildcards))


def pretrain_params(wildcards):
    return variant_sections(method_of(wildcards), pretraining=True)


def dump_study():
    """What the selection study's result depends on; its method is a variant like any other."""
    method = SETTINGS.selection_study.method
    return variant_sections(method) if method else {}


def synthesis_module(wildcards):
    """The module that loads a system of the synthesis comparison."""
    method = method_of(wildcards)
    return f"fersnet.rivals.{method}" if method in RIVALS else "fersnet.training.fersnet"


def per_fold(pattern):
    """One file for every fold: for jobs so short that one does all folds of a method."""
    return expand(pattern, fold=FOLDS)


def checkpoint(dataset, method, fold):
    return f"{RESULTS}/models/{dataset}/{method}/fold{fold}/checkpoint.pt"


def pretrained_checkpoint(wildcards):
    source = SETTINGS.variants[method_of(wildcards)].pretrained_on
    return [checkpoint(source, wildcards.method, 0)] if source else []


def augmentation_faces(wildcards):
    if SETTINGS.variants[method_of(wildcards)].augmented_by is None:
        return []
    return [f"{RESULTS}/augmentation/{wildcards.dataset}/{wildcards.method}/fold{wildcards.fold}.npz"]


def augmenting_checkpoint(wildcards):
    method, repeat = split_repeat(wildcards.method)
    source = repeat_key(SETTINGS.variants[method].augmented_by, repeat)
    return checkpoint(wildcards.dataset, source, wildcards.fold)


def face_stores():
    return expand(f"{RESULTS}/datasets/{{dataset}}/faces.npy", dataset=SETTINGS.datasets)


def face_sheets():
    return expand(f"{RESULTS}/figures/faces_{{dataset}}.png", dataset=SETTINGS.datasets)


def checked_folds():
    return expand(f"{RESULTS}/datasets/{{dataset}}/folds_check.csv", dataset=RECOGNITION)


def indexes():
    return expand(f"{RESULTS}/datasets/{{dataset}}/index.parquet", dataset=RECOGNITION)


def predictions(datasets, methods):
    """The predictions of all trainings of some methods."""
    return expand(
        f"{RESULTS}/predictions/{{dataset}}/{{method}}/fold{{fold}}.parquet",
        dataset=datasets,
        method=trainings(methods),
        fold=FOLDS,
    )


def dataset_predictions(wildcards):
    return predictions([wildcards.dataset], [*BASELINES, *FERSNET_METHODS])


def evaluations():
    return expand(
        f"{RESULTS}/evaluation/{{dataset}}/fold{{fold}}.parquet",
        dataset=SETTINGS.synthesis.datasets,
        fold=FOLDS,
    )


def evaluation_sets():
    return [path.replace(".parquet", "_sets.csv") for path in evaluations()]


def fold_syntheses(wildcards):
    folder = f"{RESULTS}/synthesis/{wildcards.dataset}"
    return [f"{folder}/{method}/fold{wildcards.fold}.npz" for method in trainings(SYSTEMS)]


def dataset_syntheses(wildcards):
    return expand(f"{RESULTS}/synthesis/{wildcards.dataset}/{{method}}/fold{{fold}}.npz", method=SYSTEMS, fold=FOLDS)


def selection_files():
    if SETTINGS.selection_study.method is None:
        return []
    return expand(f"{RESULTS}/selection/{{dataset}}/fold{{fold}}.parquet", dataset=RECOGNITION, fold=FOLDS)


def augmented_methods():
    return [key for key, variant in SETTINGS.variants.items() if variant.augmented_by]


def augmentation_tables(dataset):
    return expand(
        f"{RESULTS}/augmentation/{dataset}/{{method}}/fold{{fold}}.csv", method=augmented_methods()[:1], fold=FOLDS
    )


def gated_methods():
    return [key for key, variant in SETTINGS.variants.items() if variant.sharing == "convflu"]


def histories(dataset):
    return expand(f"{RESULTS}/models/{dataset}/{{method}}/fold{{fold}}/history.csv", method=FERSNET_METHODS, fold=FOLDS)


def tables(name):
    return multiext(f"{RESULTS}/tables/{name}", ".csv", ".md", ".tex")


def recognition_tables():
    return [path for dataset in RECOGNITION for path in tables(f"fer_{dataset}")]


def all_tables():
    names = ["datasets", "ablation", "synthesis", *(f"fer_{dataset}" for dataset in RECOGNITION)]
    names += ["selection"] if SETTINGS.selection_study.method else []
    return [path for name in names for path in tables(name)]


def figure_files(*names):
    return [f"{RESULTS}/figures/{name}.{ending}" for name in names for ending in ("png", "pdf")]


def synthesis_figures():
    names = []
    for dataset in SETTINGS.synthesis.datasets:
        names += [f"synthesis_{dataset}"]
        names += [f"confusion_synthesis_{dataset}_{method}" for method in SYSTEMS]
        names += [f"intensity_{dataset}"] if "exprgan" in RIVALS else []
    return figure_files(*names, "synthesis_scatter")


def ranking_figures():
    return figure_files(*(f"ranking_{dataset}" for dataset in RECOGNITION))


def all_figures():
    names = ["ablation"]
    for dataset in RECOGNITION:
        names += [f"training_{dataset}", f"ranking_{dataset}"]
        names += [f"confusion_{dataset}_{method}" for method in (*BASELINES, *FERSNET_METHODS)]
        names += [f"gates_{dataset}"] if gated_methods() else []
        names += [f"augmentation_{dataset}"] if augmented_methods() else []
    return [*face_sheets(), *synthesis_figures(), *figure_files(*names)]


def deliverables():
    """What `all` asks for by name: Snakemake makes a deleted file again only where somebody asks for it."""
    syntheses = expand(
        f"{RESULTS}/synthesis/{{dataset}}/{{method}}/fold{{fold}}.npz",
        dataset=SETTINGS.synthesis.datasets,
        method=trainings(SYSTEMS),
        fold=FOLDS,
    )
    return [*all_tables(), *all_figures(), *predictions(RECOGNITION, [*BASELINES, *FERSNET_METHODS]), *syntheses]


def described_run():
    """What every table and figure says about where its numbers come from."""
    return asdict(describe(SETTINGS))
