"""What runs, params and resources; inputs.smk and stamps.smk have the input functions, all others rules only."""

from dataclasses import asdict

from fersnet.fingerprint import fingerprint
from fersnet.folds import fold_groups
from fersnet.host import has_gpu
from fersnet.methods.find import code_of
from fersnet.project import named_file
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
QUOTED, COUNTS, TEMPLATE = (
    local(str(named_file(name)))
    for name in ("config/reported.csv", "config/sequence_counts.csv", "fersnet/report/report.html.j2")
)
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
STORED = ("faces.npy", "faces.parquet", "landmarks.npy")
FOLD_FACES = FACES | {
    "folds": "<results>/datasets/{dataset}/folds.csv",
    "checked": "<results>/datasets/{dataset}/folds_check.csv",
}
PREDICTIONS = "<results>/predictions/{dataset}/{method}/fold{fold}.parquet"
SYNTHESES = "<results>/synthesis/{dataset}/{method}/fold{fold}.npz"
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


def described(methods):
    """The run as tables and figures of some methods describe it."""
    return asdict(of_methods(describe(SETTINGS, FOLD_COUNTS), methods))


def showing(script, of=(), **params):
    """Params of a rule that makes a table or figure of some methods."""
    return work(script, report=dump(SETTINGS.report), **{"run": described(of)} | params)


def needs(megabytes, minutes, gpus=0):
    """Resources of a class of work; a retry gets twice the memory, and no more, since a time limit costs one, too."""
    return dict(gpu=gpus, mem_mb=lambda wildcards, attempt: megabytes * min(attempt, 2), runtime=minutes)


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


def landmark_backend(wildcards):
    return SETTINGS.datasets[wildcards.dataset].landmarks or SETTINGS.faces.backend


def face_params(wildcards):
    """How the faces were aligned, which a trained model must do again with a picture of a user's."""
    settings = dump(SETTINGS.faces)
    return {key: settings[key] for key in ("size", "channels", "lighting")} | {"backend": landmark_backend(wildcards)}


def classes(wildcards):
    return list(SETTINGS.datasets[wildcards.dataset].classes)


def synthesis_classes(wildcards):
    return list(SETTINGS.datasets[wildcards.dataset].synthesis_classes)


def hold_out():
    return SETTINGS.training.selection == "validation"


def variant_params(wildcards):
    """The settings of a variant that its training depends on."""
    return dump(SETTINGS.for_variant(method_of(wildcards)))


def pretrain_params(wildcards):
    """The same of its training on a pre-training dataset."""
    return dump(SETTINGS.for_variant(method_of(wildcards), pretraining=True))


def dump_study():
    """What the selection study's result depends on; its method is a variant like any other."""
    method = SETTINGS.selection_study.method
    return dump(SETTINGS.for_variant(method)) if method else {}


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
