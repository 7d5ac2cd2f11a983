"""Which difference a planned run can see, against runs that are simulated whole."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fersnet.claims import Claim
from fersnet.report.power import assumed_visible, describe_power, disagreement, visible_in
from fersnet.report.statistics import compare_paired
from fersnet.settings.load import load_settings

CONFIDENCE = 0.95


def answers(rng: np.random.Generator, people: int, repeats: int, better: float = 0.0) -> np.ndarray:
    """Whether two methods read six items of each subject, (method, training, subject, item): what a subject costs each
    lasts from training to training, and each adds its own."""
    lasting = rng.normal(0, 0.12, (2, 1, people, 1))
    chance = 0.5 + np.array([better, 0.0]).reshape(2, 1, 1, 1) + lasting + rng.normal(0, 0.12, (2, repeats, people, 1))
    return rng.random((2, repeats, people, 6)) < chance


def predictions(right: np.ndarray) -> list[pd.DataFrame]:
    """The same as files of predictions hold it."""
    frames = []
    for method in right:
        repeats, people, items = method.shape
        frame = pd.DataFrame({"repeat": np.repeat(np.arange(repeats) + 1, people * items), "frame": 0})
        frame["subject"] = np.tile(np.repeat(np.arange(people), items), repeats).astype(str)
        frame["sequence_id"] = np.tile(np.arange(people * items), repeats).astype(str)
        frames.append(frame.assign(expression="anger", predicted=np.where(method.ravel(), "anger", "fear")))
    return frames


@pytest.mark.parametrize(("people", "repeats"), [(40, 1), (90, 4)])
def test_four_of_five_planned_runs_see_what_the_plan_says(people: int, repeats: int) -> None:
    rng = np.random.default_rng(people)
    earlier = [disagreement(predictions(answers(rng, 500, 2))) for _ in range(3)]
    visible = float(np.mean([visible_in(one, people, repeats, CONFIDENCE) for one in earlier]))
    subjects, found = np.repeat(np.arange(people), 6), 0
    for seed in range(300):
        first, second = answers(rng, people, repeats, better=visible).mean(axis=1).reshape(2, -1)
        found += compare_paired(first, second, subjects, 400, CONFIDENCE, seed).interval.low > 0
    assert found / 300 == pytest.approx(0.8, abs=0.08)


def test_more_people_and_trainings_see_smaller_differences() -> None:
    one = disagreement(predictions(answers(np.random.default_rng(1), 60, 3)))
    assert visible_in(one, 240, 3, CONFIDENCE) == pytest.approx(visible_in(one, 60, 3, CONFIDENCE) / 2, rel=0.1)
    assert visible_in(one, 60, 1, CONFIDENCE) > visible_in(one, 60, 3, CONFIDENCE) > visible_in(one, 60, 9, CONFIDENCE)
    # Of trainings of which there was one each, nobody can tell what more of them would do.
    single = disagreement(predictions(answers(np.random.default_rng(1), 60, 1)))
    assert visible_in(single, 60, 5, CONFIDENCE) == visible_in(single, 60, 1, CONFIDENCE)


def test_what_is_assumed_is_seen_four_times_in_five() -> None:
    visible, rng = assumed_visible(200, CONFIDENCE, disagree=0.2), np.random.default_rng(3)
    found = 0
    for seed in range(200):
        apart = rng.random(200) < 0.2
        first = np.where(apart, rng.random(200) < 0.5 + visible / 0.4, True)
        second = np.where(apart, ~first, True)
        found += compare_paired(first, second, np.arange(200), 400, CONFIDENCE, seed).interval.low > 0
    assert found / 200 == pytest.approx(0.8, abs=0.09)


def test_a_plan_says_it_once_for_each_dataset(tmp_path: Path) -> None:
    settings = load_settings({"preset": "embedded", "repeats": {"variants": 2}}, [])
    sizes = {"ckplus": (30, 50, 3), "oulu_casia": (10, 50, 3), "mmi": (0, 0, 3)}
    claims = [Claim("s", "fersnet", "fersnet_without_mtl", "mmi", "recognition", 1.0)]
    lines = describe_power(settings, sizes, claims, None)
    assert len(lines) == 3
    assert lines[0].startswith("CK+: 30 subjects, 3 folds, 2 trainings of a variant: sees a difference of ")
    assert "assumed: two methods disagree on 20% of 50 sequences" in lines[0]
    assert "MMI: of unknown size" in lines[2]
    run = predictions(answers(np.random.default_rng(5), 30, 1))
    for method, frame in zip(("fersnet", "fersnet_without_mtl"), run, strict=True):
        folder = tmp_path / "predictions" / "ckplus" / method
        folder.mkdir(parents=True)
        frame.drop(columns="repeat").to_parquet(folder / "fold1.parquet")
    lines = describe_power(settings, sizes, claims, tmp_path)
    assert all(line.endswith(f"(as 1 pairs of methods differ on CK+ in {tmp_path}).") for line in lines[:2])
    points = [float(line.partition("difference of ")[2].partition(" ")[0]) for line in lines[:2]]
    assert points[1] == pytest.approx(points[0] * np.sqrt(3), rel=0.15)
