"""Estimates of a run: times from earlier jobs, the critical path, and the length on given cores and GPUs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.costs.counting import training_cost
from fersnet.costs.disk import disk_bytes, resume_bytes
from fersnet.costs.job import Job
from fersnet.costs.sizes import RunSizes, expected_counts, planned_sizes
from fersnet.embedded.writers import bu4dfe, ckplus
from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.jobs_table import write_jobs
from fersnet.plan import graph
from fersnet.plan.estimate import CPU_PACE, GPU_PACE, estimate
from fersnet.plan.graph import read_graph
from fersnet.plan.history import History, read_history
from fersnet.plan.schedule import critical_path, remaining_seconds, run_length
from fersnet.plan.summary import compare, describe_plan, summarise
from fersnet.rivals.caae import CAAESettings
from fersnet.rivals.stargan import StarGANSettings
from fersnet.settings.load import load_settings, read_config
from fersnet.settings.tree import Settings
from fersnet.tracking import JobRecord, track_job

ROOT = Path(__file__).parent.parent.parent


def job(rule: str = "train", dataset: str = "", method: str = "", after: tuple[int, ...] = (), **rest) -> Job:
    return Job(rule, dataset, method, after=after, **{"memory_mb": 100.0, **rest})


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Job], list[float]]:
    count = draw(st.integers(1, 12))
    earlier = [draw(st.sets(st.integers(0, n - 1))) if n else set() for n in range(count)]
    seconds = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    return [job(after=tuple(sorted(numbers))) for numbers in earlier], [float(value) for value in seconds]


def longest_chain(jobs: list[Job], seconds: list[float], number: int) -> float:
    return seconds[number] + max((longest_chain(jobs, seconds, other) for other in jobs[number].after), default=0.0)


@given(graphs(), st.integers(1, 4))
def test_the_length_lies_between_its_two_bounds(graph: tuple[list[Job], list[float]], cores: int) -> None:
    jobs, seconds = graph
    critical = max(longest_chain(jobs, seconds, number) for number in range(len(jobs)))
    assert max(remaining_seconds(jobs, seconds)) == critical
    assert sum(seconds[number] for number in critical_path(jobs, seconds)) == critical
    length = run_length(jobs, seconds, cores, 0)
    assert max(critical, sum(seconds) / cores) <= length + 1e-9
    # Graham's bound for any list schedule (1969).
    assert length <= sum(seconds) / cores + critical * (1 - 1 / cores) + 1e-9
    assert run_length(jobs, seconds, 1, 0) == sum(seconds)
    assert run_length(jobs, seconds, len(jobs), 0) == critical


def test_gpu_jobs_wait_for_a_gpu_while_others_go_on() -> None:
    jobs = [job(gpu=1), job(gpu=1), job(), job()]
    assert run_length(jobs, [5.0, 5.0, 5.0, 5.0], 4, 1) == 10.0
    assert run_length(jobs, [5.0, 5.0, 5.0, 5.0], 4, 2) == 5.0


def test_a_job_of_more_threads_than_cores_takes_them_all() -> None:
    assert run_length([job(threads=8), job()], [3.0, 2.0], 2, 0) == 5.0


SIZES = RunSizes({"mmi": {"anger": 10, "fear": 10}, "ckplus": {"anger": 20, "fear": 10}}, {}, {"mmi": 3, "ckplus": 3})
STARGAN = {
    "settings": StarGANSettings(width=4, residual_blocks=1, epochs=4).model_dump(mode="json"),
    "image_size": 16,
    "expressions": ["anger", "fear"],
    "module": "fersnet.rivals.stargan",
}


def took(rule: str, dataset: str, method: str, seconds: float, peak_memory_mb: float, params: dict) -> JobRecord:
    record = JobRecord("r", rule, dataset, method, "", 1, "", "", "", "", params)
    return replace(record, seconds=seconds, peak_memory_mb=peak_memory_mb)


@pytest.fixture
def history() -> History:
    """A run of two datasets, with one training."""
    jobs = [
        took("tables", "mmi", "fersnet", 10.0, 900.0, {}),
        took("tables", "mmi", "fersnet", 30.0, 800.0, {}),
        took("tables", "ckplus", "stargan", 7.0, 500.0, {}),
        took("report", "", "", 3.0, 50.0, {}),
        took("train_rival", "ckplus", "stargan", 50.0, 600.0, STARGAN),
    ]
    return History(jobs, SIZES)


def stargan(epochs: int = 4, averaging: float | None = None, **rest) -> Job:
    settings = {**STARGAN["settings"], "epochs": epochs, "averaging": averaging}
    planned = {"dataset": "ckplus", "method": "stargan", "params": {**STARGAN, "settings": settings}}
    return job(**{"rule": "train_rival"} | planned | rest)


def test_times_come_from_the_closest_earlier_jobs(history: History) -> None:
    jobs = [job("tables", "mmi", "fersnet"), job("tables", "mmi", "stargan"), job("tables", "x", "y")]
    jobs += [job("report"), job("never"), job("tables", "mmi", "fersnet.repeat2")]
    found = estimate(jobs, SIZES, history)
    # StarGAN's 7 s were on 30 sequences, of which mmi has 20; the first 2.5 s are the same for all.
    assert [one.seconds for one in found] == [20.0, pytest.approx(2.5 + 4.5 * 20 / 30), 10.0, 3.0, None, 20.0]
    assert [one.source for one in found] == ["history", "scaled", "other method", "history", "unknown", "history"]


def test_a_training_of_another_size_is_scaled_by_calls_and_operations(history: History) -> None:
    same, longer, repeat = estimate([stargan(), stargan(12), stargan(method="stargan.repeat3")], SIZES, history)
    assert (same.seconds, same.source, same.memory_mb) == (pytest.approx(50.0), "history", 600.0)
    assert (longer.seconds, longer.source) == (pytest.approx(150.0), "scaled")
    wide = StarGANSettings(width=64, residual_blocks=6, epochs=4, batch_size=16).model_dump(mode="json")
    (wider,) = estimate([stargan(params={**STARGAN, "settings": wide, "image_size": 96})], SIZES, history)
    rest = 50 - same.cost.flop / CPU_PACE[1]
    assert wider.cost.calls > same.cost.calls, "more layers"
    expected = rest * wider.cost.calls / same.cost.calls + wider.cost.flop / CPU_PACE[1]
    assert wider.seconds == pytest.approx(expected), "more calls in a step, and more operations"
    assert repeat.seconds == pytest.approx(50.0)
    (elsewhere,) = estimate([stargan(dataset="mmi")], SIZES, history)
    # 40 faces make three steps of 16, 60 make four.
    assert elsewhere.seconds == pytest.approx(50 * 3 / 4, rel=0.01)


def test_a_draw_of_a_search_is_counted_as_the_training_that_it_is(history: History) -> None:
    (plain,) = estimate([stargan()], SIZES, None)
    for people in ("ckplus", "ckplus.fold2"):
        (draw,) = estimate([stargan(method="stargan.draw4", dataset=people, rule="tune_rival")], SIZES, None)
        assert (draw.seconds, draw.source) == (plain.seconds, "counted")


def test_a_method_that_never_ran_is_counted(history: History) -> None:
    settings = CAAESettings(width=4, warm_up_epochs=1, epochs=2).model_dump(mode="json")
    caae = stargan(method="caae", params={**STARGAN, "settings": settings, "module": "fersnet.rivals.caae"})
    (one,) = estimate([caae], SIZES, history)
    seen = training_cost(stargan(fold="1"), SIZES)
    rest, rate = (50 - seen.flop / CPU_PACE[1]) / seen.calls, CPU_PACE[1]
    assert one.source == "counted"
    assert one.seconds == pytest.approx(one.cost.calls * rest + one.cost.flop / rate)
    (alone,) = estimate([caae], SIZES, None)
    assert alone.seconds == pytest.approx(one.cost.calls * CPU_PACE[0] + one.cost.flop / rate)
    (on_gpu,) = estimate([replace(caae, gpu=1)], SIZES, history)
    expected = one.cost.calls * GPU_PACE[0] + one.cost.flop / GPU_PACE[1]
    assert on_gpu.seconds == pytest.approx(expected), "a CPU's pace says nothing about a GPU"
    (unsized,) = estimate([replace(caae, dataset="mine")], SIZES, None)
    assert (unsized.seconds, unsized.source) == (None, "unknown")


def test_earlier_jobs_of_another_version_are_left_out_with_a_line(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    old = {**STARGAN, "settings": {**STARGAN["settings"], "gone": 1}}
    (one,) = estimate(
        [stargan()], SIZES, replace(history, jobs=[*history.jobs[:-1], replace(history.jobs[-1], params=old)])
    )
    assert one.source == "counted"
    assert "of another version: train_rival" in caplog.text
    (new,) = estimate([stargan(method="newgan", params={**STARGAN, "module": ""})], SIZES, history)
    assert new.source == "unknown", "a method that the plan cannot count"


def settings_of(*files: str) -> Settings:
    paths = [ROOT / "config/config.yaml", *(ROOT / "config" / name for name in files)]
    return load_settings(read_config(paths), paths)


def test_what_never_ran_is_unknown_and_not_guessed(history: History) -> None:
    jobs = [job("tables", "mmi", "fersnet", threads=2, gpu=1), job("never", memory_mb=4000)]
    table = summarise(estimate(jobs, SIZES, history), settings_of(), SIZES).set_index("rule")
    assert table.loc["tables", ["core_hours", "gpu_hours", "peak_memory_mb"]].tolist() == [40 / 3600, 20 / 3600, 900]
    assert pd.isna(table.loc["never", "core_hours"])
    assert table.loc["never", ["peak_memory_mb", "source"]].tolist() == [4000, "unknown"]


def test_what_stands_already_takes_no_time(history: History) -> None:
    done = job("tables", "ckplus", "stargan", needed=False)
    jobs = [done, job("tables", "mmi", "fersnet", after=(0,)), job("never", after=(1,))]
    text = describe_plan(estimate(jobs, SIZES, history), settings_of(), SIZES, 2, 0)
    assert "2 jobs to run" in text
    assert "unknown: no earlier job" in text
    assert "Critical path: 0.4 min (tables > never)." in text  # 20 s, and two starts
    assert "never" in text


def test_a_checkpoint_and_its_resume_state_need_room() -> None:
    jobs = [stargan(), stargan(dataset="mmi"), stargan(averaging=0.99)]
    plain, other, averaged = (training_cost(one, SIZES) for one in jobs)
    parameters, generator = plain.parameters, averaged.averaged
    assert 0 < generator < parameters == averaged.parameters
    assert resume_bytes([plain, None, other], 1) == 12 * parameters
    assert resume_bytes([plain, None, other], 5) == 24 * parameters
    assert resume_bytes([averaged], 1) == 12 * parameters + 4 * generator
    rooms = [disk_bytes(jobs[0], cost, settings_of(), SIZES) for cost in (plain, averaged)]
    assert rooms[0] > 4 * parameters
    assert rooms[1] - rooms[0] == averaged.step_bytes - plain.step_bytes == 4 * generator


def test_synthetic_faces_of_some_folds_take_their_share() -> None:
    jobs = [job("synthesize_faces", "ckplus", "stargan", params={"folds": folds}) for folds in ((1,), (1, 2, 3))]
    records, *rooms = (disk_bytes(one, None, settings_of(), SIZES) for one in (job("tables"), *jobs))
    assert rooms[1] - records == pytest.approx(3 * (rooms[0] - records))
    past = took("synthesize_faces", "ckplus", "stargan", 8.5, 100.0, {"folds": [1]})
    (one, three) = estimate(jobs, SIZES, History([past], SIZES))
    assert (one.seconds, three.seconds) == (8.5, 2.5 + 3 * 6.0)


def test_estimate_against_actual(history: History) -> None:
    jobs = [job("tables", "mmi", "fersnet"), job("tables", "ckplus", "stargan"), job("report"), job("never")]
    table = compare(estimate(jobs, SIZES, history), history).set_index("rule")
    assert table.loc["tables", ["estimated", "actual"]].tolist() == [27.0, 47.0]
    assert table.loc["report", "ratio"] == 1.0
    assert table.loc["tables", "actual_mb"] == 900
    assert pd.isna(table.loc["never", "ratio"])


def test_an_earlier_run_is_read_with_its_settings_and_sizes(tmp_path: Path) -> None:
    with track_job(
        tmp_path, "train_rival", run="r", dataset="ckplus", method="stargan", fold="1", seed=1, params=STARGAN,
        config_sha256="", data_sha256="", threads=1,
    ):  # fmt: skip
        pass
    with (
        pytest.raises(ValueError, match="broken"),
        track_job(
            tmp_path, "report", run="r", dataset="", method="", fold="", seed=1, params={}, config_sha256="",
            data_sha256="", threads=1,
        ),
    ):  # fmt: skip
        raise ValueError("broken")
    write_jobs(tmp_path, tmp_path / "jobs.csv", {})
    (tmp_path / "datasets/ckplus").mkdir(parents=True)
    index = pd.DataFrame({"subject": ["a", "a", "b"], "expression": ["anger", "fear", "anger"]})
    index["apex"] = [[1], [1], [1]]
    index.to_parquet(tmp_path / "datasets/ckplus/index.parquet")
    past = read_history(tmp_path)
    assert past.sizes.counts == {"ckplus": {"anger": 2, "fear": 1}}
    assert [one.params for one in past.jobs] == [STARGAN]


def test_expected_sizes_are_those_of_the_rendered_trees_and_of_the_published_sets() -> None:
    settings = settings_of("smoke.yaml")

    def expected(dataset: str, **changes: object) -> tuple[Mapping[str, int], int]:
        section = settings.datasets[dataset].model_copy(update=changes)
        return expected_counts(section, settings.known.readers[section.reader].declared)

    labelled = [one.label for one in ckplus.plan(settings.datasets["ckplus"].embedded, 1) if one.label in SEVEN]
    assert Counter(labelled) == expected("ckplus")[0]
    recordings = bu4dfe.plan(settings.datasets["bu4dfe"].embedded, 1)
    # A quirk may cost a sequence.
    assert abs(len(recordings) - sum(expected("bu4dfe")[0].values())) <= 1
    assert sum(expected("ckplus", root="elsewhere")[0].values()) == 327
    assert expected("ckplus", root="elsewhere", reader="folder") == ({}, 0)


def test_trainings_across_datasets_have_the_faces_of_all_that_they_share(tmp_path: Path) -> None:
    change = tmp_path / "mine.yaml"
    change.write_text("cross: true\n", encoding="utf-8")
    settings = settings_of("smoke.yaml", str(change))
    sizes = planned_sizes(settings, tmp_path)
    assert sizes.folds["cross"] == 3
    assert set(sizes.counts["cross"]) == set(SIX)
    each = [sizes.sequences(key, SIX) for key in settings.cross_sets]
    assert sizes.sequences("cross") == sum(each)
    assert "cross" not in planned_sizes(settings_of("smoke.yaml"), tmp_path).folds


def test_c3_sequences_of_other_classes_are_not_planned(tmp_path: Path) -> None:
    """Case C3: a dataset of two classes has the sequences of two."""
    settings = settings_of("smoke.yaml")
    two = settings.datasets["oulu_casia"].model_copy(update={"expressions": ("happiness", "sadness")})
    planned = planned_sizes(settings.model_copy(update={"datasets": {"oulu_casia": two}}), tmp_path)
    assert set(planned.counts["oulu_casia"]) == {"happiness", "sadness"}


def test_missing_things_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"jobs\.csv: not there"):
        read_history(tmp_path)
    with pytest.raises(UserError, match=r"nothing\.yaml: cannot be read"):
        read_graph([Path("nothing.yaml")], ROOT)
    (tmp_path / "broken.yaml").write_text("run: [1\n")
    with pytest.raises(UserError, match=r"broken\.yaml, line 2: not valid YAML"):
        read_graph([tmp_path / "broken.yaml"], ROOT)
    monkeypatch.setattr(graph, "PROJECT", tmp_path)
    with pytest.raises(UserError, match="no Snakefile"):
        read_graph([])


def test_nothing_to_run_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "read_graph", lambda _files: [job(needed=False)])
    told = CliRunner().invoke(app, ["plan"])
    assert told.stdout == "Nothing to run: all that this config asks for is there and up to date.\n"


@pytest.mark.smoke
def test_what_is_wrong_with_a_config_is_said_as_the_workflow_says_it(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("trainig: {}\ntraining: {epochs: 0}\n")
    with pytest.raises(UserError) as raised:
        read_graph([tmp_path / "wrong.yaml"], ROOT)
    lines = str(raised.value).splitlines()
    assert all(line.startswith(f"{tmp_path / 'wrong.yaml'}: ") for line in lines)
    assert any("did you mean 'training'" in line for line in lines)


@pytest.mark.smoke
def test_the_graph_of_the_smoke_config_is_read() -> None:
    jobs = read_graph([Path("config/smoke.yaml")], ROOT)
    settings = settings_of("smoke.yaml")
    estimates = estimate(jobs, planned_sizes(settings, ROOT), None)
    rules = {planned.rule for planned in jobs}
    assert {"render_dataset", "train_fersnet", "train_rival", "build_report"} <= rules
    assert "train_standard_fer" not in rules, "the fixed judge needs no training"
    assert all(other < number for number, planned in enumerate(jobs) for other in planned.after)
    trained = {(one.job.dataset, one.job.method): one.cost for one in estimates if one.job.rule == "train_fersnet"}
    for dataset in settings.recognition_datasets:
        assert trained[dataset, "fersnet_fes_da"] == trained[dataset, "fersnet"], "as many steps, on more faces"
    with_faces = {method: cost for (_, method), cost in trained.items() if method.startswith("utility_")}
    assert with_faces == {f"utility_{key}": trained["oulu_casia", "fersnet_without_mtl"] for key in settings.systems}
    assert {one.job.rule for one in estimates if one.cost} == {
        "train_identity",
        "train_fersnet",
        "pretrain_fersnet",
        "compare_selection",
        "train_rival",
        "train_baseline",
        "pretrain_baseline",
    }


@pytest.mark.smoke
def test_a_recogniser_that_learns_from_other_sets_waits_for_their_faces_and_nobody_else_does(tmp_path: Path) -> None:
    text = "baselines: {methods: [ipa2lt, derl, lbp_top], ipa2lt: {pretrained_on: bu4dfe, width: 4}}\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    jobs = read_graph([Path("config/smoke.yaml"), tmp_path / "mine.yaml"], ROOT)
    trained = [job for job in jobs if job.rule == "train_baseline" and job.dataset == "mmi"]
    assert len(trained) == 9
    for job in trained:
        faces = {jobs[other].dataset for other in job.after if jobs[other].rule == "align_faces"}
        others = {"ckplus": False, "oulu_casia": False} if job.method == "ipa2lt" else {}
        assert faces == {"mmi", *others} and job.params["other_sets"] == others
    (first,) = [job for job in jobs if job.rule == "pretrain_baseline"]
    assert {jobs[other].dataset for other in first.after} == {"bu4dfe"}


@pytest.mark.smoke
def test_a_judge_that_learns_from_other_sets_waits_for_their_faces(tmp_path: Path) -> None:
    text = "standard_fer: {trained_on: other_sets}\nsynthesis: {datasets: [oulu_casia]}\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    jobs = read_graph([Path("config/smoke.yaml"), tmp_path / "mine.yaml"], ROOT)
    trained = [job for job in jobs if job.rule == "train_standard_fer"]
    assert [(job.dataset, job.fold) for job in trained] == [("oulu_casia", "1")]
    for job in trained:
        faces = {jobs[other].dataset for other in job.after if jobs[other].rule == "align_faces"}
        assert faces == {"ckplus", "oulu_casia", "mmi"}
        assert job.params["other_sets"] == {"ckplus": False, "mmi": False}
    judged = [job for job in jobs if job.rule == "evaluate_synthesis"]
    assert all("train_standard_fer" in {jobs[other].rule for other in job.after} for job in judged)
    assert {job.params["fixed_judge"] for job in judged} == {""}
