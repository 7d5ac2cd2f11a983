"""The last words of a run in which jobs failed."""

from pathlib import Path

import pytest

from fersnet.errors import UserError
from fersnet.failures import FailedJob, describe_failures
from fersnet.tracking import track_job


def run_failing(results: Path, rule: str, dataset: str, error: BaseException) -> None:
    details = {"run": "r", "dataset": dataset, "seed": 1, "params": {}, "config_sha256": "", "data_sha256": ""}
    with pytest.raises(type(error)), track_job(results, rule, **details, threads=1):
        raise error


def test_f7_the_end_says_which_jobs_failed_why_and_what_is_missing_for_it(tmp_path: Path) -> None:
    run_failing(tmp_path, "align_faces", "other", UserError("72 of 72 frames are unusable"))
    run_failing(tmp_path, "figure_gates", "own", KeyboardInterrupt())
    missing = ("datasets/other/faces.npy", "report.html", "jobs.csv", "figures/ablation.png", "figures/ablation.pdf")
    missing += ("tables/fer_other.csv", "tables/fer_other.md", "predictions/other/fersnet/fold1.parquet")
    failed = [
        FailedJob("figure_gates", "own", "", "", "gates.log", (f"{tmp_path}/figures/gates_own.png",)),
        FailedJob("align_faces", "other", "", "", "align.log", tuple(f"{tmp_path}/{path}" for path in missing)),
        FailedJob("train_rival", "own", "stargan", "2", "stargan.log", ()),
    ]
    assert describe_failures(tmp_path, failed) == [
        "3 jobs failed; mend what they say, and run again to go on:",
        "- align_faces other: 72 of 72 frames are unusable",
        "  not made for it: report.html, tables/fer_other, figures/ablation and 3 other files",
        "- figure_gates own: stopped from outside; run again to go on",
        "  not made for it: figures/gates_own",
        "- train_rival own stargan 2: see stargan.log",
        "  not made for it: nothing else",
    ]


def test_f7_a_long_list_is_cut_and_a_run_without_failures_says_nothing(tmp_path: Path) -> None:
    missing = tuple(f"{tmp_path}/figures/confusion_own_m{number}.png" for number in range(30))
    lines = describe_failures(tmp_path, [FailedJob("check_folds", "own", "", "", "x.log", missing)])
    assert lines[-1].endswith("and 22 other files")
    assert describe_failures(tmp_path, []) == []
