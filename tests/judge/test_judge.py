"""The fixed judge: whose faces it knows, what it reads, and when it is unsure."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from fersnet.embedded.writers import bu4dfe, ckplus, mmi, oulu_casia
from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.judge.changes import BLINDING, CHANGES, changed, noise_images
from fersnet.judge.figures import figures
from fersnet.judge.fixed import SIDE, load_fixed_judge
from fersnet.judge.making import make_judge
from fersnet.judge.people import NOTHING, Portraits, person_seed, portraits
from fersnet.judge.record import FILE, RECORD, checked_sha256, read_record
from fersnet.judge.training import targets_of
from fersnet.project import CONFIG
from fersnet.settings.load import load_settings, read_config
from fersnet.settings.tree import Settings
from fersnet.training.batches import crop_and_flip

WRITERS = {"ckplus": ckplus, "oulu_casia": oulu_casia, "mmi": mmi, "bu4dfe": bu4dfe}


@pytest.fixture(scope="module")
def few() -> Portraits:
    """Three people whom the judge does not know."""
    return portraits("test", range(3))


def crops(faces: Portraits) -> torch.Tensor:
    return crop_and_flip(torch.from_numpy(faces.images)[:, None], SIDE, train=False)


def shipped_settings() -> Iterator[Settings]:
    for name in ("config", "smoke", "study", "paper"):
        files = [CONFIG / "config.yaml", CONFIG / f"{name}.yaml"]
        yield load_settings(read_config(files), files)


def test_no_person_of_a_run_is_among_the_judges_own() -> None:
    record = read_record()
    casts = {"training": record["people"], "measured": record["measured_on"]["people"]}
    own = {person_seed(cast, number) for cast, count in casts.items() for number in range(count)}
    assert len(own) == sum(casts.values()) and record["people"] >= 600
    people: set[int] = set()
    for settings in shipped_settings():
        for dataset in settings.datasets.values():
            for seed in (settings.seed, 0, 2, 3, 2026):
                people |= {one.take.person for one in WRITERS[dataset.reader].plan(dataset.embedded, seed)}
    assert len(people) > 500 and not people & own


def test_the_file_is_small_and_the_one_of_its_record() -> None:
    assert FILE.stat().st_size <= 2_000_000
    assert checked_sha256() == read_record()["sha256"]
    assert read_record()["command"].startswith("python -m fersnet.judge")


def test_the_figures_of_its_record_are_those_that_a_judge_must_have() -> None:
    found = read_record()["measured_on"]
    assert found["accuracy"] >= 92
    assert all(found[f"accuracy under {name}"] >= found["accuracy"] - 5 for name in CHANGES)
    assert all(found[f"confidence {name}"] <= 0.5 for name in (*BLINDING, "on noise"))


def test_it_reads_clear_faces_of_any_size_and_is_unsure_where_nothing_is_seen(few: Portraits) -> None:
    judge = load_fixed_judge(SEVEN, "cpu")
    shown = torch.from_numpy(few.labels) != NOTHING
    faces, labels = crops(few)[shown], torch.from_numpy(few.labels)[shown]
    found = figures(judge, faces, labels)
    assert found["accuracy"] > 75 and found["confidence"] > 0.7
    assert max(found[f"confidence {name}"] for name in (*BLINDING, "on noise")) < 0.5
    answer = judge(faces).argmax(dim=1)
    for side in (32, 96):
        resized = torch.nn.functional.interpolate(faces, size=side, mode="bilinear", antialias=True)
        assert (judge(resized).argmax(dim=1) == answer).float().mean() > 0.8
    assert torch.allclose(judge(faces.expand(-1, 3, -1, -1)), judge(faces), atol=1e-3)
    assert judge.features(faces).shape == (len(faces), 128)


def test_classes_that_a_dataset_does_not_have_are_left_out_in_proportion(few: Portraits) -> None:
    every, six = load_fixed_judge(SEVEN, "cpu")(crops(few)), load_fixed_judge(SIX, "cpu")(crops(few))
    kept = [SEVEN.index(expression) for expression in SIX]
    shares = every.softmax(dim=1)[:, kept]
    assert torch.allclose(six.softmax(dim=1), shares / shares.sum(dim=1, keepdim=True), atol=1e-6)
    with pytest.raises(UserError, match=r"does not know boredom .*take `fold`"):
        load_fixed_judge(("boredom", "fear"), "cpu")


def test_another_file_is_refused_in_one_line_that_names_it(tmp_path: Path) -> None:
    for source in (FILE, RECORD):
        shutil.copy(source, tmp_path)
    file = tmp_path / FILE.name
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    for use in (checked_sha256, lambda path: load_fixed_judge(SIX, "cpu", path)):
        with pytest.raises(UserError, match=r"judge\.pt: its SHA-256 is .*python -m fersnet\.judge") as error:
            use(file)
        assert "\n" not in str(error.value)
    file.unlink()
    with pytest.raises(UserError, match=r"judge\.pt: the fixed judge cannot be read"):
        checked_sha256(file)
    (tmp_path / RECORD.name).write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"judge\.json: not the record of a judge"):
        checked_sha256(file)


def test_the_command_makes_file_and_record_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = make_judge(tmp_path, people=1, epochs=1, measured_on=1)
    assert {path.name for path in tmp_path.iterdir()} == {FILE.name, RECORD.name}
    record = json.loads((tmp_path / RECORD.name).read_text(encoding="utf-8"))
    assert checked_sha256(file) == record["sha256"] and record["faces"] == 15
    assert record["measured_on"].keys() == read_record()["measured_on"].keys()
    assert load_fixed_judge(SIX, "cpu", file)(torch.zeros(2, 1, SIDE, SIDE)).shape == (2, 6)


def test_faces_that_show_nothing_have_an_even_target() -> None:
    targets = targets_of(torch.tensor([2, NOTHING]))
    assert torch.allclose(targets.sum(dim=1), torch.ones(2))
    assert targets[0].argmax() == 2 and targets[0, 2] > 0.9
    assert torch.allclose(targets[1], torch.full((7,), 1 / 7))


@pytest.mark.parametrize("change", [*CHANGES.values(), *BLINDING.values(), changed])
def test_a_change_leaves_an_image_an_image_and_its_original_alone(change) -> None:
    torch.manual_seed(3)
    images = torch.rand(8, 1, SIDE, SIDE)
    before = images.clone()
    after = change(images)
    assert torch.equal(images, before) and after.shape == before.shape
    assert after.min() >= 0 and after.max() <= 1 and not torch.equal(after, before)
    assert noise_images(9, SIDE).min() >= 0 and noise_images(9, SIDE).max() <= 1
