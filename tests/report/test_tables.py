"""The tables, recomputed from the files that they come from."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from invented_results import DATASETS, METHODS, NAMES, SYSTEMS, description, hostile_table

from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.report.comparisons import selection_table, synthesis_table
from fersnet.report.files import (
    EVALUATION_COLUMNS,
    PREDICTION_COLUMNS,
    SET_COLUMNS,
    fold_of,
    read_arrays,
    read_by_dataset,
    read_jobs,
    read_predictions,
    read_systems,
    read_training_jobs,
    training_cost,
)
from fersnet.report.quoted import read_published_counts, read_quoted
from fersnet.report.table import columns, read_json
from fersnet.report.tables import ablation_table, datasets_table, recognition_table
from fersnet.report.writing import to_csv, to_latex, to_markdown, write_table
from fersnet.settings.report import ReportSettings
from fersnet.tracking import FAILED, FINISHED, JobRecord, jobs_folder

CONFIG = Path(__file__).resolve().parents[2] / "config"
SETTINGS = ReportSettings(bootstrap_samples=300)
JUDGES = {"ckplus": "fixed", "oulu_casia": "other_sets"}
CONTRACT = ["method", "name", "dataset", "reported", "accuracy", "ci_low", "ci_high", "n_sequences"]


@pytest.fixture(scope="session")
def quoted():
    return read_quoted(CONFIG / "reported.csv")


def test_counts_of_neutral_sequences_have_a_column_where_a_dataset_has_them():
    index = pd.DataFrame({"expression": ["happiness", "neutral", "neutral"], "subject": ["1", "1", "2"]})
    published = read_published_counts(CONFIG / "sequence_counts.csv")
    table = datasets_table({"ckplus": index}, published, description())
    assert table.frame["neutral"].tolist() == [2] and "neutral" in [column.key for column in table.columns]
    assert "neutral" not in datasets_table({"ckplus": index[:1]}, published, description()).frame


@pytest.fixture(scope="session")
def tables(run_folder, quoted):
    predictions = read_predictions(sorted((run_folder / "predictions").glob("*/*/*.parquet")))
    jobs = read_jobs(run_folder / "jobs.csv")
    evaluations = read_systems(sorted((run_folder / "evaluation").glob("*/*.parquet")), EVALUATION_COLUMNS)
    sets = read_systems(sorted((run_folder / "evaluation").glob("*/*_sets.csv")), SET_COLUMNS)
    columns = (*PREDICTION_COLUMNS, "rule", "epoch")
    selections = read_by_dataset(sorted((run_folder / "selection").glob("*/*.parquet")), columns)
    indexes = {name: pd.read_parquet(run_folder / "datasets" / name / "index.parquet") for name in DATASETS}
    run = description()
    made = [
        datasets_table(indexes, read_published_counts(CONFIG / "sequence_counts.csv"), run),
        *(recognition_table(name, predictions, quoted, jobs, run, SETTINGS) for name in DATASETS),
        synthesis_table(evaluations, sets, quoted, jobs, run, SETTINGS, ("ckplus", "oulu_casia"), JUDGES),
        ablation_table(predictions, quoted, jobs, run, SETTINGS, DATASETS),
        selection_table(selections, quoted, run, SETTINGS, "fersnet"),
    ]
    return {table.key: table for table in made}


@pytest.fixture(scope="session")
def written(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    for table in tables.values():
        write_table(table, folder)
    return folder


def recomputed(frame: pd.DataFrame) -> float:
    """Sequence accuracy in percent, straight from prediction files."""
    columns = [column for column in frame.columns if column.startswith("p_")]
    means = frame.groupby("sequence_id")[columns].mean()
    truth = frame.groupby("sequence_id")["expression"].first()
    return 100 * (means.idxmax(axis=1).str.removeprefix("p_") == truth).mean()


def files(run_folder, kind, dataset, method):
    return pd.concat(map(pd.read_parquet, sorted((run_folder / kind / dataset / method).glob("*.parquet"))))


def test_every_table_has_the_columns_of_the_contract(written):
    keys = ["datasets", *(f"fer_{name}" for name in DATASETS), "synthesis", "ablation", "selection"]
    assert sorted(path.name for path in written.iterdir()) == sorted(
        f"{key}.{suffix}" for key in keys for suffix in ("csv", "json", "md", "tex")
    )
    for key in keys:
        frame = pd.read_csv(written / f"{key}.csv")
        assert set(CONTRACT) <= set(frame.columns)
        assert (frame["run"] == "invented").all() and (frame["data"] == "embedded").all()
        for suffix in ("json", "md", "tex"):
            text = (written / f"{key}.{suffix}").read_text()
            assert "Run invented" in text and "embedded faces" in text and "n = " in text and "strided" in text


@pytest.mark.parametrize("dataset", DATASETS)
def test_recognition_figures_come_from_predictions(written, run_folder, dataset):
    frame = pd.read_csv(written / f"fer_{dataset}.csv").set_index("method")
    for method in METHODS:
        assert frame.at[method, "accuracy"] == pytest.approx(
            recomputed(files(run_folder, "predictions", dataset, method)), abs=1e-4
        )
    assert frame.loc["fersnet", "ci_low"] <= frame.at["fersnet", "accuracy"] <= frame.at["fersnet", "ci_high"]
    assert np.isnan(frame.at["fersnet", "mcnemar_p"]) and 0 < frame.at["lbp_top", "mcnemar_p"] <= 1
    assert np.isnan(frame.at["lbp_top", "frame_accuracy"])  # One answer per sequence.


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_method_is_compared_with_fersnet_on_the_same_sequences(written, run_folder, dataset):
    frame = pd.read_csv(written / f"fer_{dataset}.csv").set_index("method")

    def right(method):
        parts = files(run_folder, "predictions", dataset, method)
        means = parts.groupby("sequence_id")[[c for c in parts.columns if c.startswith("p_")]].mean()
        truth = parts.groupby("sequence_id")["expression"].first()
        return means.idxmax(axis=1).str.removeprefix("p_") == truth

    reference = right("fersnet")
    for method in METHODS:
        if method == "fersnet":
            continue
        own = right(method)
        only_own, only_reference = int((own & ~reference).sum()), int((reference & ~own).sum())
        rarer, differing = min(only_own, only_reference), only_own + only_reference
        # Two-sided exact test: both tails of a fair coin.
        tail = sum(math.comb(differing, k) for k in range(rarer + 1)) / 2**differing
        assert frame.at[method, "mcnemar_p"] == pytest.approx(min(1, 2 * tail), rel=1e-4)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_re_run_row_keeps_what_the_paper_says_of_the_method(written, quoted, dataset):
    frame = pd.read_csv(written / f"fer_{dataset}.csv").set_index("method")
    paper = quoted[(quoted["table"] == "fer") & (quoted["dataset"] == dataset)].set_index("method")
    for column in ("name", "pretrained", "setting", "protocol"):
        assert (frame.loc[paper.index, column] == paper[column]).all()
    assert set(paper["setting"]) == {"image sequence", "single image"} and set(paper["pretrained"]) == {"yes", "no"}
    # Three folds of 120 s on two threads each.
    assert frame.at["lbp_top", "core_hours"] == pytest.approx(3 * 120 * 2 / 3600)
    assert np.isnan(frame.at["dtagn", "core_hours"])
    printed = (written / f"fer_{dataset}.md").read_text()
    for heading in (
        "Pre-trained",
        "Setting",
        "Reported",
        "Accuracy",
        "CI low",
        "CI high",
        "p (McNemar, Holm)",
        "Core-hours",
    ):
        assert heading in printed


def test_methods_beyond_the_papers_rows_state_their_setting_and_the_re_runs_pre_training(run_folder, quoted):
    paths = sorted((run_folder / "predictions").glob("*/*/*.parquet"))
    predictions = read_predictions(paths).replace({"method": {"lbp_top": "stm_explet", "fersnet_fes_da": "dtagn"}})
    jobs = read_jobs(run_folder / "jobs.csv")
    run = description(pretrained_on={"fersnet_without_mtl": "bu4dfe"})
    frame = recognition_table("ckplus", predictions, quoted, jobs, run, SETTINGS).frame.set_index("method")
    assert frame.at["stm_explet", "setting"] == "image sequence" and np.isnan(frame.at["stm_explet", "frame_accuracy"])
    assert frame.at["fersnet_without_convflu", "setting"] == "single image"
    # The quoted network was pre-trained, the re-run one was not.
    assert (frame.at["dtagn", "pretrained"], frame.at["dtagn", "rerun_pretrained"]) == ("yes", "scratch")
    assert frame.at["fersnet_without_mtl", "rerun_pretrained"] == "BU-4DFE"
    assert pd.isna(frame.at["derl", "rerun_pretrained"])


def test_rows_that_learnt_from_other_sets_say_so(run_folder, quoted):
    predictions = read_predictions(sorted((run_folder / "predictions").glob("*/*/*.parquet")))
    predictions = predictions.replace({"method": {"lbp_top": "ipa2lt"}})
    for read, there in ((("ipa2lt", "dtagn"), True), ((), False)):
        run = description(read_other_sets=read, names={"ipa2lt": "IPA2LT"})
        notes = recognition_table(
            "ckplus", predictions, quoted, read_jobs(run_folder / "jobs.csv"), run, SETTINGS
        ).notes
        assert any("Also trained on this run's other datasets: IPA2LT." in note for note in notes) == there


def test_methods_that_were_not_run_keep_their_row_and_stay_empty(written, quoted):
    for dataset in DATASETS:
        frame = pd.read_csv(written / f"fer_{dataset}.csv").set_index("method")
        paper = quoted[(quoted["table"] == "fer") & (quoted["dataset"] == dataset)].set_index("method")
        assert list(frame.index[: len(paper)]) == list(paper.index)
        pd.testing.assert_series_equal(frame.loc[paper.index, "reported"], paper["reported"], check_names=False)
        missing = [method for method in paper.index if method not in METHODS]
        assert missing and frame.loc[missing, ["accuracy", "ci_low", "ci_high", "n_sequences"]].isna().all(axis=None)
        assert frame.loc[paper.index, "protocol"].notna().all()


def test_ablation_figures_come_from_predictions(written, run_folder):
    frame = pd.read_csv(written / "ablation.csv")
    assert len(frame) == 12
    for row in frame.to_dict("records"):
        predictions = files(run_folder, "predictions", row["dataset"], row["method"])
        assert row["accuracy"] == pytest.approx(recomputed(predictions), abs=1e-4)
        assert row["n_sequences"] == predictions["sequence_id"].nunique()


def test_synthesis_figures_come_from_evaluations(written, run_folder):
    table = pd.read_csv(written / "synthesis.csv").set_index(["dataset", "method"])
    for dataset in ("ckplus", "oulu_casia"):
        rows = pd.concat(map(pd.read_parquet, sorted((run_folder / "evaluation" / dataset).glob("*.parquet"))))
        for method, frame in rows.groupby("method"):
            accuracy = 100 * (frame["predicted"] == frame["target"]).mean()
            assert table.at[(dataset, method), "accuracy"] == pytest.approx(accuracy, abs=1e-4)
            assert table.at[(dataset, method), "n_images"] == len(frame)
            assert table.at[(dataset, method), "tested_folds"] == "1 2 3"
        copies = rows[rows["method"] == "identity_map"].drop_duplicates("source")
        ceiling = 100 * (copies["predicted"] == copies["expression"]).mean()
        assert table.at[(dataset, "standard_fer"), "accuracy"] == pytest.approx(ceiling, abs=1e-4)
        caae = rows[rows["method"] == "caae"]
        share = 1e4 * (caae["predicted"] == caae["target"]).mean() / ceiling
        assert table.at[(dataset, "caae"), "share_of_ceiling"] == pytest.approx(share, abs=1e-3)
        sure = caae[[f"p_{expression}" for expression in SIX]].max(axis=1).mean()
        assert table.at[(dataset, "caae"), "confidence"] == pytest.approx(sure, abs=1e-4)
        assert set(table.loc[dataset].loc[list(SYSTEMS), "judge"]) == {JUDGES[dataset]}
        assert f"{ceiling:.1f} % ({NAMES[dataset]})" in (written / "synthesis.md").read_text()
    order = [method for dataset, method in table.index if dataset == "ckplus"]
    assert order == [*SYSTEMS, "identity_map", "real_target", "standard_fer"]
    assert not any("fid" in column.lower().split("_") for column in table.columns)


def test_references_are_never_printed_as_the_best(tables):
    table = tables["synthesis"]
    rows = zip(table.frame["method"], table.cells(), strict=True)
    best = {method for method, cells in rows if any(cell.bold for cell in cells)}
    assert best and best <= set(SYSTEMS)


def test_selection_prints_the_optimism_in_its_own_column(written, run_folder):
    table = pd.read_csv(written / "selection.csv").set_index(["dataset", "rule"])
    for dataset in DATASETS:
        rows = pd.concat(map(pd.read_parquet, sorted((run_folder / "selection" / dataset).glob("*.parquet"))))
        by_rule = {rule: recomputed(frame.dropna(axis=1)) for rule, frame in rows.groupby("rule")}
        for rule, accuracy in by_rule.items():
            assert table.at[(dataset, rule), "accuracy"] == pytest.approx(accuracy, abs=1e-4)
        gain = by_rule["test_best"] - by_rule["validation"]
        assert table.at[(dataset, "test_best"), "optimism"] == pytest.approx(gain, abs=1e-3)
        assert np.isnan(table.at[(dataset, "last"), "optimism"])
    assert "optimistic" in (written / "selection.md").read_text()


def test_sequence_counts_and_their_difference_from_the_paper(written, run_folder):
    table = pd.read_csv(written / "datasets.csv").set_index("dataset")
    for dataset in DATASETS:
        index = pd.read_parquet(run_folder / "datasets" / dataset / "index.parquet")
        counts = table.loc[dataset, list(SEVEN)].fillna(0)
        assert counts.astype(int).to_dict() == {e: int((index["expression"] == e).sum()) for e in SEVEN}
        assert (
            table.at[dataset, "total"] == len(index) == table.at[dataset, "difference"] + table.at[dataset, "reported"]
        )
        assert table.at[dataset, "subjects"] == index["subject"].nunique()
    assert np.isnan(table.at["mmi", "contempt"]) and table.at["ckplus", "published_contempt"] == 18


def test_training_cost_counts_finished_training_jobs(run_folder):
    jobs = read_jobs(run_folder / "jobs.csv")
    core_hours, gpu_hours = training_cost(jobs, "ckplus", "fersnet")
    assert core_hours == pytest.approx(3 * 120 * 2 / 3600) and gpu_hours == 0
    on_gpu = training_cost(jobs.assign(device="cuda:0 NVIDIA"), "ckplus", "fersnet")
    assert on_gpu[1] == pytest.approx(3 * 120 / 3600)
    assert np.isnan(training_cost(jobs, "ckplus", "derl")[0])


def test_f7_costs_come_from_the_records_of_the_jobs_behind_the_outcomes(tmp_path):
    """Case F7: known without `jobs.csv`, which waits for all datasets; and what no outcome is of does not count."""

    def train(rule, method, fold, status=FINISHED, dataset="own"):
        place = {"run": "r", "rule": rule, "dataset": dataset, "method": method, "fold": fold}
        checksums = {"git_commit": "", "config_sha256": "", "data_sha256": ""}
        folder = jobs_folder(tmp_path)
        folder.mkdir(parents=True, exist_ok=True)
        key = "-".join([*place.values(), status])
        record = JobRecord(
            **place, **checksums, seed=1, job_key=key, params={}, status=status, seconds=120.0, threads=2
        )
        record.started = float(len(list(folder.iterdir())))
        record.write(folder)

    for fold in ("1", "2", "3"):  # of an earlier run with three folds
        train("train_fersnet", "fersnet", fold)
        train("train_fersnet", "fersnet.repeat2", fold)
    train("train_fersnet", "fersnet", "1", dataset="other")
    train("train_fersnet", "fersnet_without_mtl", "1", status=FAILED)
    train("synthesize_faces", "fersnet", "")
    outcomes = pd.DataFrame(
        [
            ("own", "fersnet", 1, 1),
            ("own", "fersnet", 1, 2),
            ("own", "fersnet", 2, 1),
            ("own", "fersnet_without_mtl", 1, 1),
        ],
        columns=["dataset", "method", "repeat", "fold"],
    )
    jobs = read_training_jobs(tmp_path, outcomes)
    assert training_cost(jobs, "own", "fersnet") == (pytest.approx(3 * 120 * 2 / 3600), 0)
    assert np.isnan(training_cost(jobs, "own", "fersnet_without_mtl")).all()
    assert np.isnan(training_cost(jobs, "other", "fersnet")).all()
    assert np.isnan(training_cost(read_training_jobs(tmp_path / "nothing", outcomes), "own", "fersnet")).all()


def test_quoted_figures_equal_the_papers(quoted):
    # Digits of the slides, at spots.
    figures = quoted.set_index(["table", "dataset", "method"])["reported"]
    assert figures["fer", "ckplus", "fersnet_bu4dfe"] == 97.85
    assert figures["fer", "oulu_casia", "exprgan"] == 84.72
    assert figures["synthesis", "oulu_casia", "caae"] == 46.18
    assert figures["ablation", "mmi", "fersnet_fes_da"] == 73.87
    assert quoted["protocol"].str.len().gt(0).all() and len(quoted) == 11 + 11 + 9 + 2 * 5 + 3 * 4


def test_the_quoted_rows_are_those_of_the_published_tables_digit_by_digit():
    # Changing a quoted figure is a decision: it changes this digest of the columns that the slides print.
    frame = pd.read_csv(CONFIG / "reported.csv", dtype=str, keep_default_na=False)
    printed = frame[["table", "dataset", "method", "pretrained", "setting", "accuracy"]].to_csv(index=False)
    assert (
        hashlib.sha256(printed.encode()).hexdigest()
        == "dc24dc00fd239cec3a35922449e05b258f2be8466c3f515ac6ec56f80a9a1ede"
    )


def test_damaged_quotes_are_refused(tmp_path):
    text = (CONFIG / "reported.csv").read_text()
    damages = {"97.85": "187", "method_key": "key", "85.9": "high"}
    for old, new in damages.items():
        (tmp_path / "reported.csv").write_text(text.replace(old, new, 1))
        with pytest.raises(UserError, match=r"reported\.csv"):
            read_quoted(tmp_path / "reported.csv")
    with pytest.raises(UserError, match="not found"):
        read_quoted(tmp_path / "none.csv")


def test_an_empty_run_leaves_the_papers_rows(quoted):
    jobs = pd.DataFrame(columns=["rule", "dataset", "method", "fold", "status", "seconds", "device"])
    nothing = read_predictions([])
    table = recognition_table("ckplus", nothing, quoted, jobs, description(), SETTINGS)
    assert len(table.frame) == 11 and table.frame["accuracy"].isna().all()
    assert len(ablation_table(nothing, quoted, jobs, description(), SETTINGS, DATASETS).frame) == 12
    evaluations = pd.DataFrame(columns=[*EVALUATION_COLUMNS, "dataset", "fold"])
    sets = pd.DataFrame(columns=[*SET_COLUMNS, "dataset", "fold"]).astype({"kid_fer": float, "identity_auc": float})
    empty = synthesis_table(evaluations, sets, quoted, jobs, description(), SETTINGS, ("ckplus",), JUDGES)
    assert len(empty.frame) == 5 and empty.frame["accuracy"].isna().all()


def test_markdown_is_escaped():
    (row, _) = to_markdown(hostile_table()).splitlines()[4:6]
    assert row == r"| 50 % of\_A&B \\ ~^ {x} $y$ #1 \| \*\<b\>\* | **50.00** |"


def test_a_table_that_is_read_back_is_the_one_that_was_written(tables, written):
    for key, table in tables.items():
        again = read_json(written / f"{key}.json")
        assert again.cells() == table.cells() and again.columns == table.columns
        for form, suffix in ((to_csv, "csv"), (to_markdown, "md"), (to_latex, "tex")):
            assert form(again) == (written / f"{key}.{suffix}").read_text()


def test_files_that_are_no_table_are_named(tmp_path):
    path = tmp_path / "other.json"
    with pytest.raises(UserError, match=r"other\.json: not found"):
        read_json(path)
    for text in ("no table", "[]", "{}", '{"rows": [], "columns": [{"key": "name"}]}', '{"rows": [], "columns": []}'):
        path.write_text(text)
        with pytest.raises(UserError, match=r"other\.json: not a table"):
            read_json(path)


def test_columns_that_hold_figures_are_printed_as_such(tables):
    for table in tables.values():
        for column in table.columns:
            assert column.is_number == pd.api.types.is_numeric_dtype(table.frame[column.key]), column


def test_a_small_probability_is_given_a_bound():
    (column,) = columns("mcnemar_p_holm")
    values = (0.0004999, 0.0005, 0.04, 1.0, np.nan)
    assert [column.text_of(value) for value in values] == ["< 0.001", "0.001", "0.040", "1.000", ""]


def test_two_runs_give_the_same_bytes(tables, written, tmp_path):
    for table in tables.values():
        for path in write_table(table, tmp_path):
            assert path.read_bytes() == (written / path.name).read_bytes()


def test_malformed_files_are_named(tmp_path, run_folder):
    path = tmp_path / "ckplus" / "fersnet" / "fold1.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(UserError, match=r"fold1\.parquet: cannot be read"):
        read_predictions([path])
    pd.DataFrame({"sequence_id": ["a"]}).to_parquet(path)
    with pytest.raises(UserError, match="'subject' is missing"):
        read_predictions([path])
    np.savez(tmp_path / "fold1.npz", images=np.array([{"pickled": 1}], dtype=object))
    with pytest.raises(UserError, match=r"fold1\.npz"):
        read_arrays(tmp_path / "fold1.npz", ("images",))
    with pytest.raises(UserError, match="fold<k>"):
        fold_of(Path("ckplus/first.parquet"))
    assert fold_of(Path("a/fold12_sets.csv")) == fold_of(Path("a/fold12/history.csv")) == 12


def test_probabilities_of_other_datasets_do_not_leak_in(tables):
    # CK+ has contempt; pooled with it, the other sets' predictions must not gain a seventh class.
    assert tables["fer_mmi"].frame.set_index("method").at["fersnet", "uar"] > 0
    assert set(SIX) < set(SEVEN)


def test_a_repeated_system_counts_its_images_once_and_its_accuracy_is_the_mean(run_folder, quoted, tmp_path):
    folder = tmp_path / "evaluation" / "ckplus"
    folder.mkdir(parents=True)
    frame = pd.read_parquet(run_folder / "evaluation" / "ckplus" / "fold1.parquet")
    own = frame[frame["method"] == "caae"]
    again = own.assign(method="caae.repeat2", predicted=own["target"])
    pd.concat([frame, again]).to_parquet(folder / "fold1.parquet")
    evaluations = read_systems([folder / "fold1.parquet"], EVALUATION_COLUMNS)
    sets = read_systems([run_folder / "evaluation" / "ckplus" / "fold1_sets.csv"], SET_COLUMNS)
    jobs = read_jobs(run_folder / "jobs.csv")
    table = synthesis_table(evaluations, sets, quoted, jobs, description(), SETTINGS, ("ckplus",), JUDGES)
    row = table.frame.set_index("method").loc["caae"]
    assert (row["n_images"], row["repeats"]) == (len(own), 2)
    assert row["accuracy"] == pytest.approx(50 * (1 + (own["predicted"] == own["target"]).mean()), abs=1e-3)


def test_a_method_that_was_trained_for_something_else_has_no_cost_as_a_recognition_method(run_folder, quoted):
    predictions = read_predictions(sorted((run_folder / "predictions" / "oulu_casia").glob("*/*.parquet")))
    jobs = pd.DataFrame(
        [{"rule": "train_rival", "dataset": "oulu_casia", "method": "exprgan", "fold": "1", "status": "FINISHED",
          "seconds": 60.0, "threads": 1, "device": "cpu"}]
    )  # fmt: skip
    table = recognition_table("oulu_casia", predictions, quoted, jobs, description(), SETTINGS)
    row = table.frame.set_index("method").loc["exprgan"]
    assert pd.isna(row["accuracy"]) and pd.isna(row["core_hours"])
