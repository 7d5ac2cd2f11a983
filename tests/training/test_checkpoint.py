"""Checkpoints: equal bytes for equal contents, and no way to hurt through one."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from fersnet import __version__
from fersnet.errors import UserError
from fersnet.training import checkpoint as module
from fersnet.training.checkpoint import load_checkpoint, restore, save_checkpoint


def network(width: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "checkpoint.pt"
    save_checkpoint(path, {"network": network()}, {"width": 3, "names": ["ä"]})
    states, metadata = load_checkpoint(path)
    assert metadata == {"width": 3, "names": ["ä"], "version": __version__}
    other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    restore(other, states["network"], path)
    for key, value in network().state_dict().items():
        assert torch.equal(other.state_dict()[key], value)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]


def test_bytes_depend_on_the_contents_alone(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.pt", {"network": network()}, {"x": 1, "y": 2})
    view = {key: torch.stack([value, value])[1] for key, value in network().state_dict().items()}
    save_checkpoint(tmp_path / "another name.pt", {"network": view}, {"y": 2, "x": 1})
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from test_checkpoint import *\n"
        "save_checkpoint(Path(sys.argv[2]), {'net' + 'work': network()}, {'x': 1, 'y': 2})"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(module.__file__).parents[2])}
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path / "c.pt")]
    subprocess.run(command, check=True, env=environment)
    contents = {path.read_bytes() for path in tmp_path.iterdir()}
    assert len(contents) == 1


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return Path.touch, (self.mark,)


def test_hostile_pickles_are_not_executed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    torch.save({"networks": Hostile(mark)}, tmp_path / "zip.pt")
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(Hostile(mark)))
    for name in ("zip.pt", "raw.pt"):
        with pytest.raises(UserError, match=name):
            load_checkpoint(tmp_path / name)
    assert not mark.exists()


def test_truncation_at_any_place_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    # Torch reads a file below and above 64 KiB in two ways.
    save_checkpoint(path, {"network": network(), "large": nn.Linear(200, 200)}, {})
    whole = path.read_bytes()
    for length in [*range(0, 4000, 97), *range(4000, len(whole), 7919), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"checkpoint\.pt: truncated") as caught:
            load_checkpoint(path)
        assert "\n" not in str(caught.value)


def test_a_folder_in_the_place_of_a_file_is_called_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\); "):
        load_checkpoint(tmp_path)


@pytest.mark.filterwarnings("error")
def test_a_hostile_pickle_gets_no_second_line(tmp_path: Path) -> None:
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(Hostile(tmp_path / "executed"), protocol=4))
    with pytest.raises(UserError, match="more than tensors"):
        load_checkpoint(tmp_path / "raw.pt")


@pytest.mark.parametrize(
    "content",
    [
        torch.zeros(3),
        {"format": "other"},
        {"format": module.FORMAT},
        {"format": module.FORMAT, "networks": {"network": {"weight": 3}}, "metadata": "{}"},
        {"format": module.FORMAT, "networks": {}, "metadata": "{"},
        {"format": module.FORMAT, "networks": {}, "metadata": "[]"},
    ],
)
def test_foreign_files(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "foreign.pt")
    with pytest.raises(UserError, match=r"foreign\.pt"):
        load_checkpoint(tmp_path / "foreign.pt")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pt", tmp_path):
        with pytest.raises(UserError, match=str(path)):
            load_checkpoint(path)


def test_another_width_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"0\.weight is \(3, 2\) in the file and \(4, 2\) here"):
        restore(network(4), network(3).state_dict(), "checkpoint.pt")
    with pytest.raises(UserError, match=r"extra is \(1,\) in the file and nothing here"):
        restore(network(), network().state_dict() | {"extra": torch.zeros(1)}, "checkpoint.pt")


def test_a_failed_write_leaves_what_stood_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"network": network()}, {})
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        save_checkpoint(path, {"network": network(5)}, {})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
