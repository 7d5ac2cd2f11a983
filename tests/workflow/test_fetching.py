"""A dataset that says `fetch` is fetched before it is read."""

from pathlib import Path

import pytest

from fersnet.methods.find import find_known
from tests.workflow.conftest import planned_jobs

READER = """
from fersnet.datasets.readers.folder import locate, read_index
from fersnet.methods.contract import Reader

READER = Reader(name="London", classes=("anger", "happiness"))
"""
CONFIG = """
run: fetched
datasets:
  ckplus: null
  oulu_casia: null
  mmi: null
  faces: {{reader: london, root: {root}, fetch: true}}
synthesis: {{datasets: [faces]}}
utility: {{datasets: []}}
"""


def test_index_and_alignment_wait_for_what_is_fetched(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("outside") / "data"
    config = CONFIG.format(root=root)
    if "london" not in find_known({}).readers:
        (project / "london.py").write_text(READER, encoding="utf-8")
        config += "modules: {london: london.py}\n"
    (project / "mine.yaml").write_text(config, encoding="utf-8")
    jobs = planned_jobs(project, "config/smoke.yaml", "mine.yaml")
    (number,) = [number for number, job in enumerate(jobs) if job["rule"] == "fetch_dataset"]
    assert jobs[number]["outputs"] == [str(root / ".fetched" / "london.json")] and jobs[number]["needed"]
    waiting = {(job["rule"], job["wildcards"]["dataset"]) for job in jobs if number in job["after"]}
    assert waiting == {("index_sequences", "faces"), ("align_faces", "faces")}
    assert not root.exists(), "a plan fetches nothing"
