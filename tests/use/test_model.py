"""A picture reaches the network as the training faces did, and what cannot be used is told in one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.faces.store import build_store, open_store
from fersnet.settings.data import FacesSettings
from fersnet.training.batches import crop_and_flip
from fersnet.use.model import check_expression, open_model
from tests.use.conftest import FACES, MakeCheckpoint


@pytest.mark.parametrize("faces", [FACES, {**FACES, "size": 40, "channels": 3, "lighting": "equalize"}])
def test_a_picture_is_aligned_as_the_training_faces_were(
    tmp_path: Path, portrait: Path, make_checkpoint: MakeCheckpoint, faces: dict
) -> None:
    sequence = ("s", "subject", "happiness", [portrait.name] * 2, [1], 0, "")
    columns = ["sequence_id", "subject", "expression", "frames", "apex", "neutral", "view"]
    settings = FacesSettings.model_validate(faces | {"peak_frames": 1, "clip_frames": 2}, strict=False)
    build_store(pd.DataFrame([sequence], columns=columns), portrait.parent, tmp_path, settings, "dlib", 1)
    stored = torch.from_numpy(open_store(tmp_path).images[:1].transpose(0, 3, 1, 2).copy())
    model = open_model(make_checkpoint(network={"channels": faces["channels"]}, faces=faces))
    assert torch.equal(model.find_face(portrait), crop_and_flip(stored, 32, train=False))


def test_probabilities_are_those_of_the_classes(portrait: Path, make_checkpoint: MakeCheckpoint) -> None:
    model = open_model(make_checkpoint(SEVEN))
    probabilities = model.recognise(model.find_face(portrait))
    assert tuple(probabilities) == SEVEN
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-6)


def test_the_strip_shows_the_input_and_then_each_expression(portrait: Path, make_checkpoint: MakeCheckpoint) -> None:
    model = open_model(make_checkpoint(SEVEN))
    face = model.find_face(portrait)
    tiles = np.split(model.strip(face), 7, axis=1)
    assert np.array_equal(tiles[0][..., 0], (face[0, 0] * 255).round().byte().numpy())
    for tile, expression in zip(tiles[1:], SIX, strict=True):
        assert tile.shape == (32, 32, 3)
        assert np.array_equal(tile, model.synthesize(face, [expression]))
    assert any(not np.array_equal(tiles[1], tile) for tile in tiles[2:])


def picture(folder: Path, kind: str, portrait: Path) -> Path:
    path = folder / f"{kind}.png"
    face = np.asarray(Image.open(portrait))
    if kind == "two faces":
        Image.fromarray(np.hstack([face, face])).save(path)
    elif kind == "no face":
        Image.fromarray(np.full((200, 200, 3), 90, dtype=np.uint8)).save(path)
    elif kind == "text":
        path.write_text("no picture", encoding="utf-8")
    elif kind == "truncated":
        path.write_bytes(portrait.read_bytes()[:2000])
    elif kind == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("two faces", "several faces"),
        ("no face", "no face"),
        ("text", "not an image"),
        ("truncated", "truncated"),
        ("folder", "not a regular file"),
        ("missing", "missing"),
    ],
)
def test_a_picture_that_cannot_be_used_is_told_in_one_line(
    tmp_path: Path, portrait: Path, make_checkpoint: MakeCheckpoint, kind: str, reason: str
) -> None:
    path = picture(tmp_path, kind, portrait)
    with pytest.raises(UserError, match=reason) as caught:
        open_model(make_checkpoint()).find_face(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "stargan"}, "not a FERSNet"),
        ({"faces": None}, "how its faces were aligned"),
        ({"faces": {**FACES, "lighting": "candles"}}, "how its faces were aligned"),
        ({"faces": {**FACES, "channels": 3}}, "do not fit"),
        ({"faces": {**FACES, "backend": "annotations"}}, "--backend dlib"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_told_in_one_line(
    make_checkpoint: MakeCheckpoint, changes: dict, reason: str
) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        open_model(make_checkpoint(**changes))
    assert "checkpoint.pt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_backend_may_stand_in_for_landmark_files(portrait: Path, make_checkpoint: MakeCheckpoint) -> None:
    checkpoint = make_checkpoint(faces={**FACES, "backend": "annotations"})
    assert open_model(checkpoint, backend="dlib").find_face(portrait).shape == (1, 1, 32, 32)
    with pytest.raises(UserError, match="unknown backend"):
        open_model(checkpoint, backend="eyes")


def test_expressions_that_nobody_or_not_this_model_knows(portrait: Path, make_checkpoint: MakeCheckpoint) -> None:
    with pytest.raises(UserError, match="unknown expression 'joy'"):
        check_expression("joy")
    model = open_model(make_checkpoint(SIX))
    with pytest.raises(UserError, match="no 'contempt'"):
        model.synthesize(model.find_face(portrait), ["contempt"])
    single = open_model(make_checkpoint(SIX, network={"sharing": "none"}))
    with pytest.raises(UserError, match="cannot synthesise"):
        single.strip(single.find_face(portrait))
