"""Fixed cost of a job, and time to plan the paper at full scale."""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
IMPORTS = (
    "import workflow_scripts.job, workflow_scripts.training_job, fersnet.training.fersnet, "
    "fersnet.training.identity, fersnet.synthesis.augmented_files"
)
"""What the script of a FERSNet training loads before its first useful work."""


def child_seconds(command: list[str]) -> tuple[float, float]:
    """Processor and wall seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock = time.monotonic()
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    wall = time.monotonic() - clock
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def main() -> None:
    """Print both figures, the medians of five and three runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    start = sorted(child_seconds([sys.executable, "-c", IMPORTS])[0] for _ in range(5))[2]
    plan = [sys.executable, "-m", "snakemake", "-n", "--quiet", "--configfile", "config/paper.yaml"]
    # Processor time beside wall time, which other work on the machine lengthens.
    processor, planned = (sorted(times)[1] for times in zip(*(child_seconds(plan) for _ in range(3)), strict=True))
    figures = {
        "job_start_cpu_seconds": round(start, 2),
        "plan_paper_seconds": round(planned, 2),
        "plan_paper_cpu_seconds": round(processor, 2),
    }
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(f"start of a training job to its first useful work: {start:.2f} s of CPU (at most 3)")
        print(f"planning config/paper.yaml: {planned:.2f} s, {processor:.2f} s of CPU (at most 10)")


if __name__ == "__main__":
    main()
