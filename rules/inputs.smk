"""Which files a rule or a target takes: input functions and lists of files."""


def folds_of(dataset):
    """The folds of a dataset; `leave_one_subject_out` has as many as the dataset has subjects."""
    return range(1, FOLD_COUNTS[dataset] + 1)


def per_fold(pattern, count):
    """One file for every fold: for jobs so short that one does all folds of a method."""
    return expand(pattern, fold=range(1, count + 1))


def of_folds(pattern, datasets, **more):
    """A file for every dataset and fold (and whatever else), the folds being each dataset's own."""
    return [path for dataset in datasets for path in expand(pattern, dataset=dataset, **more, fold=folds_of(dataset))]


def each_fold(pattern, **more):
    """The input function for a file of every fold of the job's dataset."""
    return lambda wildcards: of_folds(pattern, [wildcards.dataset], **more)


def each_dataset(name):
    """A file of every recognition dataset."""
    return expand(f"<results>/datasets/{{dataset}}/{name}", dataset=RECOGNITION)


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


def face_sheets():
    return expand("<results>/figures/faces_{dataset}.png", dataset=SETTINGS.datasets)


def predictions(datasets, methods):
    """The predictions of all trainings of some methods."""
    return of_folds(PREDICTIONS, datasets, method=trainings(methods))


def evaluations():
    return of_folds("<results>/evaluation/{dataset}/fold{fold}.parquet", SETTINGS.synthesis.datasets)


def evaluation_sets():
    return [path.replace(".parquet", "_sets.csv") for path in evaluations()]


def fold_syntheses(wildcards):
    folder = f"<results>/synthesis/{wildcards.dataset}"
    return [f"{folder}/{method}/fold{wildcards.fold}.npz" for method in trainings(SYSTEMS)]


def selection_files():
    if SETTINGS.selection_study.method is None:
        return []
    return of_folds("<results>/selection/{dataset}/fold{fold}.parquet", RECOGNITION)


def augmented_methods():
    return [key for key, variant in SETTINGS.variants.items() if variant.augmented_by]


def gated_methods():
    return [key for key, variant in SETTINGS.variants.items() if variant.sharing == "convflu"]


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
    syntheses = of_folds(SYNTHESES, SETTINGS.synthesis.datasets, method=trainings(SYSTEMS))
    return [*all_tables(), *all_figures(), *predictions(RECOGNITION, RECOGNISERS), *syntheses]
