"""Runs that do not start in the project's folder: from another one, and as a module of another workflow."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, snakemake

pytestmark = pytest.mark.smoke

TINY = """
run: tiny
datasets:
  ckplus: null
  oulu_casia: null
  bu4dfe: null
  mmi: {embedded: {subjects: 3, frames: [6, 6], width: 96, height: 96}, options: {selection: chosen.csv}}
variants: {fersnet_bu4dfe: null}
synthesis: {datasets: [mmi]}
"""
OUTER = f"""
configfile: "outer.yaml"


rule all:
    input:
        "size.txt",


module faces:
    snakefile:
        "{ROOT}/Snakefile"
    config:
        config["faces"]
    prefix:
        "faces"


use rule * from faces as faces_*


rule size:
    input:
        "faces/results/tiny/datasets/mmi/index.parquet",
    output:
        "size.txt",
    shell:
        "wc -c < {{input}} > {{output}}"
"""
INDEX = "results/tiny/datasets/mmi/index.parquet"


def write_selection(folder: Path) -> None:
    (folder / "chosen.csv").write_text(
        "sequence\n" + "".join(f"S{n:03}-{m:03}\n" for n in range(99) for m in range(99))
    )


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config and nothing else, after the first jobs of a run from there."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "mine.yaml").write_text(TINY, encoding="utf-8")
    write_selection(folder)
    words = ("-s", f"{ROOT}/Snakefile", "--cores", "2", "--configfile", "mine.yaml", "--", INDEX)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", "/proc/none")
        patch.delenv("XDG_CACHE_HOME", raising=False)
        done = snakemake(folder, *words)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


@pytest.fixture(scope="module")
def outer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another workflow that has this one as a module, after a run of its own default target."""
    folder = tmp_path_factory.mktemp("outer")
    (folder / "outer.yaml").write_text("faces:" + TINY.replace("\n", "\n  ").rstrip() + "\n", encoding="utf-8")
    (folder / "Snakefile").write_text(OUTER, encoding="utf-8")
    write_selection(folder)
    done = snakemake(folder, "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


def rendered(results: Path) -> str:
    return hashlib.sha256((results / "embedded" / "mmi" / "manifest.csv").read_bytes()).hexdigest()


def tracked(results: Path) -> set[str]:
    return {json.loads(path.read_text())["rule"] for path in results.glob("tracking/jobs/*.json")}


def test_f5_a_run_from_another_folder_leaves_its_files_there(elsewhere: Path) -> None:
    """Case F5, and case E4: the home cannot be written."""
    assert (elsewhere / INDEX).is_file()
    assert tracked(elsewhere / "results" / "tiny") == {"render_dataset", "index_sequences"}
    assert {path.name for path in elsewhere.iterdir()} == {"mine.yaml", "chosen.csv", "results", ".snakemake"}


def test_f5_the_catalogues_snakefile_plans_the_whole_graph(elsewhere: Path) -> None:
    words = ("-n", "--cores", "2", "--configfile", str(elsewhere / "mine.yaml"), "--directory", str(elsewhere))
    done = snakemake(elsewhere.parent, "-s", f"{ROOT}/workflow/Snakefile", *words)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "build report" in done.stdout


def test_f6_a_module_does_its_part_below_its_prefix(outer: Path, elsewhere: Path) -> None:
    assert int((outer / "size.txt").read_text()) == (outer / "faces" / INDEX).stat().st_size
    assert not (outer / "results").exists()
    results = outer / "faces" / "results" / "tiny"
    assert tracked(results) == {"render_dataset", "index_sequences"}
    assert rendered(results) == rendered(elsewhere / "results" / "tiny"), "the prefix changes no seed"


def test_f6_a_module_plans_the_whole_graph(outer: Path) -> None:
    done = snakemake(outer, "-n", "--cores", "2", "faces_all")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "faces/results/tiny/report.html" in done.stdout
    assert "localrules" not in done.stdout
