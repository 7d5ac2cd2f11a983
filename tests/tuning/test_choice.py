"""Which draw is chosen, and what is written of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from fersnet.settings.load import load_settings, read_config
from fersnet.tuning.choice import RENDERED, SCORES, choose, difference_error, pooled, read_scores
from fersnet.tuning.draws import Searched, drawn
from fersnet.tuning.results import all_draws, chosen_config, config_text, tuning_table

ROOT = Path(__file__).parents[2]
OWN = {"london": {"reader": "folder", "root": "faces/london", "expressions": ["happiness", "neutral"]}}
RUN = load_settings({"preset": "embedded", "datasets": OWN, "tuning": {"draws": 2}}, [])
NAMES = {"stargan": "StarGAN", "fersnet": "FERSNet", "london": "London"}
METHODS = {
    "fersnet": Searched("fersnet", {}, recognises=True, synthesises=True),
    "stargan": Searched("stargan", {}, recognises=False, synthesises=True),
    "eac": Searched("eac", {}, recognises=True, synthesises=False),
}


def scores(*rows: tuple[str, str, int, float, float, float]) -> pd.DataFrame:
    """Of three people each, who are all read alike."""
    parts = [
        (*place, person, accuracy, 10 * (accuracy == accuracy), read, 10 * (read == read), identity)
        for *place, accuracy, read, identity in rows
        for person in "abc"
    ]
    return pd.DataFrame(parts, columns=list(SCORES))


NOTHING = float("nan")


def chosen(frame: pd.DataFrame, floor: float = 0.8) -> dict[tuple[str, str], int]:
    return {(one.people, one.method): one.draw for one in choose(frame, METHODS, ["ckplus", "mmi"], floor)}


def test_the_best_of_those_that_keep_the_person_is_chosen() -> None:
    read = scores(
        ("ckplus", "stargan", 0, NOTHING, 0.5, 0.99),
        ("ckplus", "stargan", 1, NOTHING, 0.7, 0.9),
        ("ckplus", "stargan", 2, NOTHING, 0.95, 0.6),
    )
    assert chosen(read) == {(RENDERED, "stargan"): 1}
    assert chosen(read, floor=0.5) == {(RENDERED, "stargan"): 2}
    (none,) = choose(read, METHODS, ["ckplus"], floor=1.0)
    assert (none.draw, none.kept_the_person) == (0, False), "the nearest to the floor"


def test_a_draw_that_loses_the_person_on_one_set_is_not_made_good_by_another() -> None:
    read = scores(
        *(("ckplus", "stargan", draw, NOTHING, 0.5, identity) for draw, identity in ((0, 0.9), (1, 0.75))),
        *(("mmi", "stargan", draw, NOTHING, 0.5 + 0.3 * draw, identity) for draw, identity in ((0, 0.9), (1, 0.95))),
    )
    assert chosen(read) == {(RENDERED, "stargan"): 0}
    assert chosen(read, floor=0.7) == {(RENDERED, "stargan"): 1}


def test_what_recognises_is_judged_by_accuracy_and_what_does_both_by_both() -> None:
    both = scores(
        ("ckplus", "fersnet", 0, 0.9, 0.5, 0.95),
        ("mmi", "fersnet", 0, 0.7, NOTHING, NOTHING),
        ("ckplus", "fersnet", 1, 0.8, 0.7, 0.95),
        ("mmi", "fersnet", 1, 0.7, NOTHING, NOTHING),
        ("ckplus", "eac", 0, 0.6, NOTHING, NOTHING),
        ("ckplus", "eac", 1, 0.6, NOTHING, NOTHING),
    )
    assert chosen(both) == {(RENDERED, "fersnet"): 1, (RENDERED, "eac"): 0}, "at a tie nothing changes"
    first, _ = choose(both, METHODS, ["ckplus", "mmi"], 0.8)
    assert first.figures["figure"].tolist() == pytest.approx([(0.8 + 0.5) / 2, (0.75 + 0.7) / 2])


def by_person(*rows: tuple[str, int, list[float]]) -> pd.DataFrame:
    parts = [
        (people, "eac", draw, str(person), accuracy, 10, NOTHING, 0, NOTHING)
        for people, draw, accuracies in rows
        for person, accuracy in enumerate(accuracies)
    ]
    return pd.DataFrame(parts, columns=list(SCORES))


def test_settings_stay_unless_a_draw_is_better_by_more_than_the_standard_error() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random(8), rng.random(5)
    # The people differ far more than the draws do: what counts is the difference on the same person.
    better = rng.random(8) * 0.1, rng.random(5) * 0.1
    frame = by_person(
        *(("ckplus", draw, list(first + draw * better[0])) for draw in (0, 1)),
        *(("mmi", draw, list(second + draw * better[1])) for draw in (0, 1)),
    )
    apart = [part.var(ddof=1) / len(part) for part in better]
    assert difference_error(frame, 1, ["accuracy"]) == pytest.approx(0.5 * np.sqrt(sum(apart)))
    assert chosen(frame) == {(RENDERED, "eac"): 1}
    by_chance = by_person(("ckplus", 0, [0.5, 0.5, 0.5, 0.5]), ("ckplus", 1, [0.9, 0.1, 0.9, 0.2]))
    assert chosen(by_chance) == {(RENDERED, "eac"): 0}
    assert chosen(by_person(("ckplus", 0, [0.5]), ("ckplus", 1, [0.9]))) == {(RENDERED, "eac"): 0}, "one person"


def test_the_error_of_what_does_both_has_both_in_it() -> None:
    rows = [("ckplus", "fersnet", draw, str(person), 0.5 + draw * gain, 3, 0.5 + draw * met, 18, 0.95)
            for draw in (0, 1) for person, (gain, met) in enumerate(((0.1, 0.3), (0.2, 0.1), (0.0, 0.2)))]  # fmt: skip
    rows += [("mmi", "fersnet", draw, str(person), 0.5 + draw * gain, 3, NOTHING, 0, NOTHING)
             for draw in (0, 1) for person, gain in enumerate((0.1, 0.3))]  # fmt: skip
    both = np.array([0.1 / 2 + 0.3, 0.2 / 2 + 0.1, 0.2]) / 2
    alone = np.array([0.1, 0.3]) / 2 / 2
    expected = np.sqrt(both.var(ddof=1) / 3 + alone.var(ddof=1) / 2)
    found = difference_error(pd.DataFrame(rows, columns=list(SCORES)), 1, ["accuracy", "read"])
    assert found == pytest.approx(expected)


def test_each_fold_of_a_copy_of_ones_own_has_its_choice() -> None:
    frame = scores(
        *((people, "eac", draw, 0.5 + 0.1 * (draw == best), NOTHING, NOTHING) for people, best in
          (("ckplus", 1), ("london.fold1", 2), ("london.fold2", 1)) for draw in range(3))
    )  # fmt: skip
    assert chosen(frame) == {(RENDERED, "eac"): 1, ("london.fold1", "eac"): 2, ("london.fold2", "eac"): 1}


@pytest.fixture
def searched_frame() -> pd.DataFrame:
    return scores(
        ("ckplus", "stargan", 0, NOTHING, 0.5, 0.99),
        ("ckplus", "stargan", 1, NOTHING, 0.7, 0.9),
        ("ckplus", "fersnet", 0, 0.9, 0.5, 0.95),
        ("ckplus", "fersnet", 2, 0.9, 0.7, 0.95),
        ("london.fold2", "fersnet", 0, 0.7, NOTHING, NOTHING),
        ("london.fold2", "fersnet", 1, 0.9, NOTHING, NOTHING),
        ("london.fold2", "stargan", 0, NOTHING, 0.7, 0.9),
        ("london.fold2", "stargan", 1, NOTHING, 0.6, 0.9),
    )


def test_the_chosen_settings_are_a_config_that_a_run_takes(searched_frame: pd.DataFrame, tmp_path: Path) -> None:
    choices = choose(searched_frame, METHODS, ["ckplus"], 0.8)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"preset": "embedded", "datasets": OWN}), encoding="utf-8")
    (tmp_path / "chosen.yaml").write_text(config_text(chosen_config(choices, RUN), RUN), encoding="utf-8")
    files = [tmp_path / "mine.yaml", tmp_path / "chosen.yaml"]
    run = load_settings(read_config(files), files)
    assert run.rivals.of("stargan").model_dump() == RUN.for_method("stargan", drawn(RUN, "stargan", 1)).model_dump()
    for variant in ("fersnet", "fersnet_fes_da", "fersnet_bu4dfe"):
        assert run.for_variant(variant).losses == RUN.for_variant("fersnet", changes=drawn(RUN, "fersnet", 2)).losses
        assert run.chosen_for(variant, "london", "2") == drawn(RUN, "fersnet", 1)
    assert run.for_variant("fersnet_without_mtl") == RUN.for_variant("fersnet_without_mtl"), "not searched here"
    assert run.chosen_for("fersnet", "london", "1") == {} == run.chosen_for("stargan", "london", "2")


def test_a_search_that_changes_nothing_leaves_an_empty_config() -> None:
    choices = choose(scores(("ckplus", "eac", 0, 0.6, NOTHING, NOTHING)), METHODS, ["ckplus"], 0.8)
    assert yaml.safe_load(config_text(chosen_config(choices, RUN), RUN)) == {}


def test_table_and_list_tell_all_draws_and_what_was_chosen(searched_frame: pd.DataFrame) -> None:
    choices = choose(searched_frame, METHODS, ["ckplus"], 0.8)
    table = tuning_table(choices, {(RENDERED, "stargan"): (2, 0.5)}, RUN, NAMES)
    stargan = table.frame[(table.frame["method"] == "stargan") & (table.frame["people"] == "rendered")]
    rate = stargan.set_index("setting").loc["learning_rate"]
    rates = RUN.rivals.of("stargan").learning_rate, drawn(RUN, "stargan", 1)["learning_rate"]
    assert (rate["before"], rate["chosen"]) == tuple(f"{value:g}" for value in rates)
    assert (rate["range"], rate["trainings"], rate["core_hours"]) == ("0.0001 to 0.003 (by size)", 2, 0.5)
    assert (rate["figure_before"], rate["figure"]) == (50.0, 70.0)
    assert "London, fold 2" in set(table.frame["searched_on"])
    assert any("LBP-TOP" not in note and "Without ranges" not in note for note in table.notes)
    listed = all_draws(pooled(searched_frame), choices, RUN)
    assert len(listed) == 8
    assert listed[listed["chosen"]][["people", "method", "draw"]].to_numpy().tolist() == [
        ["ckplus", "stargan", 1],
        ["ckplus", "fersnet", 2],
        ["london.fold2", "fersnet", 1],
        ["london.fold2", "stargan", 0],
    ]


def test_scores_are_shares_of_images_by_people_and_draw(tmp_path: Path) -> None:
    folder = tmp_path / "predictions" / "ckplus" / "fersnet.draw1"
    folder.mkdir(parents=True)
    read = pd.DataFrame({"sequence_id": ["a", "a", "b", "b"], "subject": ["s", "s", "t", "t"], "frame": [1, 2, 1, 2]})
    read = read.assign(expression="anger", predicted=["anger", "fear", "anger", "anger"])
    read.to_parquet(folder / "fold1.parquet")
    judged = tmp_path / "evaluation" / "ckplus" / "fersnet.draw1"
    judged.mkdir(parents=True)
    faces = pd.DataFrame({"method": ["fersnet.draw1"] * 2 + ["identity_map"] * 2, "subject": "s", "sequence_id": "a"})
    faces = faces.assign(source=0, expression="fear", target=["anger", "fear"] * 2, predicted=["fear", "fear"] * 2)
    faces.assign(ssim=np.nan, psnr=np.nan, identity_cosine=1.0).to_parquet(judged / "fold1.parquet")
    sets = pd.DataFrame(
        {"method": ["fersnet.draw1", "identity_map"], "kid_fer": 0.0, "identity_auc": [0.9, 1.0], "n": 2}
    )
    sets.to_csv(judged / "fold1_sets.csv", index=False)
    files = [folder / "fold1.parquet"], [judged / "fold1.parquet"], [judged / "fold1_sets.csv"]
    whole = {"people": "ckplus", "method": "fersnet", "draw": 1, "accuracy": 0.75, "read": 0.5, "identity_auc": 0.9}
    assert read_scores(*files)[["subject", "accuracy", "n_images", "n_judged"]].to_numpy().tolist() == [
        ["s", 0.5, 2, 2],
        ["t", 1.0, 2, 0],
    ]
    assert pooled(read_scores(*files)).to_dict("records") == [{**whole, "n_images": 4, "n_subjects": 2}]
    for alone, kept in (((files[0], [], []), {"accuracy"}), (([], *files[1:]), {"read", "identity_auc"})):
        (found,) = pooled(read_scores(*alone)).to_dict("records")
        assert {key for key in ("accuracy", "read", "identity_auc") if found[key] == whole[key]} == kept
