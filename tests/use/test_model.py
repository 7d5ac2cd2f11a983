"""A picture reaches the network as the training faces did, and what cannot be used is told in one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from fersnet import load_model
from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.faces.store import build_store, open_store
from fersnet.settings.data import FacesSettings
from fersnet.training.batches import crop_and_flip
from fersnet.use.model import TrainedModel, check_expression
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
    model = load_model(make_checkpoint(network={"channels": faces["channels"]}, faces=faces))
    assert torch.equal(model.as_input([model.find_face(portrait)]), crop_and_flip(stored, 32, train=False))


def test_probabilities_are_those_of_the_classes(portrait: Path, make_checkpoint: MakeCheckpoint) -> None:
    model = load_model(make_checkpoint(SEVEN))
    (row,) = model.predict(portrait).to_dict("records")
    assert [name.removeprefix("p_") for name in row if name.startswith("p_")] == list(SEVEN)
    assert sum(row[f"p_{name}"] for name in SEVEN) == pytest.approx(1, abs=1e-6)
    assert row["predicted"] == max(SEVEN, key=lambda name: row[f"p_{name}"])


def test_the_strip_shows_the_input_and_then_each_expression(portrait: Path, make_checkpoint: MakeCheckpoint) -> None:
    model = load_model(make_checkpoint(SEVEN))
    face = model.as_input([model.find_face(portrait)])
    (strip,) = model.synthesize(portrait, "all")
    tiles = np.split(strip, 7, axis=1)
    assert np.array_equal(tiles[0][..., 0], (face[0, 0] * 255).round().byte().numpy())
    for tile, expression in zip(tiles[1:], SIX, strict=True):
        assert tile.shape == (32, 32, 3)
        assert np.array_equal(tile, model.synthesize(portrait, expression)[0])
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
        load_model(make_checkpoint()).find_face(path)
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
        load_model(make_checkpoint(**changes))
    assert "checkpoint.pt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_backend_may_stand_in_for_landmark_files(portrait: Path, make_checkpoint: MakeCheckpoint) -> None:
    checkpoint = make_checkpoint(faces={**FACES, "backend": "annotations"})
    assert load_model(checkpoint, backend="dlib").find_face(portrait).image.shape == (36, 36, 1)
    with pytest.raises(UserError, match="unknown backend"):
        load_model(checkpoint, backend="eyes")


def test_expressions_that_nobody_or_not_this_model_knows(portrait: Path, make_checkpoint: MakeCheckpoint) -> None:
    with pytest.raises(UserError, match="unknown expression 'joy'"):
        check_expression("joy")
    model = load_model(make_checkpoint(SIX))
    with pytest.raises(UserError, match="no 'contempt'"):
        model.synthesize(portrait, "contempt")
    single = load_model(make_checkpoint(SIX, network={"sharing": "none"}))
    with pytest.raises(UserError, match="cannot synthesise"):
        single.synthesize(portrait, "all")


@pytest.fixture
def model(make_checkpoint: MakeCheckpoint) -> TrainedModel:
    return load_model(make_checkpoint())


@pytest.fixture(scope="module")
def group(portrait: Path) -> np.ndarray:
    """Six faces, one of them at twice the size."""
    face = np.asarray(Image.open(portrait).convert("RGB"))
    picture = np.full((660, 1000, 3), 90, dtype=np.uint8)
    picture[:512, :512] = np.kron(face, np.ones((2, 2, 1), dtype=np.uint8))
    for row, column in ((0, 520), (0, 744), (230, 520), (230, 744), (460, 744)):
        small = np.asarray(Image.fromarray(face).resize((200, 200)))
        picture[row : row + 200, column : column + 200] = small
    return picture


def test_every_face_of_a_picture_has_a_row(model: TrainedModel, group: np.ndarray) -> None:
    table = model.predict(group)
    assert list(table["face"]) == [1, 2, 3, 4, 5, 6]
    assert set(table["picture"]) == {0} and table["error"].isna().all() and table["predicted"].isin(SIX).all()
    areas = (table["right"] - table["left"]) * (table["bottom"] - table["top"])
    assert areas.is_monotonic_decreasing
    first = table.iloc[0]
    assert first["left"] < 256 < first["right"] < 512 and first["bottom"] > 256
    assert table["quality"].between(0, 1).all()


def test_paths_bytes_pillow_and_pixels_are_alike(model: TrainedModel, portrait: Path) -> None:
    image = Image.open(portrait)
    forms = [portrait, str(portrait), portrait.read_bytes(), image, np.asarray(image.convert("RGB"))]
    table = model.predict(forms)
    assert list(table["picture"]) == list(range(5))
    assert list(table["file"].isna()) == [False, False, True, True, True]
    for _, row in table.iterrows():
        assert row.drop(["picture", "file"]).equals(table.iloc[0].drop(["picture", "file"]))
    assert model.predict(np.stack([forms[-1]] * 2))["picture"].tolist() == [0, 1]


def test_pictures_that_cannot_be_used_keep_their_place(tmp_path: Path, model: TrainedModel, portrait: Path) -> None:
    plain = np.full((200, 200, 3), 90, dtype=np.uint8)
    floats = np.zeros((200, 200, 3))
    cut = np.asarray(Image.open(portrait).convert("RGB"))[:, 105:]
    images = [tmp_path / "nothere.png", portrait, plain, floats, 3, cut]
    table = model.predict(images)
    assert list(table["picture"]) == list(range(6))
    reasons = ["missing", None, "no face", "float64", "int", "border"]
    for reason, (_, row) in zip(reasons, table.iterrows(), strict=True):
        assert (row["error"] is None) == (reason is None)
        assert reason is None or (reason in row["error"] and row["predicted"] is None and np.isnan(row["p_fear"]))
    empty = model.predict([])
    assert len(empty) == 0 and list(empty) == list(table)


def test_several_processes_say_what_one_says(model: TrainedModel, portrait: Path) -> None:
    forms = [portrait, portrait.read_bytes(), portrait.with_name("nothere.png")] * 12
    pd.testing.assert_frame_equal(model.predict(forms, workers=2), model.predict(forms, workers=1))


def test_of_an_animated_picture_the_first_frame_counts(tmp_path: Path, model: TrainedModel, portrait: Path) -> None:
    face = Image.open(portrait).convert("L")
    plain = Image.new("L", face.size, 90)
    face.save(tmp_path / "face_first.gif", save_all=True, append_images=[plain])
    plain.save(tmp_path / "face_second.gif", save_all=True, append_images=[face])
    table = model.predict([tmp_path / "face_first.gif", tmp_path / "face_second.gif"])
    assert table["error"].notna().tolist() == [False, True]


def test_a_model_of_rendered_faces_says_so_once_and_only_of_other_pictures(
    make_checkpoint: MakeCheckpoint, portrait: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pixels = np.asarray(Image.open(portrait).convert("RGB"))
    model = load_model(make_checkpoint(trained_on="rendered"))
    assert set(model.predict([portrait, portrait.read_bytes()])["trained_on"]) == {"rendered"}
    assert caplog.messages == []
    assert model.predict([portrait, pixels])["error"].isna().all()
    model.predict(pixels)
    model.synthesize(pixels, "fear")
    assert len(caplog.messages) == 1
    assert "rendered faces" in caplog.messages[0] and "\n" not in caplog.messages[0]
    for trained_on in ("real", "unknown"):
        load_model(make_checkpoint(trained_on=trained_on)).predict(pixels)
    assert len(caplog.messages) == 1
