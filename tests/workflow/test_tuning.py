"""The search for settings as jobs, on rendered people and on a copy of one's own: once whole, at its smallest."""

import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from fersnet.embedded.sheet import draw_faces
from fersnet.expressions import SIX
from fersnet.folds import read_folds, split_subjects
from fersnet.settings.load import load_settings, read_config
from fersnet.settings.presets import EMBEDDED
from fersnet.tracking import FINISHED, read_records
from fersnet.tuning.draws import drawn
from tests.workflow.conftest import ROOT, copy_project, planned_jobs, snakemake
from tests.workflow.warm import run_module

pytestmark = pytest.mark.smoke
FOLDS = (1, 2, 3)
TINY = """
run: tiny
datasets:
  oulu_casia: {embedded: {subjects: 5, frames: [6, 6], width: 160, height: 160}}
  lab: {reader: folder, root: lab}
  ckplus: null
  mmi: null
  bu4dfe: null
faces: {size: 36, clip_frames: 6}
folds: {count: 3}
model: {image_size: 32, width: 4}
training: {epochs: 1, batch_size: 16, milestones: [1]}
identity: {width: 6, image_size: 32, epochs: 1}
selection_study: {method: null}
variants: {fersnet_without_mtl: null, fersnet_without_convflu: null, fersnet_bu4dfe: null}
synthesis: {datasets: [oulu_casia], folds: null}
rivals: {methods: [stargan], stargan: {width: 4, residual_blocks: 1, epochs: 1, batch_size: 16}}
baselines: {methods: [lbp_top, dmt_cnn], size: 32, dmt_cnn: {width: 4, hidden: 16, epochs: 1, milestones: [1]}}
report: {bootstrap_samples: 100, dpi: 60}
tuning: {draws: 1}
"""
CONFIGS = ("--configfile", "tiny.yaml")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after the jobs of `fersnet tune tiny.yaml`."""
    folder = copy_project(tmp_path_factory.mktemp("tuning"))
    drawn_faces = folder / "drawn"
    draw_faces(9, 3, 160, SIX, drawn_faces)
    for number in range(9):
        for expression in SIX:
            (folder / "lab" / f"s{number}" / expression).mkdir(parents=True)
            shutil.copy(
                drawn_faces / f"{number:03}_{expression}.png", folder / "lab" / f"s{number}" / expression / "1.png"
            )
    (folder / "tiny.yaml").write_text(TINY, encoding="utf-8")
    done = snakemake(folder, "tuning", "--cores", "2", *CONFIGS, warm=True)
    assert done.returncode == 0, done.stdout[-6000:]
    return folder


@pytest.fixture(scope="module")
def settings(found: Path):
    files = [ROOT / "config" / "config.yaml", found / "tiny.yaml"]
    return load_settings(read_config(files), files)


def test_every_draw_of_every_method_is_listed_with_what_it_reached(found: Path, settings) -> None:
    folder = found / "results" / "tiny" / "tuning"
    draws = pd.read_csv(folder / "draws.csv")
    people = ["oulu_casia", *(f"lab.fold{fold}" for fold in FOLDS)]
    places = {(who, method, draw) for who in people for method in ("fersnet", "dmt_cnn") for draw in (0, 1)}
    places |= {("oulu_casia", "stargan", draw) for draw in (0, 1)}
    assert set(draws[["people", "method", "draw"]].itertuples(index=False, name=None)) == places
    assert draws.groupby(["people", "method"])["chosen"].sum().eq(1).all()
    judged = draws["people"] == "oulu_casia"
    assert (draws["read"].notna() == (judged & draws["method"].isin(["fersnet", "stargan"]))).all()
    assert (draws["accuracy"].notna() == (draws["method"] != "stargan")).all()
    assert draws["n_subjects"].eq(2).all()
    table = pd.read_csv(folder / "tuning.csv")
    assert {"range", "before", "chosen", "figure_before", "figure", "core_hours"} <= set(table)
    rivals = table[table["method"] == "stargan"]
    assert rivals["trainings"].eq(2).all() and rivals["core_hours"].gt(0).all()
    assert set(table["searched_on"]) == {"rendered people", *(f"lab, fold {fold}" for fold in FOLDS)}


def test_a_search_reads_nobody_whom_the_fold_tests(found: Path) -> None:
    results = found / "results" / "tiny"
    folds = read_folds(results / "datasets" / "lab" / "folds.csv")
    for fold in FOLDS:
        split, people = split_subjects(folds, fold, hold_out_validation=False), f"lab.fold{fold}"
        theirs = pd.read_parquet(results / "tuning" / "datasets" / people / "faces.parquet")
        assert set(theirs["subject"]) == split.train and not split.train & split.test
        for path in (results / "tuning" / "predictions" / people).glob("*/*.parquet"):
            assert set(pd.read_parquet(path)["subject"]) <= split.train


def test_draws_are_trained_as_trainings_are_and_tracked(found: Path, settings) -> None:
    records = {(one.rule, one.dataset, one.method): one for one in read_records(found / "results" / "tiny")}
    assert all(one.status == FINISHED for one in records.values())
    assert not [rule for rule, _, _ in records if rule.startswith(("train", "render", "synthesize", "evaluate"))]
    one = records["tune_rival", "oulu_casia", "stargan.draw1"]
    assert one.params["settings"] == settings.for_method("stargan", drawn(settings, "stargan", 1)).model_dump(
        mode="json"
    )
    variant = records["tune_fersnet", "lab.fold2", "fersnet.draw1"]
    recipe = settings.for_variant("fersnet", changes=drawn(settings, "fersnet", 1))
    assert variant.params["settings"] == recipe.model_dump(mode="json")
    assert variant.data_sha256 and records["tune_folds", "oulu_casia", ""].params["parts"] == 3


def test_more_draws_and_other_settings_train_only_what_is_new(found: Path) -> None:
    more = ("--config", "tuning={draws: 2}", "rivals={stargan: {epochs: 2}}", "seed=7")
    planned = snakemake(found, "tuning", "--dry-run", "--cores", "2", *CONFIGS, *more)
    counts = {
        name.replace(" ", "_"): int(count)
        for name, count in re.findall(r"^ (tune [a-z ]+?) +(\d+) *$", planned.stdout, re.M)
    }
    # Draw 2 of FERSNet and DMT-CNN on four sets of people, all three of StarGAN on one.
    assert counts == {"tune_fersnet": 4, "tune_baseline": 4, "tune_rival": 3, "tune_synthesize": 4, "tune_evaluate": 4,
                      "tune_choose": 1}, planned.stdout  # fmt: skip


def test_what_was_chosen_in_a_fold_is_of_that_fold_alone(found: Path) -> None:
    chosen = yaml.safe_load((found / "results" / "tiny" / "tuning" / "chosen.yaml").read_text(encoding="utf-8"))
    assert set(chosen) <= {"variants", "rivals", "baselines", "chosen"}
    laid = {"chosen": {"lab": {2: {"fersnet": {"training": {"learning_rate": 0.005}}, "dmt_cnn": {"dropout": 0.1}}}}}
    (found / "laid.yaml").write_text(yaml.safe_dump(laid), encoding="utf-8")
    jobs = planned_jobs(found, "tiny.yaml", "laid.yaml")
    rates, dropouts = {}, {}
    for job in jobs:
        assert not job["rule"].startswith("tune_"), "nothing of a search is needed by a run"
        place = (job["wildcards"].get("dataset"), job["wildcards"].get("fold"))
        if job["rule"] == "train_fersnet" and job["wildcards"]["method"] == "fersnet":
            rates[place] = job["params"]["settings"]["training"]["learning_rate"]
        if job["rule"] == "train_baseline" and job["wildcards"]["method"] == "dmt_cnn":
            dropouts[place] = job["params"]["settings"]["dropout"]
    (cards,) = (job["params"] for job in jobs if job["rule"] == "build_model_cards")
    assert cards["of_folds"]["lab"]["2"]["training"]["learning_rate"] == 0.005
    preset = EMBEDDED["training"]["learning_rate"]
    assert cards["recipe"]["training"]["learning_rate"] == preset
    assert rates.pop(("lab", "2")) == 0.005 and set(rates.values()) == {preset} and len(rates) == 5
    assert dropouts.pop(("lab", "2")) == 0.1 and set(dropouts.values()) == {0.2}


def test_the_command_says_what_is_left_alone_and_how_to_go_on(found: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(found), "COLUMNS": "200"}
    done = run_module("fersnet.cli", found, ("tune", "tiny.yaml", "--cores", "2"), environment)
    assert done.returncode == 0, done.stdout[-3000:]
    for line in (
        "Searched, with 1 draws of each: fersnet, stargan, dmt_cnn",
        "fersnet_fes_da: builds on another training; takes what is chosen for fersnet",
        "lbp_top: has no ranges; left at its settings",
        "Run with them: snakemake --cores 2 --configfile tiny.yaml results/tiny/tuning/chosen.yaml",
    ):
        assert line in done.stdout
