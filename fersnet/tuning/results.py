"""What a search leaves: the config of the chosen settings, all draws, and a table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from fersnet.report.rows import percent
from fersnet.report.table import Column, Table, columns
from fersnet.settings.tree import Settings
from fersnet.tracking import FINISHED, latest_records, read_records
from fersnet.tuning.choice import RENDERED, Choice
from fersnet.tuning.draws import AS_IT_IS, Searched, drawn, flat, followed, left_as_they_are, searched, split_draw
from fersnet.tuning.people import split_people

_HEADER = """\
# Settings that `fersnet tune` chose for the run {run}; draws of every method: {draws}, seed {seed}.
# Lay them over the config that was searched: `snakemake --configfile <that config> <this file>`.
"""
TRAININGS = ("tune_fersnet", "tune_rival", "tune_baseline", "tune_pretrain")
"""The rules that train draws."""
_NUMBERS = ("draws", "chosen_draw", "trainings")


def chosen_config(choices: Sequence[Choice], settings: Settings) -> dict[str, Any]:
    """The chosen settings in the form that a config takes; what stays as it stands is left out.

    What was chosen on rendered people stands in the methods' own sections, and what was chosen in a fold of a copy of
    one's own under `chosen`. Variants that build on another one's training take that one's.
    """
    followers = followed(settings)
    tree: dict[str, Any] = {}
    for one in choices:
        changes = drawn(settings, one.method, one.draw)
        takers = [one.method, *(key for key, source in followers.items() if source == one.method)]
        for key in takers if changes else ():
            if one.people == RENDERED:
                tree.setdefault(_section(key, settings), {})[key] = changes
            else:
                dataset, fold = split_people(one.people)
                tree.setdefault("chosen", {}).setdefault(dataset, {}).setdefault(str(fold), {})[key] = changes
    return tree


def config_text(tree: Mapping[str, Any], settings: Settings) -> str:
    """The file of the chosen settings."""
    header = _HEADER.format(run=settings.run, draws=settings.tuning.draws, seed=settings.tuning.seed)
    return header + yaml.safe_dump(json.loads(json.dumps(tree)), sort_keys=False, default_flow_style=None)


def all_draws(scores: pd.DataFrame, choices: Sequence[Choice], settings: Settings) -> pd.DataFrame:
    """Every draw with what it reached, in percent, whether it was chosen, and what it changed (as JSON)."""
    chosen = {(one.people, one.method, one.draw) for one in choices}
    groups = [people if split_people(people)[1] else RENDERED for people in scores["people"]]
    places = zip(groups, scores["method"], scores["draw"], strict=True)
    keys = list(zip(scores["method"], scores["draw"], strict=True))
    changes = {key: json.dumps(flat(drawn(settings, *key))) for key in dict.fromkeys(keys)}
    return scores.assign(
        accuracy=scores["accuracy"].map(percent),
        read=scores["read"].map(percent),
        chosen=[place in chosen for place in places],
        settings=[changes[key] for key in keys],
    )


def cost_of_draws(results: Path, settings: Settings) -> dict[tuple[str, str], tuple[int, float]]:
    """Trainings of the draws and their core-hours, by people and method, from the run's job records."""
    costs: dict[tuple[str, str], tuple[int, float]] = {}
    for record in latest_records(read_records(results)):
        method, number = split_draw(record.method)
        counts = number is not None and number <= settings.tuning.draws and record.status == FINISHED
        if counts and record.rule in TRAININGS:
            place = (record.dataset if split_people(record.dataset)[1] else RENDERED, method)
            number, hours = costs.get(place, (0, 0.0))
            costs[place] = number + 1, hours + (record.seconds or 0.0) * record.threads / 3600
    return costs


