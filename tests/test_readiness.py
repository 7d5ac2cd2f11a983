"""What a look before any job finds missing of that which the settings name."""

import hashlib
from pathlib import Path

import pytest
import torch

from fersnet.errors import UserError
from fersnet.faces.face_alignment_backend import WEIGHTS, weight_addresses
from fersnet.readiness import check_ready
from fersnet.settings.load import load_settings
from fersnet.settings.tree import Settings


def settings_with(**sections: dict) -> Settings:
    """The default with keys laid over its sections."""
    return load_settings({"preset": "embedded", **sections}, [])


def problem(settings: Settings) -> str:
    with pytest.raises(UserError) as error:
        check_ready(settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_default_is_ready() -> None:
    check_ready(settings_with())


def test_f4_a_public_checkpoint_that_is_not_there_or_another_file_is_said_before_any_job(tmp_path: Path) -> None:
    path = tmp_path / "public.pth"
    named = {"checkpoint": str(path)}
    assert "identity.checkpoint" in problem(settings_with(identity=named))
    path.mkdir()
    assert "identity.checkpoint" in problem(settings_with(identity=named))
    path.rmdir()
    path.write_text("<html>Not found</html>", encoding="utf-8")
    assert "not a file that PyTorch wrote" in problem(settings_with(identity=named))
    for zipped in (True, False):
        torch.save({"state_dict": {}}, path, _use_new_zipfile_serialization=zipped)
        check_ready(settings_with(identity=named))
    wrong = settings_with(identity=named | {"checkpoint_sha256": "0" * 64})
    assert "not identity.checkpoint_sha256" in problem(wrong)
    right = hashlib.sha256(path.read_bytes()).hexdigest().upper()
    check_ready(settings_with(identity=named | {"checkpoint_sha256": right}))


def test_f4_a_folder_without_the_landmark_weights_is_said_before_any_job(tmp_path: Path) -> None:
    faces = {"size": 50, "model_folder": str(tmp_path / "models")}
    check_ready(settings_with(faces=faces))  # nobody reads them
    faces["backend"] = "face_alignment"
    assert "no such folder" in problem(settings_with(faces=faces))
    (tmp_path / "models" / "checkpoints").mkdir(parents=True)
    names = [address.rpartition("/")[2] for address in weight_addresses()]
    (tmp_path / "models" / names[0]).touch()
    assert f"{WEIGHTS[1]}-* not found" in problem(settings_with(faces=faces))
    (tmp_path / "models" / "checkpoints" / names[1]).touch()
    check_ready(settings_with(faces=faces))


@pytest.mark.parametrize(
    ("key", "dataset", "parts"),
    [
        ("oulu_casia", {"options": {"light": "Foo"}}, ["datasets.oulu_casia.options.light", "Strong, Weak, Dark"]),
        ("oulu_casia", {"options": {"ligth": "Weak"}}, ["datasets.oulu_casia.options.ligth", "no such option"]),
        ("mmi", {"options": {"selection": "/nowhere.csv"}}, ["datasets.mmi.options.selection", "/nowhere.csv"]),
        ("ckplus", {"embedded": {"subjects": 1000}}, ["datasets.ckplus.embedded.subjects", "900"]),
        ("mmi", {"landmarks": "annotations"}, ["datasets.mmi.landmarks", "no annotations"]),
    ],
)
def test_f4_a_rendered_dataset_that_its_first_job_would_refuse(key: str, dataset: dict, parts: list[str]) -> None:
    found = problem(settings_with(datasets={key: dataset}))
    for part in parts:
        assert part in found


def test_f4_a_wrong_option_of_a_real_copy_is_not_blamed_on_its_root(tmp_path: Path) -> None:
    (tmp_path / "s1" / "anger").mkdir(parents=True)
    own = {"reader": "folder", "root": str(tmp_path), "options": {"apex": "al"}}
    assert problem(settings_with(datasets={"own": own})).startswith("datasets.own.options.apex: 'al'")


def test_f4_a_subject_without_consent_is_said_before_any_job(tmp_path: Path) -> None:
    chosen = {"chosen_subjects": {"ckplus": ["S052", "s55", "S999"]}}
    check_ready(settings_with(report=chosen))  # rendered people are free
    real = settings_with(report=chosen, datasets={"ckplus": {"reader": "ckplus", "root": str(tmp_path / "nowhere")}})
    with pytest.raises(UserError) as error:
        check_ready(real)
    assert "report.chosen_subjects.ckplus: 'S999' may not be shown" in str(error.value)
    assert "S052" not in str(error.value)
    kept = {"report": {"chosen_subjects": {"mmi": ["S1"]}}}
    copy = {"mmi": {"reader": "mmi", "root": str(tmp_path / "nowhere")}}
    with pytest.raises(UserError, match="'S1' may not be shown, since the terms of the set leave that to its owner"):
        check_ready(settings_with(datasets=copy, **kept))
    kept["report"]["permitted"] = ["mmi"]
    assert "may not be shown" not in problem(settings_with(datasets=copy, **kept))
