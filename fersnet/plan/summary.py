"""A plan in words and tables for the terminal, and beside what a run took."""

from collections.abc import Sequence

import pandas as pd

from fersnet.costs.disk import disk_bytes, resume_bytes
from fersnet.costs.sizes import RunSizes
from fersnet.plan.estimate import SOURCES, START_SECONDS, Estimate
from fersnet.plan.history import History
from fersnet.plan.schedule import critical_path, run_length
from fersnet.settings.tree import Settings

FORMATS = {"core_hours": "{:.3f}".format, "gpu_hours": "{:.3f}".format, "disk_mb": "{:.1f}".format}


def summarise(estimates: Sequence[Estimate], settings: Settings, sizes: RunSizes) -> pd.DataFrame:
    """One line per rule, in the graph's order; hours of a rule of which nothing is known are left empty."""
    table = _table(estimates)
    table["core_hours"] = table["seconds"] * [one.job.threads for one in estimates] / 3600
    table["gpu_hours"] = table["seconds"] * [one.job.gpu for one in estimates] / 3600
    table["disk_mb"] = [disk_bytes(one.job, one.cost, settings, sizes) / 1e6 for one in estimates]
    return _by_rule(table, "core_hours", "gpu_hours", "peak_memory_mb", "disk_mb").reset_index()


def describe_plan(estimates: Sequence[Estimate], settings: Settings, sizes: RunSizes, cores: int, gpus: int) -> str:
    """What the jobs that would run now take, in lines for the terminal."""
    jobs, left = [one.job for one in estimates], [one for one in estimates if one.job.needed]
    table = summarise(left, settings, sizes)
    # What stands already takes no time, and others wait for it no longer.
    seconds = [START_SECONDS + (one.seconds or 0.0) if one.job.needed else 0.0 for one in estimates]
    path = [number for number in critical_path(jobs, seconds) if seconds[number]]
    rules = " > ".join(dict.fromkeys(jobs[number].rule for number in path))
    at_once = gpus if any(one.job.gpu for one in left) else cores
    unsized = sorted({one.job.dataset for one in left if one.job.dataset and not sizes.sequences(one.job.dataset)})
    hours, gpu_hours, room = table[["core_hours", "gpu_hours", "disk_mb"]].sum()
    resuming = resume_bytes((one.cost for one in left), at_once)
    lines = [table.to_string(index=False, formatters=FORMATS, float_format="{:.0f}".format, na_rep="-"), ""]
    lines += [f"{name}: {meaning}." for name, meaning in SOURCES.items() if name in {one.source for one in left}]
    lines += [f"Of unknown size before they are indexed: {', '.join(unsized)}."] if unsized else []
    return "\n".join(
        [
            *lines,
            f"{len(left)} jobs to run: {hours:.1f} core-hours, {gpu_hours:.1f} GPU-hours.",
            f"Memory of the largest job: {table['peak_memory_mb'].max() / 1e3:.1f} GB.",
            f"Disk: {room / 1e3:.1f} GB, and {resuming / 1e9:.1f} GB of resume states while {at_once} trainings run.",
            f"Critical path: {_duration(sum(seconds[number] for number in path))} ({rules}).",
            f"Estimated time on {cores} cores and {gpus} GPUs: {_duration(run_length(jobs, seconds, cores, gpus))}.",
        ]
    )


def compare(estimates: Sequence[Estimate], actual: History) -> pd.DataFrame:
    """Estimate against actual of a finished run, one line per rule: seconds, their ratio, and largest peak memory."""
    estimated = _by_rule(_table(estimates), "seconds", "peak_memory_mb")
    done = pd.DataFrame([(one.rule, one.seconds, one.peak_memory_mb) for one in actual.jobs]).groupby(0)
    table = estimated[["jobs"]].assign(estimated=estimated["seconds"], actual=done[1].sum())
    table["ratio"] = table["actual"] / table["estimated"]
    table["estimated_mb"], table["actual_mb"] = estimated["peak_memory_mb"], done[2].max()
    return table.join(estimated["source"]).reset_index()


def _table(estimates: Sequence[Estimate]) -> pd.DataFrame:
    rows = [(one.job.rule, one.seconds, one.memory_mb, one.source) for one in estimates]
    return pd.DataFrame(rows, columns=["rule", "seconds", "peak_memory_mb", "source"]).astype({"seconds": float})


def _by_rule(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """A line per rule: its number of jobs, the columns' sums (of memory the largest), and where its times come from."""
    groups = table.groupby("rule", sort=False)
    lines = groups.size().to_frame("jobs")
    for column in columns:
        lines[column] = groups[column].max() if column.endswith("memory_mb") else groups[column].sum(min_count=1)
    lines["source"] = groups["source"].agg(lambda names: ", ".join(sorted(set(names), key=list(SOURCES).index)))
    return lines


def _duration(seconds: float) -> str:
    if seconds < 2 * 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} days"
