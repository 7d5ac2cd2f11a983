"""What the recognisers of peak faces share: joined faces, a start from another dataset, prediction."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fersnet.baselines.faces import all_faces, face_model
from fersnet.errors import UserError
from fersnet.expressions import SIX
from fersnet.training.batches import FaceSet, join_faces, loose_faces
from fersnet.training.checkpoint import save_checkpoint
from fersnet.training.task import TrainingRun
from fersnet.training.transfer import start_from


def faces_of(subjects: tuple[str, ...], first_row: int = 0) -> FaceSet:
    """A face per subject and class, each of its own grey."""
    count = 6 * len(subjects)
    images = (torch.arange(count) + first_row).to(torch.uint8)[:, None, None, None].expand(-1, 1, 8, 8)
    faces = loose_faces(images.contiguous(), torch.arange(count) % 6, torch.arange(count) // 6, SIX)
    return replace(
        faces,
        subject_names=subjects,
        rows=faces.rows + first_row,
        landmarks=torch.full((count, 68, 2), float(first_row)),
    )


def names_of(faces: FaceSet) -> list[str]:
    return [faces.subject_names[number] for number in faces.subjects.tolist()]


def test_joined_faces_keep_their_subjects() -> None:
    first, second = faces_of(("B", "D")), faces_of(("A", "B"), first_row=20)
    joined = join_faces(first, second)
    assert joined.subject_names == ("A", "B", "D")
    assert names_of(joined) == names_of(first) + names_of(second)
    assert joined.landmarks is not None and len(joined) == len(joined.images) == len(joined.landmarks) == 24
    assert join_faces(first, replace(second, landmarks=None)).landmarks is None


def test_validation_faces_are_trained_on_once() -> None:
    train, validation = faces_of(("A", "B")), faces_of(("C",), first_row=12)
    assert names_of(all_faces(train, validation)) == [*"AAAAAABBBBBBCCCCCC"]
    assert len(all_faces(train, train)) == len(train)
    with pytest.raises(UserError, match=r"1 peak faces.*folds\.count"):
        all_faces(train.select(torch.tensor([0])), validation.select(torch.arange(0)))


def network_of(classes: int, subjects: int) -> nn.ModuleDict:
    parts = {"trunk": nn.Linear(4, 3), "classifier": nn.Linear(3, classes), "identity": nn.Linear(3, subjects)}
    return nn.ModuleDict(parts)


@pytest.mark.parametrize(("classes", "kept"), [(SIX, {"trunk", "classifier"}), (("anger", *SIX), {"trunk"})])
def test_a_start_from_another_dataset_leaves_its_heads_behind(
    tmp_path: Path, classes: tuple[str, ...], kept: set[str]
) -> None:
    source, here = network_of(6, 9), network_of(len(classes), 4)
    drawn = {name: value.clone() for name, value in here.state_dict().items()}
    file = tmp_path / "checkpoint.pt"
    save_checkpoint(file, {"network": source}, {"method": "mine", "expressions": list(SIX)})
    heads = {"by_class": ("classifier.",), "by_subject": ("identity.",)}
    start_from(file, "mine", {"network": here}, classes, **heads)
    for name, value in here.state_dict().items():
        expected = source.state_dict()[name] if name.split(".")[0] in kept else drawn[name]
        assert torch.equal(value, expected), name
    with pytest.raises(UserError, match="no pre-training of other"):
        start_from(file, "other", {"network": here}, classes, **heads)
    with pytest.raises(UserError, match="made for another network"):
        start_from(file, "mine", {"network": nn.ModuleDict({"trunk": nn.Linear(5, 3)})}, classes, **heads)


def test_a_class_that_no_training_face_has_gets_no_probability() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 6))
    faces = faces_of(("A", "B"))
    run = TrainingRun(Path(), 0, torch.device("cpu"), "", {"image_size": 4})
    model = face_model(network, faces.select(faces.labels != 2), run)
    probabilities = model.predict_proba(faces)
    assert probabilities.dtype == np.float32 and (probabilities[:, 2] == 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert model.predict_proba(faces.select(torch.arange(0))).shape == (0, 6)
