"""A plan in words and tables for the terminal, and beside what a run took."""

from collections.abc import Sequence

import pandas as pd

from fersnet.plan.disk import disk_bytes, resume_bytes
from fersnet.plan.estimate import SOURCES, START_SECONDS, Estimate
from fersnet.plan.graph import PlannedJob
from fersnet.plan.history import History
from fersnet.plan.schedule import critical_path, run_length
from fersnet.plan.sizes import RunSizes
from fersnet.settings.tree import Settings

COLUMNS = ("rule", "jobs", "core_hours", "gpu_hours", "peak_memory_mb", "disk_mb", "source")


def summarise(
    jobs: Sequence[PlannedJob], estimates: Sequence[Estimate], settings: Settings, sizes: RunSizes
) -> pd.DataFrame:
    """One line per rule, in the graph's order, with `COLUMNS`.

    Hours of a rule of which nothing is known are left empty. `source` names where its jobs' times come from.
    """
    frame = pd.DataFrame(
        {
            "rule": job.rule,
            "core_hours": None if one.seconds is None else one.seconds * job.threads / 3600,
            "gpu_hours": None if one.seconds is None else one.seconds * job.gpu / 3600,
            "peak_memory_mb": one.memory_mb,
            "disk_mb": disk_bytes(job, one, settings, sizes) / 1e6,
            "source": one.source,
        }
        for job, one in zip(jobs, estimates, strict=True)
    )
    if frame.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    groups = frame.groupby("rule", sort=False)
    table = groups[["core_hours", "gpu_hours", "disk_mb"]].sum(min_count=1)
    order = list(SOURCES)
    table["source"] = groups["source"].agg(lambda names: ", ".join(sorted(set(names), key=order.index)))
    table["peak_memory_mb"] = groups["peak_memory_mb"].max()
    table["jobs"] = groups.size()
    return table.reset_index()[list(COLUMNS)]


def describe_plan(
    jobs: Sequence[PlannedJob],
    estimates: Sequence[Estimate],
    settings: Settings,
    sizes: RunSizes,
    cores: int,
    gpus: int,
) -> str:
    """What the jobs that would run now take, in lines for the terminal."""
    left = [(job, one) for job, one in zip(jobs, estimates, strict=True) if job.needed]
    table = summarise([job for job, _ in left], [one for _, one in left], settings, sizes)
    # What stands already takes no time, and others wait for it no longer.
    seconds = [
        START_SECONDS + (one.seconds or 0.0) if job.needed else 0.0 for job, one in zip(jobs, estimates, strict=True)
    ]
    used = [name for name in SOURCES if any(one.source == name for _, one in left)]
    at_once = gpus if any(job.gpu for job, _ in left) else cores
    path = critical_path(jobs, seconds)
    rules = " > ".join(dict.fromkeys(jobs[number].rule for number in path if seconds[number])) or "nothing to run"
    unsized = sorted({job.dataset for job, _ in left if job.dataset and not sizes.sequences(job.dataset)})
    formats = dict.fromkeys(("core_hours", "gpu_hours"), "{:.3f}".format) | {"disk_mb": "{:.1f}".format}
    lines = [table.to_string(index=False, formatters=formats, float_format="{:.0f}".format, na_rep="-"), ""]
    lines += [f"{name}: {SOURCES[name]}." for name in used]
    if unsized:
        lines.append(f"Of unknown size before they are indexed: {', '.join(unsized)}.")
    hours, gpu_hours = table["core_hours"].sum(), table["gpu_hours"].sum()
    room, states = table["disk_mb"].sum() / 1e3, resume_bytes([one for _, one in left], at_once) / 1e9
    peak = table["peak_memory_mb"].max() / 1e3
    lines += [
        f"{len(left)} jobs to run: {hours:.1f} core-hours, {gpu_hours:.1f} GPU-hours.",
        f"Memory of the largest job: {0.0 if pd.isna(peak) else peak:.1f} GB.",
        f"Disk: {room:.1f} GB, and {states:.1f} GB of resume states while {at_once} trainings run.",
        f"Critical path: {duration(sum(seconds[number] for number in path))} ({rules}).",
        f"Estimated time on {cores} cores and {gpus} GPUs: {duration(run_length(jobs, seconds, cores, gpus))}.",
    ]
    return "\n".join(lines)


def compare(jobs: Sequence[PlannedJob], estimates: Sequence[Estimate], actual: History) -> pd.DataFrame:
    """Estimate against actual of a finished run, one line per rule.

    Columns `rule, jobs, estimated, actual` (seconds), `ratio` (actual over estimated), `estimated_mb`, `actual_mb`
    (largest peak memory), `source`.
    """
    frame = pd.DataFrame(
        {
            "rule": [job.rule for job in jobs],
            "estimated": pd.array([one.seconds for one in estimates], dtype="Float64"),
            "estimated_mb": [one.memory_mb for one in estimates],
            "source": [one.source for one in estimates],
        }
    )
    groups = frame.groupby("rule", sort=False)
    table = groups["estimated"].sum(min_count=1).to_frame().assign(jobs=groups.size())
    done = actual.jobs.groupby("rule")
    table["actual"] = done["seconds"].sum()
    table["ratio"] = table["actual"] / table["estimated"]
    table["estimated_mb"] = groups["estimated_mb"].max()
    table["actual_mb"] = done["peak_memory_mb"].max()
    table["source"] = groups["source"].agg(lambda names: ", ".join(sorted(set(names), key=list(SOURCES).index)))
    columns = ["jobs", "estimated", "actual", "ratio", "estimated_mb", "actual_mb", "source"]
    return table[columns].reset_index()


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < 2 * 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} days"
