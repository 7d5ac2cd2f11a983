"""config/london.yaml on rendered pictures that lie as the London Set does."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from fersnet.embedded.sheet import draw_faces
from tests.workflow.conftest import copy_project, snakemake

pytestmark = pytest.mark.smoke
PEOPLE = 9
FOLDERS = {"neutral": "neutral_front/{:03}_03.png", "happiness": "smiling_front/{:03}_08.png"}
TINY = """
datasets: {london: {root: faces/london, fetch: false}}
faces: {size: 36}
model: {image_size: 32, width: 4}
training: {epochs: 2, batch_size: 16, milestones: [2]}
identity: {width: 6, image_size: 32, epochs: 1}
standard_fer: {width: 4, epochs: 2}
rivals:
  methods: [cyclegan]
  cyclegan: {width: 4, residual_blocks: 1, epochs: 1, first_epochs: null, samples: 8}
baselines: {dmt_cnn: {width: 4, hidden: 16, epochs: 1, milestones: [1]}}
report: {bootstrap_samples: 100, dpi: 60}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("london"))
    drawn, root = folder / "drawn", folder / "faces" / "london"
    draw_faces(PEOPLE, 5, 200, FOLDERS, drawn)
    for expression, name in FOLDERS.items():
        (root / name).parent.mkdir(parents=True)
        for person in range(PEOPLE):
            shutil.copy(drawn / f"{person:03}_{expression}.png", root / name.format(person + 1))
    lines = [
        f"{person + 1:03},{20 + 4 * person},{'female' if person % 2 else 'male'},white" for person in range(PEOPLE)
    ]
    (root / "london_info.csv").write_text("\n".join(["face_id,face_age,face_gender,face_eth", *lines]) + "\n")
    (folder / "tiny.yaml").write_text(TINY, encoding="utf-8")
    done = snakemake(folder, "--cores", "2", "--configfile", "config/london.yaml", "tiny.yaml", warm=True)
    assert done.returncode == 0, done.stdout[-6000:]
    return folder / "results" / "london"


def test_every_face_is_recognised_once_by_every_network(results: Path) -> None:
    table = pd.read_csv(results / "tables" / "fer_london.csv")
    run = table[table["accuracy"].notna()]
    networks = {"fersnet", "fersnet_without_mtl", "fersnet_without_convflu", "fersnet_fes_da", "dmt_cnn"}
    assert set(run["method"]) == networks and set(run["n_sequences"]) == {2 * PEOPLE}
    folds = pd.read_csv(results / "datasets" / "london" / "folds.csv", dtype=str)
    assert folds.groupby("subject")["fold"].nunique().eq(1).all() and len(folds) == 2 * PEOPLE


def test_faces_are_drawn_neutral_and_smiling(results: Path) -> None:
    judged = pd.read_parquet(results / "evaluation" / "london" / "fold1.parquet")
    assert set(judged["target"]) == {"neutral", "happiness"}
    assert {"fersnet", "cyclegan"} <= set(judged["method"])
    assert (results / "figures" / "synthesis_london.png").is_file()


def test_accuracies_stand_by_sex_age_and_ethnicity(results: Path) -> None:
    groups = pd.read_csv(results / "tables" / "subgroups.csv")
    assert set(groups["attribute"]) == {"sex", "age", "ethnicity"}
    by_sex = groups[(groups["attribute"] == "sex") & (groups["method"] == "fersnet")]
    assert by_sex["n_subjects"].sum() == PEOPLE
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "CC BY 4.0" in page
