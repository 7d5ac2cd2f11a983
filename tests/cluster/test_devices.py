"""Jobs on one node get GPUs of their own, and no more of them than the limit says."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.cluster.daemons import Cluster
from tests.cluster.runs import run
from tests.workflow.conftest import ROOT

pytestmark = pytest.mark.cluster
WORKFLOW = """
rule all:
    input: expand("gpu{number}.txt", number=range(3))

rule use_gpu:
    output: "gpu{number}.txt"
    threads: 1
    resources: gpu=1, mem_mb=100, runtime=5
    shell:
        '''
        begin=$(date +%s.%N)
        touch begun{wildcards.number}
        until [ $(ls begun* | wc -l) -ge {config[together]} ]; do sleep 0.1; done
        sleep 1
        echo "$begin $(date +%s.%N) $CUDA_VISIBLE_DEVICES" > {output}
        '''
"""


def gpu_uses(cluster: Cluster, folder: Path, together: int, *words: str) -> list[tuple[float, float, str]]:
    """Begin, end and CUDA_VISIBLE_DEVICES of three jobs that ask for a GPU each, in the order of their beginning.

    A job does not end before so many have begun as are to run `together`.
    """
    (folder / "Snakefile").write_text(WORKFLOW, encoding="utf-8")
    (folder / "profiles").symlink_to(ROOT / "profiles")
    run(cluster, folder, *words, "--config", f"together={together}", "device=cpu")
    lines = [path.read_text(encoding="utf-8").split() for path in sorted(folder.glob("gpu*.txt"))]
    return sorted((float(begin), float(end), device) for begin, end, device in lines)


def test_jobs_that_run_at_once_have_different_gpus(cluster: Cluster, tmp_path: Path) -> None:
    uses = gpu_uses(cluster, tmp_path, 2)
    assert {device for _, _, device in uses} == {"0", "1"}
    together = [(one, other) for one in uses for other in uses if one < other and other[0] < one[1]]
    assert together
    assert all(one[2] != other[2] for one, other in together)


def test_no_more_gpus_are_taken_than_the_limit_says(cluster: Cluster, tmp_path: Path) -> None:
    uses = gpu_uses(cluster, tmp_path, 1, "--resources", "gpu=1", "--slurm-array-jobs=none")
    assert all(one[1] <= other[0] for one, other in pairwise(uses))
