"""What sections rule out together, and what would otherwise be met after hours of other work.

Each check raises ValueError with one line that begins with the key to change.
"""

from fersnet.settings.methods import OtherSetsSettings
from fersnet.settings.training import check_batch
from fersnet.settings.tree import CROSS, Settings


def check_networks(settings: Settings) -> None:
    """Sides of images and numbers of faces in a batch that a network to be trained cannot take."""
    size, stored = settings.model.image_size, settings.faces.size
    if size > stored:
        raise ValueError("model.image_size: the crop must not be larger than faces.size")
    settings.rivals.check_size(size)
    if any(settings.judge_of(key) != "fixed" for key in settings.synthesis.datasets):
        settings.standard_fer.check_batch(size)
    for key, variant in settings.variants.items():
        recipe = settings.for_variant(key)
        own = recipe.model.image_size
        place = f"variants.{key}.model.image_size"
        if own > stored:
            raise ValueError(f"{place}: the crop must not be larger than faces.size")
        if own != size and key == settings.synthesis.method:
            raise ValueError(
                f"{place}: the variant of synthesis.method competes with the rivals at their side, model.image_size"
            )
        check_batch(recipe.model, recipe.training, "training")
        if variant.pretrained_on is not None:
            check_batch(recipe.model, settings.pretraining, "pretraining")
    drawing = {variant.augmented_by: "" for variant in settings.variants.values() if variant.augmented_by}
    compared = dict.fromkeys(settings.utility_rows.values(), "; `utility: {method: null}` does without")
    for key, way_out in (compared | drawing).items():
        side = settings.drawn_size(key)
        if 2 * side < stored:
            raise ValueError(
                f"model.image_size: augmentation by {key} needs at least half of faces.size ({stored}), found {side}"
                + way_out
            )


def check_augmentation(settings: Settings) -> None:
    """Synthetic faces of a system that the run does not train, or that nothing here could read or enlarge."""
    known, trained = settings.known.systems, settings.rivals.methods
    for key, variant in settings.variants.items():
        source, place = variant.augmented_by, f"variants.{key}.augmented_by"
        if source is None:
            continue
        if source in known and source not in trained:
            raise ValueError(f"{place}: {source!r} is not trained in this run; add it to rivals.methods")
        drawing = settings.variants.get(source)
        if source not in trained and (drawing is None or drawing.sharing == "none" or drawing.augmented_by):
            raise ValueError(
                f"{place}: {source!r} must be a variant that synthesises and is not augmented itself, or one of "
                f"rivals.methods ({', '.join(trained) or 'which is empty'})"
            )
        if source in trained and settings.augmentation.minimum_confidence > 0:
            raise ValueError(
                f"augmentation.minimum_confidence: variants.{key} is augmented by {source}, which has no recognition "
                "branch to read its faces; set it to 0"
            )


def check_utility(settings: Settings) -> None:
    """A recogniser that cannot be the one of all rows, or a dataset on which nothing is drawn."""
    method = settings.utility.method
    if method is None:
        return
    if method not in settings.variants:
        raise ValueError(
            f"utility.method: {method!r} is not a variant; have {', '.join(settings.variants)}, or null for none"
        )
    if settings.variants[method].pretrained_on or settings.variants[method].augmented_by:
        raise ValueError(
            f"utility.method: {method!r} is pre-trained or augmented; choose a variant that is neither, whose training "
            "differs in the synthetic faces alone"
        )
    for key in settings.utility_datasets:
        if key not in settings.recognition_datasets:
            raise ValueError(
                f"utility.datasets: {key!r} is not a recognition dataset; have {list(settings.recognition_datasets)}"
            )
        if len(settings.datasets[key].synthesis_classes) < 2:
            raise ValueError(
                f"datasets.{key}.expressions: synthesis needs at least two expressions beside contempt; add one, or "
                f"take {key} out of utility.datasets"
            )


def check_people(settings: Settings) -> None:
    """Subjects that are asked for and are not there: too few rendered ones for the folds, figures of no dataset."""
    for key in settings.folds.lists:
        if key not in settings.recognition_datasets:
            raise ValueError(
                f"folds.lists.{key}: not a recognition dataset; have {list(settings.recognition_datasets)}"
            )
        if settings.datasets[key].root is None:
            raise ValueError(
                f"folds.lists.{key}: rendered faces are other people; set datasets.{key}.root, or take it out"
            )
    rendered = [key for key in settings.recognition_datasets if settings.datasets[key].root is None]
    people, key = min(((settings.datasets[key].embedded.subjects, key) for key in rendered), default=(0, ""))
    if key and settings.folds.scheme != "leave_one_subject_out" and people < settings.folds.count:
        raise ValueError(
            f"folds.count: {settings.folds.count} folds, but datasets.{key}.embedded.subjects is {people}; "
            f"set folds.count to {people} or less, or render more subjects"
        )
    for key in settings.report.permitted:
        if key not in settings.datasets:
            raise ValueError(f"report.permitted: {key!r} is not a dataset; have {list(settings.datasets)}")
    for key in settings.report.chosen_subjects:
        if key not in settings.recognition_datasets:
            raise ValueError(
                f"report.chosen_subjects.{key}: not a recognition dataset; have {list(settings.recognition_datasets)}"
            )


