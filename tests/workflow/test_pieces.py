"""Data that change under a finished run: in whichever pieces it is run again, its faces are those of a fresh run."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from fersnet.datasets.index import read_dataset
from fersnet.embedded.files import write_image
from fersnet.faces.alignment import TEMPLATE
from fersnet.faces.frames import frames_root
from fersnet.faces.store import build_store
from fersnet.settings.data import DatasetSettings, FacesSettings
from tests.workflow.conftest import copy_project, snakemake

pytestmark = pytest.mark.smoke

CONFIG = """
run: pieces
datasets:
  ckplus: null
  oulu_casia: null
  mmi: null
  bu4dfe: null
  own: {reader: folder, root: ~/own, landmarks: annotations}
  listed: {reader: manifest, root: ~/list.csv, landmarks: annotations}
faces: {size: 36, clip_frames: 6}
folds: {count: 3}
model: {image_size: 32}
variants: {fersnet_bu4dfe: null}
synthesis: {datasets: [own]}
"""
SETTINGS = {
    "own": DatasetSettings(reader="folder", root="own"),
    "listed": DatasetSettings(reader="manifest", root="list.csv"),
}
FACES = FacesSettings(size=36, clip_frames=6)
STORES = [f"results/pieces/datasets/{key}/faces.npy" for key in SETTINGS]


def face(path: Path, seed: int) -> None:
    """A picture of noise, with the landmarks of a face beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    points = np.full((68, 2), 32.0)
    points[36:42], points[42:48], points[48:68] = TEMPLATE * 64
    points += np.random.default_rng(seed).uniform(-1, 1, (68, 2))
    text = "".join(f"{x} {y}\n" for x, y in points)
    path.with_name(f"{path.stem}_landmarks.txt").write_text(text, encoding="utf-8")


def run(project: Path, *words: str) -> None:
    done = snakemake(project, *words, "--cores", "2", "--configfile", "pieces.yaml")
    assert done.returncode == 0, done.stdout[-3000:]


def stores(project: Path) -> list[bytes]:
    return [(project / path).read_bytes() for path in STORES]


def fresh_stores(home: Path, folder: Path) -> list[bytes]:
    """What a run that knows nothing of earlier ones makes of the data."""
    for key, settings in SETTINGS.items():
        root = home / settings.root
        index = read_dataset(settings, root)
        (folder / key).mkdir(parents=True)
        build_store(index.sequences, frames_root(root), folder / key, FACES, "annotations", 1)
    return [(folder / key / "faces.npy").read_bytes() for key in SETTINGS]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a tree of pictures, and a manifest of others."""
    folder = tmp_path_factory.mktemp("home")
    rows = ["subject,expression,sequence_id,frame"]
    for subject in range(3):
        for number, expression in enumerate(("anger", "happiness")):
            for frame in range(2):
                seed = 10 * subject + 2 * number + frame
                face(folder / f"own/s{subject}/{expression}/{frame}.png", seed)
                face(folder / f"pictures/{seed}.png", 100 + seed)
                rows.append(f"s{subject},{expression},{subject}{expression},pictures/{seed}.png")
    (folder / "list.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose faces are made."""
    folder = copy_project(tmp_path_factory.mktemp("pieces"))
    (folder / "pieces.yaml").write_text(CONFIG, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        run(folder, *STORES)
    return folder


@pytest.mark.parametrize(
    ("seed", "pieces"),
    [
        (1001, [["folds"], ["data"]]),
        (1002, [["data", "--until", "index_sequences"], STORES]),
    ],
    ids=["folds, then data", "until the index, then single files"],
)
def test_a1_a2_a3_in_whichever_pieces_the_faces_are_those_of_a_fresh_run(
    finished: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, pieces: list[list[str]]
) -> None:
    monkeypatch.setenv("HOME", str(home))
    project = shutil.copytree(finished, tmp_path / "project", symlinks=True)
    before = stores(project)
    for path in ("own/s1/happiness/1.png", "pictures/3.png"):
        face(home / path, seed)
        # As old as a picture that has lain there before the run.
        os.utime(home / path, (1_500_000_000, 1_500_000_000))
    for words in pieces:
        run(project, *words)
    expected = fresh_stores(home, tmp_path / "fresh")
    assert all(old != new for old, new in zip(before, expected, strict=True))
    assert stores(project) == expected
