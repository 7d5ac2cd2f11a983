"""Estimates of a run: times from earlier jobs, the critical path, and the length on given cores and GPUs."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fersnet.errors import UserError
from fersnet.plan import (
    PlannedJob,
    compare,
    describe_plan,
    estimate_seconds,
    read_graph,
    read_history,
    remaining_seconds,
    run_length,
    summarise,
)


def job(rule: str = "train", dataset: str = "", method: str = "", after: tuple[int, ...] = (), **rest) -> PlannedJob:
    return PlannedJob(
        rule, dataset, method, **{"threads": 1, "gpu": 0, "memory_mb": 100.0, "needed": True, **rest}, after=after
    )


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[PlannedJob], list[float]]:
    count = draw(st.integers(1, 12))
    earlier = [draw(st.sets(st.integers(0, n - 1))) if n else set() for n in range(count)]
    seconds = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    return [job(after=tuple(sorted(numbers))) for numbers in earlier], [float(value) for value in seconds]


def longest_chain(jobs: list[PlannedJob], seconds: list[float], number: int) -> float:
    return seconds[number] + max((longest_chain(jobs, seconds, other) for other in jobs[number].after), default=0.0)


@given(graphs(), st.integers(1, 4))
def test_the_length_lies_between_its_two_bounds(graph: tuple[list[PlannedJob], list[float]], cores: int) -> None:
    jobs, seconds = graph
    critical = max(longest_chain(jobs, seconds, number) for number in range(len(jobs)))
    assert max(remaining_seconds(jobs, seconds)) == critical
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


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rows = [
        ("train", "mmi", "fersnet", 10.0, 900.0, "FINISHED"),
        ("train", "mmi", "fersnet", 30.0, 800.0, "FINISHED"),
        ("train", "ckplus", "stargan", 7.0, 500.0, "FINISHED"),
        ("train", "ckplus", "stargan", 900.0, 500.0, "FAILED"),
        ("report", "", "", 3.0, 50.0, "FINISHED"),
    ]
    columns = ["rule", "dataset", "method", "seconds", "peak_memory_mb", "status"]
    pd.DataFrame(rows, columns=columns).assign(fold="", run_id="", device="cpu").to_csv(
        tmp_path / "jobs.csv", index=False
    )
    return tmp_path


def test_estimates_come_from_the_closest_earlier_jobs(run: Path) -> None:
    jobs = [job(dataset="mmi", method="fersnet"), job(dataset="mmi", method="stargan"), job(dataset="x", method="y")]
    jobs += [job("report"), job("never")]
    assert estimate_seconds(jobs, read_history(run)) == [20.0, 7.0, 10.0, 3.0, None]


def test_what_never_ran_is_unknown_and_not_guessed(run: Path) -> None:
    history = read_history(run)
    jobs = [job(dataset="mmi", method="fersnet", threads=2, gpu=1), job("never", memory_mb=4000)]
    table = summarise(jobs, estimate_seconds(jobs, history), history).set_index("rule")
    assert table.loc["train", ["core_hours", "gpu_hours", "peak_memory_mb"]].tolist() == [40 / 3600, 20 / 3600, 900]
    assert pd.isna(table.loc["never", "core_hours"])
    assert table.loc["never", ["peak_memory_mb", "source"]].tolist() == [4000, "unknown"]


def test_what_stands_already_takes_no_time(run: Path) -> None:
    done = job(dataset="ckplus", method="stargan", needed=False)
    jobs = [done, job(dataset="mmi", method="fersnet", after=(0,)), job("never", after=(1,))]
    text = describe_plan(jobs, read_history(run), 2, 0)
    assert "2 jobs to run" in text
    assert "left out of the times below: never." in text
    assert "Critical path: 0.3 min." in text  # 20 s


def test_estimate_against_actual(run: Path) -> None:
    history = read_history(run)
    jobs = [job(dataset="mmi", method="fersnet"), job(dataset="ckplus", method="stargan"), job("report")]
    table = compare(jobs, estimate_seconds(jobs, history), history).set_index("rule")
    assert table.loc["train", ["estimated", "actual"]].tolist() == [27.0, 47.0]
    assert table.loc["report", "ratio"] == 1.0


def test_missing_things_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"jobs\.csv: not there"):
        read_history(tmp_path)
    with pytest.raises(UserError, match="no Snakefile"):
        read_graph([], tmp_path)
    with pytest.raises(UserError, match=r"nothing\.yaml: no such config file"):
        read_graph([Path("nothing.yaml")], Path(__file__).parent.parent)


@pytest.mark.smoke
def test_the_graph_of_the_smoke_config_is_read() -> None:
    project = Path(__file__).parent.parent
    jobs = read_graph([Path("config/smoke.yaml")], project)
    rules = {planned.rule for planned in jobs}
    assert {"render_dataset", "train_fersnet", "train_rival", "build_report"} <= rules
    assert all(other < len(jobs) for planned in jobs for other in planned.after)
