"""What sections rule out together, and what would otherwise be met after hours of other work.

Each check raises ValueError with one line that begins with the key to change.
"""

from fersnet.settings.methods import OtherSetsSettings
from fersnet.settings.training import check_batch
from fersnet.settings.tree import Settings


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
        if variant.augmented_by is not None:
            source = settings.for_variant(variant.augmented_by).model.image_size
            if 2 * source < stored:
                raise ValueError(
                    f"model.image_size: augmentation by {variant.augmented_by} needs at least half of faces.size "
                    f"({stored}), found {source}"
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


def check_recognisers(settings: Settings) -> None:
    """A recogniser that is to learn from other sets where there are none."""
    for method in settings.baselines.methods:
        section = settings.baselines.of(method)
        instead = section.instead if isinstance(section, OtherSetsSettings) else OtherSetsSettings.instead
        for key in settings.recognition_datasets if settings.reads_other_sets(method) else ():
            if not settings.others_of(method, key):
                kind = "rendered faces" if settings.datasets[key].root is None else "a root of its own"
                raise ValueError(
                    f"baselines.{method}: it learns from other sets, but beside {key} no recognition dataset has "
                    f"{kind} and two of its classes; add one, or {instead}"
                )


def check_judges(settings: Settings) -> None:
    """A judge that is to learn from other sets where there are none."""
    for key in settings.synthesis.datasets:
        if settings.judge_of(key) == "other_sets" and not settings.judged_with(key):
            kind = "rendered faces" if settings.datasets[key].root is None else "a root of its own"
            raise ValueError(
                f"standard_fer.trained_on: other_sets, but beside {key} no recognition dataset has {kind}; "
                "add one, or take `fold`"
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
