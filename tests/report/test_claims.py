"""The paper's claims: what the file says, and the verdicts that a run's own predictions give."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from invented_results import DATASETS, description

from fersnet import readiness
from fersnet.claims import RECOGNITION, SYNTHESIS, Claim, read_claims
from fersnet.errors import UserError
from fersnet.report.claims import claims_table
from fersnet.report.files import EVALUATION_COLUMNS, read_predictions, read_systems
from fersnet.report.quoted import read_quoted
from fersnet.report.statistics import compare_paired
from fersnet.settings.load import load_settings
from fersnet.settings.report import ReportSettings

CONFIG = Path(__file__).resolve().parents[2] / "config"
CLAIMS = read_claims(CONFIG / "claims.csv")
QUOTED = read_quoted(CONFIG / "reported.csv")
SETTINGS = ReportSettings(bootstrap_samples=300)


@pytest.fixture(scope="module")
def found(run_folder) -> pd.DataFrame:
    predictions = read_predictions(sorted((run_folder / "predictions").glob("*/*/*.parquet")))
    evaluations = read_systems(sorted((run_folder / "evaluation").glob("*/*.parquet")), EVALUATION_COLUMNS)
    frame = claims_table(CLAIMS, predictions, evaluations, QUOTED, description(), SETTINGS).frame
    return frame.set_index(["method", "better_than", "dataset", "figure"])


def quoted(table: str) -> dict[tuple[str, str], float]:
    rows = QUOTED[QUOTED["table"] == table]
    return {(row.dataset, row.method): row.reported for row in rows.itertuples()}


def test_every_claim_is_a_difference_of_the_papers_tables() -> None:
    figures = {RECOGNITION: quoted("ablation") | quoted("fer"), SYNTHESIS: quoted("synthesis")}
    for claim in CLAIMS:
        own, other = (figures[claim.figure][claim.dataset, name] for name in (claim.method, claim.better_than))
        assert claim.paper_difference == pytest.approx(own - other, abs=1e-9) and claim.paper_difference > 0


def test_every_comparison_that_the_papers_tables_support_is_a_claim() -> None:
    claimed = {(claim.dataset, claim.better_than, claim.figure) for claim in CLAIMS}
    for figure, table in ((RECOGNITION, "fer"), (SYNTHESIS, "synthesis")):
        figures = quoted(table)
        for dataset, method in figures:
            best = max(value for (place, key), value in figures.items() if place == dataset and "fersnet" in key)
            if not method.startswith("fersnet") and best > figures[dataset, method]:
                assert (dataset, method, figure) in claimed
    steps = {(claim.method, claim.better_than) for claim in CLAIMS if claim.dataset == "mmi"}
    assert {("fersnet", "fersnet_without_mtl"), ("fersnet_fes_da", "fersnet"), ("fersnet_bu4dfe", "fersnet")} <= steps


@pytest.mark.parametrize("dataset", DATASETS)
def test_differences_follow_from_the_predictions_in_images_and_in_sequences(found, run_folder, dataset) -> None:
    def right(method: str) -> pd.DataFrame:
        files = sorted((run_folder / "predictions" / dataset / method).glob("*.parquet"))
        return pd.concat(map(pd.read_parquet, files)).assign(hit=lambda frame: frame.predicted == frame.expression)

    row = found.loc[("fersnet", "fersnet_without_mtl", dataset, RECOGNITION)]
    images = 100 * (right("fersnet")["hit"].mean() - right("fersnet_without_mtl")["hit"].mean())
    assert row["unit"] == "images" and row["difference"] == pytest.approx(images, abs=1e-3)
    assert row["difference_low"] < images < row["difference_high"]
    assert row["sequence_low"] <= row["sequence_difference"] <= row["sequence_high"]
    # It reads whole sequences, of which each is one item in the paper's table, too.
    row = found.loc[("fersnet", "lbp_top", dataset, RECOGNITION)]
    images = 100 * (right("fersnet")["hit"].mean() - right("lbp_top")["hit"].mean())
    assert row["unit"] == "images and sequences" and row["difference"] == pytest.approx(images, abs=1e-3)


def test_synthetic_faces_are_compared_on_the_same_sources_and_targets(found, run_folder) -> None:
    rows = pd.concat(map(pd.read_parquet, sorted((run_folder / "evaluation" / "ckplus").glob("*.parquet"))))
    read = (rows["predicted"] == rows["target"]).groupby(rows["method"]).mean()
    row = found.loc[("fersnet", "caae", "ckplus", SYNTHESIS)]
    assert row["difference"] == pytest.approx(100 * (read["fersnet"] - read["caae"]), abs=1e-3)
    assert row["n_items"] == (rows["method"] == "caae").sum() and row["verdict"] == "holds"


def test_one_side_or_the_dataset_missing_is_not_run(found) -> None:
    for place in (("fersnet_bu4dfe", "fersnet", "mmi"), ("fersnet", "iacnn", "ckplus")):
        row = found.loc[(*place, RECOGNITION)]
        assert row["verdict"] == "not run" and pd.isna(row["difference"]) and row["reported_difference"] > 0
    empty = claims_table(
        CLAIMS, read_predictions([]), read_systems([], EVALUATION_COLUMNS), QUOTED,
        description(embedded={"own": False}, folds={"own": 2}), SETTINGS,
    )  # fmt: skip
    assert set(empty.frame["verdict"]) == {"not run"} and empty.frame["data"].isna().all()
    assert "no claim was run" in empty.provenance
    assert empty.frame["name"].iloc[0] == "FERSNet w/o ConvFLU"


def answers(method: str, share: float, people: int = 20, repeat: int = 1, better_at: int = 0) -> pd.DataFrame:
    """A method that reads about `share` of ten sequences of every subject, and of every second one more."""
    rows = [
        {"sequence_id": f"{person}_{number}", "subject": str(person), "expression": "anger", "frame": 1}
        | {"predicted": "anger" if number + 0.5 * (person % 2 != better_at) < 10 * share else "fear"}
        for person in range(people)
        for number in range(10)
    ]
    frame = pd.DataFrame(rows).assign(dataset="ckplus", method=method, repeat=repeat, fold=1)
    right = frame["predicted"] == "anger"
    return frame.assign(p_anger=np.where(right, 0.9, 0.1), p_fear=np.where(right, 0.1, 0.9))


@pytest.mark.parametrize(
    ("own", "other", "verdict"), [(0.9, 0.5, "holds"), (0.5, 0.9, "contradicted"), (0.75, 0.75, "open")]
)
def test_the_interval_gives_the_verdict(own: float, other: float, verdict: str) -> None:
    predictions = pd.concat([answers("fersnet", own), answers("fersnet_without_mtl", other, better_at=1)])
    claim = Claim("Both", "fersnet", "fersnet_without_mtl", "ckplus", RECOGNITION, 2.65)
    nothing = read_systems([], EVALUATION_COLUMNS)
    row = claims_table([claim], predictions, nothing, QUOTED, description(), SETTINGS).frame.iloc[0]
    assert row["verdict"] == verdict
    assert pd.notna(row["visible"]) == (verdict == "open")


def test_all_trainings_count() -> None:
    parts = [answers("fersnet", 0.9), answers("fersnet", 0.3, repeat=2), answers("fersnet_without_mtl", 0.5)]
    claim = Claim("Both", "fersnet", "fersnet_without_mtl", "ckplus", RECOGNITION, 2.65)
    nothing = read_systems([], EVALUATION_COLUMNS)
    row = claims_table([claim], pd.concat(parts), nothing, QUOTED, description(), SETTINGS).frame.iloc[0]
    right = [(part["predicted"] == "anger").mean() for part in parts]
    assert row["difference"] == pytest.approx(100 * ((right[0] + right[1]) / 2 - right[2]), abs=1e-3)


def test_a_run_finds_the_visible_difference_four_times_in_five() -> None:
    rng = np.random.default_rng(5)
    people = np.repeat(np.arange(40), 5)

    def run(shift: float, seed: int):
        person = rng.normal(shift, 0.2, 40)
        values = person[people] + rng.normal(0, 0.4, 200)
        return compare_paired(values, np.zeros(200), people, 400, 0.95, seed)

    visible = np.mean([run(0.0, seed).visible for seed in range(30)])
    found = np.mean([run(visible, seed).interval.low > 0 for seed in range(300)])
    assert 0.7 < found < 0.9
    same = compare_paired(np.ones(200), np.ones(200), people, 400, 0.95, 1)
    assert np.isnan(same.visible)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",fersnet_without_mtl,ckplus", ",no_such,ckplus", "line 2: better_than 'no_such' is unknown"),
        ("fersnet_without_convflu,fersnet_without_mtl,mmi", "fersnet_typo,fersnet_without_mtl,mmi", "line 4: method"),
        (
            "fersnet_without_mtl,oulu_casia",
            "fersnet_without_mtl,oulu",
            "line 3: dataset 'oulu' is unknown; have bu4dfe, ckplus",
        ),
        (",ckplus,recognition,", ",ckplus,frames,", "line 2: figure 'frames' is not one of"),
        ("recognition,0.51", "recognition,much", "line 2: paper_difference is no number"),
        ("statement,method,", "statement,who,", "column 'method' is missing"),
        (",fersnet_without_convflu,fersnet_without_mtl,ckplus", ",fersnet,fersnet,ckplus", "compared with itself"),
    ],
)
def test_a_claim_that_names_nothing_is_one_line_before_any_job(tmp_path, monkeypatch, old, new, said) -> None:
    shutil.copytree(CONFIG, tmp_path / "config", ignore=shutil.ignore_patterns("*.yaml"))
    path = tmp_path / "config" / "claims.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        readiness.check_ready(load_settings({"preset": "embedded"}, []))
    assert said in str(error.value) and "claims.csv" in str(error.value) and "\n" not in str(error.value)
