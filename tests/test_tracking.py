"""Job records and their mirror: nothing is lost, nothing is left RUNNING, a dead store costs nothing."""

import errno
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from fersnet import __version__
from fersnet.jobs_table import JOB_COLUMNS, write_jobs
from fersnet.mirror import mirror
from fersnet.tracking import JobRecord, jobs_folder, latest_records, read_records, track_job
from fersnet.use import store
from fersnet.use.store import store_uri


def run_job(results: Path, fold: int = 1, rule: str = "train", value: float = 0.5, **changes: object) -> None:
    with track_job(
        results,
        rule,
        run="test",
        dataset="ckplus",
        method="fersnet",
        fold=str(fold),
        seed=1,
        params={"learning_rate": 0.1, "section": {"epochs": 3}, **changes},
        config_sha256="c" * 64,
        data_sha256="d" * 64,
        threads=1,
    ) as record:
        record.metrics = {"accuracy": value}


def test_a_finished_job_is_a_run_with_params_metrics_and_tags(tmp_path: Path) -> None:
    import mlflow

    results = tmp_path / "results" / "test"
    results.mkdir(parents=True)
    history = results / "history.csv"
    history.write_text("stage,epoch,loss\ntrain,1,0.9\ntrain,2,0.4\n", encoding="utf-8")
    with track_job(
        results, "train", run="test", dataset="mmi", method="fersnet", fold="2", seed=7,
        params={"section": {"width": 8}}, config_sha256="c", data_sha256="d", threads=1,
        history="results/test/history.csv", artifacts=["results/test/history.csv"],
    ) as record:  # fmt: skip
        record.metrics = {"accuracy": 0.75}
    ids = mirror(results).run_ids
    client = mlflow.MlflowClient(store_uri(results))
    run = client.get_run(ids[record.job_key])
    assert run.info.status == "FINISHED"
    assert run.data.params == {"section.width": "8"}
    assert run.data.metrics["accuracy"] == 0.75
    assert [(entry.step, entry.value) for entry in client.get_metric_history(run.info.run_id, "loss")] == [
        (1, 0.9),
        (2, 0.4),
    ]
    assert {"run", "rule", "dataset", "method", "fold", "seed", "git_commit", "job_key"} <= set(run.data.tags)
    assert run.data.tags["version"] == __version__
    assert [item.path for item in client.list_artifacts(run.info.run_id)] == ["history.csv"]


def test_eight_jobs_at_once_lose_none_and_mirroring_twice_adds_none(tmp_path: Path) -> None:
    import mlflow

    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=run_job, args=(tmp_path, fold)) for fold in range(1, 9)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(mirror(tmp_path).run_ids) == 8
    assert len(mirror(tmp_path).run_ids) == 8
    client = mlflow.MlflowClient(store_uri(tmp_path))
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    jobs = [run for run in client.search_runs(experiments) if "level" not in run.data.tags]
    assert len(jobs) == 8


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
def test_a_job_that_fails_or_is_interrupted_says_so(tmp_path: Path, error: BaseException) -> None:
    with (
        pytest.raises(type(error)),
        track_job(tmp_path, "train", run="r", seed=1, params={}, config_sha256="", data_sha256="", threads=1),
    ):
        raise error
    (record,) = read_records(tmp_path)
    assert record.status == ("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")


def test_a_job_cut_off_on_another_host_counts_as_killed_once_all_jobs_have_ended(tmp_path: Path) -> None:
    run_job(tmp_path, 1)
    (path,) = jobs_folder(tmp_path).glob("*.json")
    elsewhere = json.loads(path.read_text(encoding="utf-8")) | {"status": "RUNNING", "host": "another-node"}
    path.write_text(json.dumps(elsewhere), encoding="utf-8")
    assert [record.status for record in read_records(tmp_path)] == ["RUNNING"]
    assert [record.status for record in read_records(tmp_path, ended=True)] == ["KILLED"]


