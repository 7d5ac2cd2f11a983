"""The number of folds of each dataset, known before any job."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fersnet.cross_validation import fold_counts, synthesis_folds
from fersnet.embedded.trees import labelled_people
from fersnet.embedded.writers import ckplus, mmi
from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.folds import fold_groups
from fersnet.plan.graph import read_graph
from fersnet.report.description import describe
from fersnet.settings.data import EmbeddedSettings, FoldsSettings
from fersnet.settings.load import load_settings, read_config
from fersnet.settings.tree import Settings

ROOT = Path(__file__).parent.parent
SMALL = EmbeddedSettings(subjects=6)


def test_a_list_gives_its_dataset_the_number_of_folds(data, tmp_path):
    listed = tmp_path / "listed.csv"
    listed.write_text("subject,fold\ns0,1\ns1,2\ns2,3\ns3,4\ns4,4\n")
    config = read_config([data / "mine.yaml"])
    for scheme, four in (("leave_one_subject_out", 4), ("blocks", 3)):
        folds = {"scheme": scheme, "count": 3, "lists": {"five": str(listed)}}
        settings = load_settings(config | {"folds": folds}, [])
        counts = fold_counts(settings, tmp_path / "results")
        assert counts == {"five": 4, "four": four}
        words = describe(settings, counts).fold_words(["five", "four"])
        assert "listed (five)" in words and scheme.replace("_", " ") in words
        assert describe(settings, counts).columns("five")["fold_scheme"] == "listed"
    listed.write_text("subject,fold\ns0,1\n")
    with pytest.raises(UserError, match=r"folds\.lists\.five: .*listed.csv: its folds are \[1\]"):
        fold_counts(settings, tmp_path / "results")


@pytest.fixture
def data(tmp_path):
    """Two trees, of five subjects and of four, and the config of a run that leaves one of them out at a time."""
    for name, people in (("five", 5), ("four", 4)):
        for number in range(people):
            for expression in ("anger", "fear"):
                folder = tmp_path / name / f"s{number}" / expression
                folder.mkdir(parents=True)
                (folder / "1.png").write_bytes(b"x")
    datasets = {name: {"reader": "folder", "root": str(tmp_path / name)} for name in ("five", "four")}
    absent = dict.fromkeys(("ckplus", "oulu_casia", "mmi", "bu4dfe"))
    config = {
        "run": "left_out",
        "datasets": absent | datasets,
        "folds": {"scheme": "leave_one_subject_out"},
        "variants": {"fersnet_bu4dfe": None},
        "synthesis": {"datasets": ["five", "four"], "folds": None},
        "rivals": {"methods": ["stargan"]},
        "baselines": {"methods": []},
    }
    (tmp_path / "mine.yaml").write_text(json.dumps(config), encoding="utf-8")
    return tmp_path


def settings_of(folder: Path) -> Settings:
    files = [ROOT / "config" / "config.yaml", folder / "mine.yaml"]
    return load_settings(read_config(files), files)


def test_b1_there_is_a_fold_for_every_subject(data, capsys):
    settings, results = settings_of(data), data / "results"
    assert fold_counts(settings, results) == {"five": 5, "four": 4}
    assert "dataset five: counting its subjects" in capsys.readouterr().err
    assert fold_counts(settings, results) == {"five": 5, "four": 4}
    assert capsys.readouterr().err == "", "it is not counted again as long as nothing changes"
    shutil.copytree(data / "four/s0", data / "four/s9")
    assert fold_counts(settings, results) == {"five": 5, "four": 5}
    (results / "datasets/four/.subjects.json").write_text("{", encoding="utf-8")
    assert fold_counts(settings, results)["four"] == 5
    for name in ("s9", "s3", "s2"):
        shutil.rmtree(data / "four" / name)
    with pytest.raises(UserError, match=r"folds\.scheme: .* datasets\.four has 2"):
        fold_counts(settings, results)


def test_b1_other_schemes_have_the_configured_number(data):
    settings = settings_of(data).model_copy(update={"folds": FoldsSettings(count=4)})
    assert fold_counts(settings, data / "results") == {"five": 4, "four": 4}
    assert not (data / "results").exists()


@pytest.mark.parametrize("reader", ["ckplus", "oulu_casia", "mmi", "bu4dfe"])
def test_b1_the_subjects_of_embedded_faces_are_known_before_they_are_rendered(reader):
    assert labelled_people(reader, SMALL, 5, SEVEN) == 6


def test_b1_subjects_without_a_configured_class_do_not_count():
    shown = {one.subject for one in ckplus.plan(SMALL, 5) if one.label == "contempt"}
    assert labelled_people("ckplus", SMALL, 5, ("contempt",)) == len(shown) < 6
    shown = {one.name[:4] for one in mmi.plan(SMALL, 5) if one.code == 1 and one.setup != "profile"}
    assert labelled_people("mmi", SMALL, 5, SIX[:1]) == len(shown)


def test_b1_every_fold_of_every_dataset_is_trained_tested_and_told(data):
    jobs = read_graph([data / "mine.yaml"], ROOT)
    shutil.rmtree(ROOT / "results" / "left_out")
    for dataset, count in (("five", 5), ("four", 4)):
        for rule in ("train_fersnet", "train_standard_fer", "train_rival", "evaluate_synthesis", "compare_selection"):
            folds = [job.fold for job in jobs if (job.rule, job.dataset) == (rule, dataset)]
            assert set(folds) == {str(fold) for fold in range(1, count + 1)}, (rule, dataset)
        for rule in ("synthesize_faces", "extract_gates"):
            outputs = {len(job.outputs) for job in jobs if (job.rule, job.dataset) == (rule, dataset)}
            assert outputs == {count}, (rule, dataset)
    told = describe(settings_of(data), {"five": 5, "four": 4})
    assert told.fold_words(["five", "four"]) == "5 (five), 4 (four) subject-wise folds (leave one subject out)"
    assert told.fold_words(["four"]) == "4 subject-wise folds (leave one subject out)"
    assert told.columns("five")["folds"] == 5
    judged = replace(told, judged={"five": (1, 3)})
    assert judged.fold_words(["five"]) == "folds 1, 3 of 5 subject-wise folds (leave one subject out)"
    assert judged.fold_words(["four"]) == "4 subject-wise folds (leave one subject out)"


def test_b1_a_rule_that_does_all_folds_stands_there_once_for_every_number():
    assert fold_groups("draw", {"a": (2,), "b": (2,), "none": ()}) == [("draw", (2,), ("a", "b"))]
    groups = fold_groups("predict", {"a": (1, 2), "b": (1, 2, 3), "c": (1, 2)})
    assert groups == [("predict_2_folds", (1, 2), ("a", "c")), ("predict_3_folds", (1, 2, 3), ("b",))]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, {"five": (1, 2, 3, 4, 5), "four": (1, 2, 3, 4)}),
        ([3, 1], {"five": (1, 3), "four": (1, 3)}),
        ([5], "synthesis.folds: 5 is none of the 4 folds of four"),
        ([1, 1], r"synthesis.folds: a fold is named twice in \[1, 1\]"),
    ],
)
def test_the_folds_in_which_systems_are_judged(data, chosen, expected):
    config = json.loads((data / "mine.yaml").read_text(encoding="utf-8"))
    config["synthesis"]["folds"] = chosen
    (data / "mine.yaml").write_text(json.dumps(config), encoding="utf-8")
    settings, counts = settings_of(data), {"five": 5, "four": 4}
    if isinstance(expected, str):
        with pytest.raises(UserError, match=expected):
            synthesis_folds(settings, counts)
    else:
        assert synthesis_folds(settings, counts) == expected


def test_a_dataset_that_is_not_compared_may_lack_a_judged_fold(data):
    settings = settings_of(data)
    judged = settings.synthesis.model_copy(update={"datasets": ("five",), "folds": (2, 5)})
    settings = settings.model_copy(update={"synthesis": judged})
    assert synthesis_folds(settings, {"five": 5, "four": 4}) == {"five": (2, 5), "four": (2,)}


@pytest.mark.parametrize("chosen", [[], [0], "first", 1])
def test_folds_that_are_none_are_refused_with_the_key(chosen):
    with pytest.raises(UserError, match=r"synthesis\.folds"):
        load_settings({"preset": "embedded", "synthesis": {"folds": chosen}}, [])
