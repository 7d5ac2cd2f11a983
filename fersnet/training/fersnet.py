"""Training FERSNet and its variants, and comparing the rules by which an epoch is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from fersnet.errors import UserError
from fersnet.models.discriminator import Discriminator
from fersnet.models.fersnet import FERSNet
from fersnet.models.light_cnn import LightCNN9
from fersnet.seeds import derive_seed
from fersnet.settings.training import Selection, VariantRecipe, check_batch
from fersnet.training.batches import FaceSet, warn_of_missing_classes
from fersnet.training.fersnet_task import FERSNetTask
from fersnet.training.inference import KIND, judge
from fersnet.training.loop import best_so_far, train
from fersnet.training.task import Stage, TrainingRun
from fersnet.training.transfer import load_pretrained

if TYPE_CHECKING:
    from pandas import DataFrame

RULES: tuple[Selection, ...] = ("last", "validation", "test_best")


@dataclass(frozen=True)
class Choice:
    """The epoch that a selection rule takes, and what the network of that epoch says of the test faces."""

    epoch: int
    validation_accuracy: float
    """Sequence accuracy on the validation faces, in [0, 1]."""
    test_accuracy: float
    """Sequence accuracy on the test faces, in [0, 1]."""
    probabilities: NDArray[np.float64]
    """(N, K), in the order of the test faces."""


def fit(
    faces: FaceSet,
    recipe: VariantRecipe,
    run: TrainingRun,
    identity: LightCNN9 | None = None,
    *,
    pretrained: Path | None = None,
    validation: FaceSet | None = None,
    test: FaceSet | None = None,
) -> "DataFrame":
    """Train one variant; writes checkpoint.pt and history.csv to `run.folder`.

    Args:
        faces: Training faces, larger than `model.image_size` where crops are to vary. Synthetic faces are sources and
            are recognised, but never count as real for the discriminator nor as the target of a pair.
        recipe: What makes the variant.
        identity: The frozen network behind L_idt; not needed where the variant does not synthesise.
        pretrained: Checkpoint of the same variant from another dataset, to start from.
        validation: Faces that `selection: validation` chooses by; their accuracy becomes a column of the history.
        test: Faces that `selection: test_best` chooses by; likewise. Never trained on, and with any other rule
            without influence on the checkpoint.

    Returns:
        The history: stage, epoch, seconds, the mean of each loss, the training accuracy, and `validation_accuracy`
        and `test_accuracy` (sequence accuracy in [0, 1]) where those faces are given.

    Raises:
        UserError: for too few faces, a missing identity network or validation set, or a checkpoint that does not fit.
    """
    prepared = task(faces, recipe, run, identity, pretrained)
    selection = recipe.training.selection
    judged = {"validation": validation, "test": test}
    needed = {"validation": "validation", "test_best": "test"}.get(selection)
    if needed is not None and judged[needed] is None:
        raise UserError(f"training.selection: {selection} needs the {needed} faces; give them or use `last`")

    def evaluate(_stage: Stage, _epoch: int) -> dict[str, float]:
        return {
            f"{name}_accuracy": judge(prepared.network, chosen, run.device)[0]
            for name, chosen in judged.items()
            if chosen is not None
        }

    def keep(history: Sequence[dict[str, Any]]) -> tuple[str, ...]:
        return ("checkpoint",) if best_so_far(history, f"{needed}_accuracy") else ()

    return train(
        prepared,
        [stage(recipe, int((~faces.synthetic).sum()))],
        _described(prepared, recipe, selection),
        evaluate if any(chosen is not None for chosen in judged.values()) else None,
        keep if needed is not None else None,
    )


def train_and_compare(
    faces: FaceSet,
    validation: FaceSet,
    test: FaceSet,
    recipe: VariantRecipe,
    run: TrainingRun,
    identity: LightCNN9 | None = None,
) -> tuple["DataFrame", dict[Selection, Choice]]:
    """One training, judged after each epoch, and what each selection rule makes of it.

    The three rules see one and the same run, so that what `test_best` reads above the others is its optimism and
    nothing else. The arguments are those of `fit`; the validation subjects must not be among the training faces.

    Returns:
        The history, with `validation_accuracy` and `test_accuracy`, and the choice of each rule. Among epochs with the
        same accuracy the first counts.

    Raises:
        UserError: as `fit`, and if a subject is in two of the three sets.
    """
    _check_disjoint(faces, validation, test)
    prepared = task(faces, recipe, run, identity)

    def evaluate(_stage: Stage, epoch: int) -> dict[str, float]:
        test_accuracy, probabilities = judge(prepared.network, test, run.device)
        validation_accuracy, _ = judge(prepared.network, validation, run.device)
        figures = {"validation_accuracy": validation_accuracy, "test_accuracy": test_accuracy}
        _note_choices(prepared.notes, epoch, figures, probabilities)
        return figures

    history = train(prepared, [stage(recipe, len(faces))], _described(prepared, recipe, "last"), evaluate)
    choices: dict[Selection, Choice] = {
        rule: Choice(note["epoch"], note["validation_accuracy"], note["test_accuracy"], note["probabilities"].numpy())
        for rule, note in ((rule, prepared.notes[rule]) for rule in RULES)
    }
    return history, choices


def _note_choices(
    notes: dict[str, Any], epoch: int, figures: dict[str, float], probabilities: NDArray[np.float64]
) -> None:
    column = {"validation": "validation_accuracy", "test_best": "test_accuracy"}
    for rule in RULES:
        judged_by = column.get(rule)
        if judged_by is None or rule not in notes or figures[judged_by] > notes[rule][judged_by]:
            notes[rule] = {"epoch": epoch, **figures, "probabilities": torch.from_numpy(probabilities)}


def task(
    faces: FaceSet,
    recipe: VariantRecipe,
    run: TrainingRun,
    identity: LightCNN9 | None,
    pretrained: Path | None = None,
) -> FERSNetTask:
    """The networks of a variant before their first step; the arguments are those of `fit`."""
    if len(faces) < 2:
        raise UserError(f"{run.folder}: {len(faces)} training faces, at least 2 are needed; lower folds.count")
    try:
        check_batch(recipe.model, recipe.training, "training")
    except ValueError as error:
        raise UserError(str(error)) from None
    warn_of_missing_classes(faces)
    model, channels, classes = recipe.model, faces.images.shape[1], len(faces.expressions)
    torch.manual_seed(derive_seed(run.seed, "initial weights"))
    network = FERSNet(**_make(faces, recipe))
    discriminator = Discriminator(model.width, channels, classes) if network.synthesises else None
    if pretrained is not None:
        load_pretrained(pretrained, network, discriminator, faces.expressions)
    return FERSNetTask(faces, network, discriminator, identity, recipe.losses, recipe.training, run)


def stage(recipe: VariantRecipe, samples: int) -> Stage:
    """The training's one stage. Its epochs are as long as there are real faces, so that synthetic ones add no steps."""
    return Stage("train", recipe.training.epochs, recipe.training.batch_size, samples)


def _described(prepared: FERSNetTask, recipe: VariantRecipe, selection: Selection) -> TrainingRun:
    make, expressions = _make(prepared.faces, recipe), list(prepared.faces.expressions)
    return prepared.run.describing({"kind": KIND, "network": make, "expressions": expressions, "selection": selection})


def _make(faces: FaceSet, recipe: VariantRecipe) -> dict[str, Any]:
    """The arguments of a variant's network, as its checkpoint holds them."""
    model = recipe.model
    return {
        "width": model.width,
        "image_size": model.image_size,
        "channels": faces.images.shape[1],
        "classes": len(faces.expressions),
        "sharing": recipe.sharing,
        "convflu_kernel": model.convflu_kernel,
        "output": model.output,
        "guidance": model.guidance,
    }


def _check_disjoint(faces: FaceSet, validation: FaceSet, test: FaceSet) -> None:
    sets = {"training": faces, "validation": validation, "test": test}
    seen: dict[str, str] = {}
    for name, chosen in sets.items():
        for subject in {chosen.subject_names[position] for position in chosen.subjects.tolist()}:
            if subject in seen:
                raise UserError(f"subject {subject} is in the {seen[subject]} and the {name} faces; mend the folds")
            seen[subject] = name