def test_a_killed_job_is_not_left_running_and_its_second_attempt_is_the_same_run(tmp_path: Path) -> None:
    import mlflow

    code = (
        "import sys, time; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "from fersnet.tracking import track_job\n"
        "with track_job(Path(sys.argv[1]), 'train', run='test', dataset='ckplus', method='fersnet', fold='1', seed=1,\n"
        "    params={'learning_rate': 0.1, 'section': {'epochs': 3}}, config_sha256='c' * 64, data_sha256='d' * 64,\n"
        "    threads=1):\n"
        "    print('started', flush=True); time.sleep(60)\n"
    )
    root = str(Path(__file__).parent.parent)
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), root], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    assert [record.status for record in read_records(tmp_path)] == ["RUNNING"]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert [record.status for record in read_records(tmp_path)] == ["KILLED"]
    first = mirror(tmp_path).run_ids
    client = mlflow.MlflowClient(store_uri(tmp_path))
    assert client.get_run(next(iter(first.values()))).info.status == "KILLED"
    run_job(tmp_path, 1)
    second = mirror(tmp_path).run_ids
    assert second == first
    run = client.get_run(next(iter(second.values())))
    assert run.info.status == "FINISHED"
    assert run.data.metrics["accuracy"] == 0.5


def test_a_dead_store_costs_no_job_and_is_replayed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    run_job(tmp_path)
    assert mirror(tmp_path).run_ids == {}
    assert write_jobs(tmp_path, tmp_path / "jobs.csv", {}) == 1
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    ids = mirror(tmp_path).run_ids
    write_jobs(tmp_path, tmp_path / "jobs.csv", ids)
    table = pd.read_csv(tmp_path / "jobs.csv")
    assert tuple(table.columns) == JOB_COLUMNS
    assert list(table["run_id"]) == list(ids.values())


def test_the_table_of_jobs_has_the_newest_run_of_each_job(tmp_path: Path) -> None:
    run_job(tmp_path, learning_rate=0.1)
    time.sleep(0.01)
    run_job(tmp_path, learning_rate=0.2)
    assert len(read_records(tmp_path)) == 2
    (record,) = latest_records(read_records(tmp_path))
    assert record.params["learning_rate"] == 0.2
    assert all(json.loads(path.read_text()) for path in jobs_folder(tmp_path).glob("*.json"))


def test_a_server_that_accepts_and_never_answers_is_given_up_at_once_and_replayed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store, "ANSWER_SECONDS", 0.2)
    run_job(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.getsockname()[1]}")
        assert mirror(tmp_path).run_ids == {}
        server.setblocking(False)
        server.accept()[0].close()
        with pytest.raises(BlockingIOError):
            server.accept()  # one question, no second try
    assert "no answer" in caplog.text
    assert "0 of 1 jobs mirrored" in caplog.text
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert len(mirror(tmp_path).run_ids) == 1


def test_a_clock_that_is_put_back_changes_neither_order_nor_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    clock = iter([now, now, *[now - 7200] * 50])
    monkeypatch.setattr("fersnet.tracking.time.time", lambda: next(clock))
    run_job(tmp_path, learning_rate=0.1)
    run_job(tmp_path, learning_rate=0.2)
    (record,) = latest_records(read_records(tmp_path))
    assert record.params["learning_rate"] == 0.2
    assert all(record.seconds >= 0 for record in read_records(tmp_path))


def test_a_disk_without_room_for_the_record_does_not_cost_the_finished_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = JobRecord.write
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def refuse_the_end(record: JobRecord, folder: Path) -> None:
        if record.ended is not None:
            raise full
        write(record, folder)

    monkeypatch.setattr(JobRecord, "write", refuse_the_end)
    run_job(tmp_path)
    assert "no record of this job's end (No space left on device)" in caplog.text
    assert [record.status for record in read_records(tmp_path)] == ["KILLED"]


def test_a_file_system_without_locks_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fersnet.tracking.fcntl.flock", refuse)
    run_job(tmp_path)
    assert "cannot be locked" in caplog.text
    assert [record.status for record in read_records(tmp_path)] == ["FINISHED"]


def test_a_record_of_a_version_that_did_not_note_itself_is_read(tmp_path: Path) -> None:
    run_job(tmp_path)
    path = next(jobs_folder(tmp_path).glob("*.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content.pop("version") == __version__
    path.write_text(json.dumps(content), encoding="utf-8")
    assert [record.version for record in read_records(tmp_path)] == [""]
