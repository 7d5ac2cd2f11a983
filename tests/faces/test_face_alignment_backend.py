"""The `face_alignment` backend with the real library, on weight files of the right format made here."""

import hashlib
import logging
import re

import numpy as np
import pytest
import torch

from fersnet.errors import UserError
from fersnet.faces import face_alignment_backend as backend_module
from fersnet.faces.backends import open_backend, prepare_backend
from fersnet.faces.face_alignment_backend import (
    FaceAlignmentBackend,
    find_weights,
    published_checksum,
    weight_addresses,
)
from fersnet.faces.images import Rejection

DETECTOR, LANDMARKS = (address.rpartition("/")[2] for address in weight_addresses())
IMAGE_SIDE = 128


def detector_weights() -> dict[str, torch.Tensor]:
    """S3FD that, in an image of 128 pixels, sees one face of 512 pixels around it.

    All scores are far below the threshold but for the coarsest map. That has four cells there, whose boxes overlap so
    far that one of them is kept.
    """
    from face_alignment.detection.sfd.net_s3fd import s3fd

    network = s3fd()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "_mbox_conf" in name or "_mbox_loc" in name:
                parameter.zero_()
        for name in ("conv3_3_norm", "conv4_3_norm", "conv5_3_norm", "fc7", "conv6_2"):
            getattr(network, f"{name}_mbox_conf").bias[0] = 10
        network.conv7_2_mbox_conf.bias[1] = 10
    return network.state_dict()


def landmark_weights() -> dict[str, torch.Tensor]:
    """FAN-4 with random weights: its points lie inside the box, but form no face."""
    from face_alignment.models import FAN

    return FAN(4).state_dict()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights é")
    torch.manual_seed(0)
    torch.save(detector_weights(), folder / DETECTOR)
    torch.save(landmark_weights(), folder / LANDMARKS)
    return folder


@pytest.fixture(scope="module")
def backend(weights):
    torch.set_num_threads(1)
    return FaceAlignmentBackend(str(weights))


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (IMAGE_SIDE, IMAGE_SIDE, 3), dtype=np.uint8)


def test_names_and_checksums_are_those_of_the_installed_library():
    assert DETECTOR.startswith("s3fd-") and LANDMARKS.startswith("2DFAN4-")
    assert all(len(published_checksum(name)) == 10 for name in (DETECTOR, LANDMARKS))


def test_points_and_quality_are_the_librarys_own(backend, picture, tmp_path, monkeypatch):
    # Random weights give points that form no face; everything before that check is under test here.
    monkeypatch.setattr(backend_module, "check_points", lambda points, width, height: None)
    fit = backend.locate(picture, tmp_path)
    points, scores, boxes = backend._library.get_landmarks_from_image(
        picture, return_bboxes=True, return_landmark_score=True
    )
    assert len(boxes) == 1 and boxes[0][2] - boxes[0][0] == pytest.approx(512)
    assert np.array_equal(fit.points, points[0]) and fit.points.shape == (68, 2)
    assert fit.quality == pytest.approx(np.clip(scores[0].mean() / 2 / 0.8, 0, 1))


def test_c2_a_large_picture_is_shrunk_for_the_detector_alone(backend, tmp_path, monkeypatch):
    """Case C2: the detector's memory is bounded; boxes and landmarks are those of the picture itself."""
    monkeypatch.setattr(backend_module, "SEARCH_SIDE", IMAGE_SIDE)
    monkeypatch.setattr(backend_module, "check_points", lambda points, width, height: None)
    seen = {}
    monkeypatch.setattr(
        backend._library, "get_landmarks_from_image",
        lambda image, detected_faces, **_: seen.update(shape=image.shape, box=detected_faces[0])
        or ([np.zeros((68, 2))], [np.ones(68)], None),
    )  # fmt: skip
    backend.locate(np.zeros((4 * IMAGE_SIDE, 4 * IMAGE_SIDE, 3), dtype=np.uint8), tmp_path)
    assert seen["shape"] == (4 * IMAGE_SIDE, 4 * IMAGE_SIDE, 3)
    assert seen["box"][2] - seen["box"][0] == pytest.approx(4 * 512)


def test_the_detector_column_names_the_weights(backend, weights):
    sums = [hashlib.sha256((weights / name).read_bytes()).hexdigest()[:10] for name in (DETECTOR, LANDMARKS)]
    assert backend._name == f"face_alignment {sums[0]} {sums[1]}"


def test_points_that_form_no_face_are_refused(backend, picture, tmp_path):
    with pytest.raises(Rejection):
        backend.locate(picture, tmp_path)


def test_foreign_weights_are_used_with_a_warning(weights, caplog):
    with caplog.at_level(logging.WARNING):
        found = find_weights(str(weights))
    assert [path.name for path in found] == [DETECTOR, LANDMARKS]
    assert caplog.text.count("not the published one") == 2


def test_the_hub_folder_of_torch_is_left_as_it_was(weights, backend):
    assert "weights" not in torch.hub.get_dir()


def test_missing_files_are_named_with_checksum_and_place(tmp_path):
    for call in (lambda: prepare_backend("face_alignment", str(tmp_path)), lambda: find_weights(str(tmp_path))):
        with pytest.raises(UserError) as caught:
            call()
        text = str(caught.value)
        assert "\n" not in text and str(tmp_path) in text and "faces.model_folder" in text
        for name in (DETECTOR, LANDMARKS):
            assert f"{name} (SHA-256 starts with {published_checksum(name)})" in text


def test_one_missing_file(weights, tmp_path):
    (tmp_path / DETECTOR).symlink_to(weights / DETECTOR)
    with pytest.raises(UserError, match=re.escape(f"faces.model_folder: {LANDMARKS} not found")):
        find_weights(str(tmp_path))


def test_a_failed_download_is_one_message(tmp_path, monkeypatch):
    import urllib.error
    import urllib.request

    def offline(*arguments, **options):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    monkeypatch.setattr(torch.hub, "urlopen", offline)
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(tmp_path))
    try:
        with pytest.raises(UserError) as caught:
            open_backend("face_alignment", tmp_path)
    finally:
        torch.hub.set_dir(before)
    text = str(caught.value)
    assert "\n" not in text and "no route to host" in text
    assert all(part in text for part in (DETECTOR, LANDMARKS, str(tmp_path), "faces.model_folder", "https://"))


def test_hostile_and_damaged_weights_are_not_executed(weights, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    (tmp_path / LANDMARKS).symlink_to(weights / LANDMARKS)
    torch.save(Hostile(), tmp_path / DETECTOR)
    with pytest.raises(UserError, match="not the weights of face_alignment"):
        FaceAlignmentBackend(str(tmp_path))
    assert not (tmp_path / "owned").exists()
    (tmp_path / DETECTOR).write_bytes(b"rubbish")
    with pytest.raises(UserError, match="not the weights of face_alignment"):
        FaceAlignmentBackend(str(tmp_path))