def check_cross(settings: Settings) -> None:
    """A name that stands for something else, and sets across which nothing can be trained."""
    if CROSS in settings.datasets:
        raise ValueError(f"datasets.{CROSS}: this name stands for trainings across datasets; take another")
    if not settings.cross:
        return
    sets, shared = settings.recognition_datasets, settings.cross_classes
    if len(sets) < 2:
        raise ValueError(f"cross: the only recognition dataset is {sets[0]}; add another, or set cross to false")
    if len(shared) < 2:
        raise ValueError(
            f"cross: {', '.join(sets)} share {len(shared)} of their expressions ({', '.join(shared) or 'none'}), and "
            "two are needed; change datasets.<key>.expressions, or set cross to false"
        )


def with_able_recognisers(settings: Settings) -> Settings:
    """The settings; where they list no recognisers, without those of all that learn from other sets and have none."""
    if "methods" in settings.baselines.model_fields_set:
        return settings
    able = tuple(key for key in settings.baselines.methods if not _without_others(settings, key))
    return settings.model_copy(update={"baselines": settings.baselines.model_copy(update={"methods": able})})


def check_recognisers(settings: Settings) -> None:
    """A recogniser that is to learn from other sets where there are none."""
    for method in settings.baselines.methods:
        section = settings.baselines.of(method)
        instead = section.instead if isinstance(section, OtherSetsSettings) else OtherSetsSettings.instead
        for key in _without_others(settings, method):
            raise ValueError(
                f"baselines.{method}: it learns from other sets, but beside {key} no recognition dataset has "
                f"{_kind(settings, key)} and two of its classes; add one, or {instead}"
            )


def _without_others(settings: Settings, method: str) -> list[str]:
    """The datasets beside which a recogniser that learns from other sets finds none."""
    reads = settings.reads_other_sets(method)
    return [key for key in settings.recognition_datasets if reads and not settings.others_of(method, key)]


def _kind(settings: Settings, dataset: str) -> str:
    """What the sets have that a training may put together with this one."""
    return "rendered faces" if settings.datasets[dataset].root is None else "a root of its own"


def check_judges(settings: Settings) -> None:
    """A judge that is to learn from other sets where there are none."""
    for key in settings.synthesis.datasets:
        if settings.judge_of(key) == "other_sets" and not settings.judged_with(key):
            raise ValueError(
                f"standard_fer.trained_on: other_sets, but beside {key} no recognition dataset has "
                f"{_kind(settings, key)}; add one, or take `fold`"
            )


def check_study(settings: Settings) -> None:
    """A variant that the selection study, which trains from scratch on real faces alone, would train as another."""
    method = settings.selection_study.method
    if method is None:
        return
    if method not in settings.variants:
        raise ValueError(f"selection_study.method: {method!r} is not a variant")
    if settings.variants[method].pretrained_on or settings.variants[method].augmented_by:
        raise ValueError(
            f"selection_study.method: {method!r} is pre-trained or augmented, which the study leaves out; "
            "choose a variant that is neither"
        )


def check_chosen_settings(settings: Settings) -> None:
    """Settings of single folds that no dataset or method has, or that have a value which it cannot have."""
    known = {*settings.variants, *settings.known.systems, *settings.known.recognisers}
    for dataset, folds in settings.chosen.items():
        if dataset not in settings.recognition_datasets:
            raise ValueError(f"chosen.{dataset}: not a recognition dataset; have {list(settings.recognition_datasets)}")
        for fold, methods in folds.items():
            place = f"chosen.{dataset}.{fold}"
            if not fold.isdigit() or fold == "0":
                raise ValueError(f"{place}: folds count from 1")
            for method, changes in methods.items():
                if method not in known:
                    raise ValueError(f"{place}.{method}: not a method or variant; have {', '.join(sorted(known))}")
                try:
                    settings.trained_with(method, changes)
                except ValueError as error:
                    raise ValueError(f"{place}.{method}: {error}") from None


def check_tuning(settings: Settings) -> None:
    """A search in more folds than there are, or of a method that is not in the run."""
    tuning = settings.tuning
    known = [*settings.variants, *settings.rivals.methods, *settings.baselines.methods]
    for method in tuning.methods or ():
        if method not in known:
            raise ValueError(f"tuning.methods: {method!r} is not trained in this run; have {', '.join(known)}")
    if tuning.folds > tuning.parts:
        raise ValueError(f"tuning.folds: {tuning.folds} folds of tuning.parts, which is {tuning.parts}")
