"""The card of a trained model: what it was made of, how well it did, what it is for and what it is not."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fersnet.folds import split_subjects
from fersnet.report.description import SELECTION_WORDS, RunDescription
from fersnet.report.statistics import RecognitionScores, recognition_scores
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

_DATA = {
    True: "Rendered faces in the layout of {name}; nobody real is among them. The faces are under the project's MIT "
    "licence.",
    False: "Real faces of {name}. The terms of the dataset's owner hold for this checkpoint, too: where they do not "
    "allow to pass the data on, do not pass on a network that can draw its people. See THIRD_PARTY.md.",
}

_LIMITS = {
    True: "It has seen rendered faces only. What it says of a photograph means nothing.",
    False: "It has seen the people of one dataset, who were asked to show an expression, from the front, in a "
    "laboratory. Accuracy on other ages, skins, cultures, cameras and angles is unknown, and is lower in general.",
}


def model_card(
    dataset: str,
    method: str,
    fold: int,
    metadata: Mapping[str, Any],
    folds: pd.DataFrame,
    predictions: pd.DataFrame,
    recipe: Mapping[str, Any],
    description: RunDescription,
    settings: ReportSettings,
) -> str:
    """The card in Markdown.

    Args:
        dataset: Key of the dataset.
        method: Key of the method.
        fold: Whose subjects the model has not seen.
        metadata: Of the checkpoint.
        folds: Sequences with their folds.
        predictions: Of this method for all test folds of the dataset, with `fold`; one training of each.
        recipe: Settings of the training.
        description: The run.
        settings: How intervals are computed.

    Raises:
        UserError: if there is no such fold.
    """
    split = split_subjects(folds, fold, description.selection == "validation")
    embedded = description.embedded.get(dataset, False)
    name = description.name_of(dataset)
    network, faces = metadata["network"], metadata["faces"]
    seen = folds[folds["subject"].isin(split.train)]
    counts = ", ".join(f"{key} {count}" for key, count in seen["expression"].value_counts().sort_index().items())
    source = description.pretrained_on.get(method)
    # Drawn as in the tables, so that the pooled interval is theirs.
    seed = derive_seed(description.seed, "bootstrap", dataset, method)
    own = _scores(predictions[predictions["fold"] == fold], settings, seed)
    pooled = _scores(predictions, settings, seed)
    rule = SELECTION_WORDS[description.selection]
    lines = [
        f"# {description.name_of(method)}, {name}, fold {fold}",
        "",
        "Recognises facial expressions in aligned faces"
        + (", and gives a face other expressions." if network["sharing"] != "none" else "."),
        f"Made by run `{description.run}` with FERSNet {metadata.get('version', 'of an unknown version')}.",
        "",
        "## Data",
        "",
        _DATA[embedded].format(name=name),
        "",
        f"- Training: {seen['subject'].nunique()} subjects, {len(seen)} sequences ({counts}), "
        f"{description.fold_scheme.replace('_', ' ')} folds.",
        f"- Test, never trained on: {len(split.test)} subjects ({', '.join(sorted(split.test))}).",
        *(
            [f"- Trained first on {description.name_of(source)} ({description.data_of(source)} faces)."]
            if source
            else []
        ),
        "",
        "## Classes",
        "",
        *(f"{index}. {expression}" for index, expression in enumerate(metadata["expressions"])),
        "",
        "Numbered as in the network's output, from 0.",
        "",
        "## Settings",
        "",
        "| setting | value |",
        "|---|---|",
        *(
            f"| {key} | {value} |"
            for key, value in _settings({"network": network, "faces": faces, **recipe}, description.seed)
        ),
        "",
        "## Test figures",
        "",
        f"Epoch: {rule}. Intervals: {settings.confidence:.0%}, bootstrap over subjects.",
        "",
        "| on | sequence accuracy | interval | frame accuracy | unweighted average recall | sequences |",
        "|---|---|---|---|---|---|",
        _row(f"this model's test subjects (fold {fold})", own),
        _row(f"all {predictions['fold'].nunique()} folds, each by its own model", pooled),
        "",
        "## Intended use",
        "",
        "Comparing methods under one protocol, studying how recognition and synthesis share features, teaching. Not "
        "for decisions about people, and not for watching them: docs/ethics.md.",
        "",
        "## Limits",
        "",
        f"{_LIMITS[embedded]} It reads a posed movement of a face, not what a person feels.",
        "",
        "Faces are found and aligned as in training; the landmark models behind that exclude commercial use "
        "(THIRD_PARTY.md). A synthetic face of a real person is a picture of that person: mark it as synthetic.",
        "",
    ]
    return "\n".join(lines)


def _scores(predictions: pd.DataFrame, settings: ReportSettings, seed: int) -> RecognitionScores | None:
    if predictions.empty:
        return None
    return recognition_scores(predictions, settings.bootstrap_samples, settings.confidence, seed)


def _row(name: str, scores: RecognitionScores | None) -> str:
    if scores is None:
        return f"| {name} | no test sequence |  |  |  | 0 |"
    low, high = scores.interval.low, scores.interval.high
    interval = "one subject" if pd.isna(low) else f"{low:.1%} to {high:.1%}"
    return (
        f"| {name} | {scores.accuracy:.1%} | {interval} | {scores.frame_accuracy:.1%} | {scores.uar:.1%} | "
        f"{scores.n_sequences} |"
    )


def _settings(sections: Mapping[str, Any], seed: int) -> list[tuple[str, Any]]:
    chosen = {name: sections.get(name, {}) for name in ("network", "faces", "training", "losses")}
    pairs = [
        (f"{name}: {key}", value)
        for name, section in chosen.items()
        for key, value in sorted(section.items())
        if not isinstance(value, dict)
    ]
    return [*pairs, ("synthetic training faces", sections.get("augmented_by") or "none"), ("seed", seed)]