def tuning_table(
    choices: Sequence[Choice],
    costs: Mapping[tuple[str, str], tuple[int, float]],
    settings: Settings,
    names: Mapping[str, str],
) -> Table:
    """A row for every setting that was searched, of every method on its people.

    Args:
        choices: as `choose` returns them.
        costs: as `cost_of_draws` returns them.
        settings: of the run.
        names: printed names of methods and datasets.
    """
    methods = searched(settings)
    rows = [
        row | dict(zip(("trainings", "core_hours"), costs.get((one.people, one.method), (None, None)), strict=True))
        for one in choices
        for row in _rows(one, methods[one.method], settings, names)
    ]
    keys = (
        *("method", "name", "people", "searched_on", "setting", "range", "before", "chosen", "draws", "chosen_draw"),
        *("figure_before", "figure", "accuracy", "read", "identity_auc", "kept_the_person", "trainings", "core_hours"),
    )
    frame = pd.DataFrame(rows, columns=list(keys)).astype(dict.fromkeys(_NUMBERS, "Int64"))
    tuning, left = settings.tuning, left_as_they_are(settings)
    notes = [
        "`Figure`: percent of the images of people who trained nothing; of real faces read right for what recognises, "
        "of synthetic faces in which the judge reads the target for what synthesises, and the mean of both for what "
        f"does both. `Before`: the settings as they stand, which take part as draw {AS_IT_IS} and "
        "are left unless another draw is better by more than the standard error of the difference over the people. A "
        f"draw whose identity AUC is below {tuning.identity_floor:g} on a set is not chosen.",
        "A chosen figure is the best of several on few people, and so higher than what its settings reach on others, "
        "which the tables of a run with them say.",
    ]
    notes += [
        f"{names.get(one.method, one.method)}: no draw reaches the floor of the identity; the nearest was chosen."
        for one in choices
        if not one.kept_the_person
    ]
    takers = [
        f"{names.get(key, key)} as {names.get(of, of)}" for key, of in followed(settings).items() if of in methods
    ]
    notes += [f"Not searched, since they build on another training, and set as that: {'; '.join(takers)}."] * bool(
        takers
    )
    notes += [f"Without ranges, and left as they are: {', '.join(names.get(key, key) for key in left)}."] * bool(left)
    return Table(
        "tuning",
        frame,
        "Settings that were searched, and those that were chosen",
        f"Run {settings.run}; draws of every method: {tuning.draws}, from seed {tuning.seed}, on people whom no "
        f"reported figure is about; trained and read in {tuning.folds} of {tuning.parts} subject-wise folds of theirs.",
        tuple(notes),
        columns=(
            *columns("name"),
            Column("searched_on", "Searched on", "text"),
            Column("setting", "Setting", "text"),
            Column("range", "Range", "text"),
            Column("before", "Before", "text"),
            Column("chosen", "Chosen", "text"),
            Column("draws", "Draws"),
            Column("figure_before", "Figure before", "percent"),
            Column("figure", "Figure", "percent"),
            *columns("identity_auc", "core_hours"),
        ),
        group="name",
        needed=("name", "setting", "before", "chosen", "figure_before", "figure"),
    )


def _rows(one: Choice, method: Searched, settings: Settings, names: Mapping[str, str]) -> list[dict[str, Any]]:
    best, before = one.figures.loc[one.draw], one.figures.loc[AS_IT_IS]
    values = flat(drawn(settings, one.method, one.draw))
    dataset, fold = split_people(one.people)
    place = {
        "method": one.method,
        "name": names.get(one.method, one.method),
        "people": one.people or "rendered",
        "searched_on": f"{names.get(dataset, dataset)}, fold {fold}" if fold else "rendered people",
        "draws": len(one.figures) - 1,
        "chosen_draw": one.draw,
        "figure_before": percent(before["figure"]),
        "figure": percent(best["figure"]),
        "accuracy": percent(best["accuracy"]),
        "read": percent(best["read"]),
        "identity_auc": best["identity_auc"],
        "kept_the_person": one.kept_the_person,
    }
    return [
        place
        | {
            "setting": key,
            "range": str(within),
            "before": _text(_before(settings, one.method, key)),
            "chosen": _text(values.get(key, _before(settings, one.method, key))),
        }
        for key, within in method.ranges.items()
    ]


def _before(settings: Settings, method: str, key: str) -> Any:
    value: Any = settings.trained_with(method)
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _section(key: str, settings: Settings) -> str:
    if key in settings.variants:
        return "variants"
    return "rivals" if key in settings.known.systems else "baselines"
