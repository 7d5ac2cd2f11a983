"""The stamp of data: another one whenever the data are others, and the same one whenever they are not."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fersnet.datasets import stamp
from fersnet.datasets.stamp import data_stamp, files_stamp, option_stamp
from fersnet.settings.data import DatasetSettings, FacesSettings
from fersnet.settings.training import IdentitySettings

LONG_AGO = 1_500_000_000


def age(*paths: Path) -> None:
    """Set times back, as those of files that have lain there for years."""
    for path in paths:
        os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def settled(monkeypatch):
    """As if the files had been written long before they are looked at."""
    monkeypatch.setattr(stamp, "SETTLED_SECONDS", -1e9)


@pytest.fixture
def tree(tmp_path, put_text):
    root = tmp_path / "tree"
    for subject in ("anna", "ben"):
        for number in range(2):
            put_text(root / subject / "fear" / f"{number}.png", f"{subject} {number}")
    return root


def folder_stamp(root: Path, memory: Path, **options) -> str:
    return data_stamp(DatasetSettings(reader="folder", root=str(root), options=options), memory)


def replace(tree: Path) -> None:
    """Another picture of the same size and time."""
    path = tree / "anna/fear/0.png"
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # the clock of a file system ticks slowly
        path.write_text("anna 9")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def swap(tree: Path) -> None:
    paths = [tree / "anna/fear/0.png", tree / "anna/fear/1.png"]
    age(*paths)
    paths[0].rename(tree / "between")
    paths[1].rename(paths[0])
    (tree / "between").rename(paths[1])


CHANGES = {
    "replaced": replace,
    "swapped": swap,
    "added": lambda tree: (tree / "anna/fear/2.png").write_text("x"),
    "removed": lambda tree: (tree / "anna/fear/0.png").unlink(),
    "renamed": lambda tree: (tree / "anna/fear/0.png").rename(tree / "anna/fear/5.png"),
    "emptied": lambda tree: (tree / "anna/fear/0.png").write_text(""),
    "another subject": lambda tree: shutil.copytree(tree / "anna", tree / "carl"),
    "an empty folder": lambda tree: (tree / "anna/anger").mkdir(),
    "an archive": lambda tree: (tree / "more.zip").write_text("x"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a1_every_change_of_a_tree_changes_its_stamp(tree, tmp_path, change):
    age(*tree.rglob("*.png"))
    before = folder_stamp(tree, tmp_path / "memory")
    CHANGES[change](tree)
    assert folder_stamp(tree, tmp_path / "memory") != before


def test_a1_a_touched_or_copied_tree_is_the_same_data(tree, tmp_path):
    before = folder_stamp(tree, tmp_path / "memory")
    age(*tree.rglob("*"))
    assert folder_stamp(tree, tmp_path / "memory") == before
    shutil.copytree(tree, tmp_path / "copy")
    assert folder_stamp(tmp_path / "copy", tmp_path / "memory") == before
    (tree / "anna/.DS_Store").write_text("what a file manager leaves behind")
    assert folder_stamp(tree, tmp_path / "memory") == before


FILES = st.dictionaries(
    st.sampled_from(["a/fear/1.png", "a/fear/2.png", "a/anger/1.png", "b/fear/1.png", "b/notes.txt"]),
    st.sampled_from([b"", b"x", b"y", b"longer"]),
    min_size=1,
)


@settings(max_examples=60)
@given(first=FILES, second=FILES)
def test_a1_stamps_are_equal_exactly_where_trees_are(tmp_path_factory, first, second):
    place = tmp_path_factory.mktemp("trees")
    stamps = []
    for number, files in enumerate((first, second)):
        root = place / str(number)
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
            age(root / name)
        stamps.append(folder_stamp(root, place / "memory"))
    assert (stamps[0] == stamps[1]) == (first == second)


def test_only_what_changed_is_read_again(tree, tmp_path, monkeypatch, settled):
    read: list[str] = []
    checksum = stamp._checksum
    monkeypatch.setattr(stamp, "_checksum", lambda file: read.append(file.name) or checksum(file))
    before = folder_stamp(tree, tmp_path / "memory")
    assert len(read) == 4
    folder_stamp(tree, tmp_path / "memory")
    assert len(read) == 4
    os.utime(tree / "ben/fear/1.png")
    assert folder_stamp(tree, tmp_path / "memory") == before and read[4:] == ["1.png"]


def test_a1_a_remembered_file_of_the_same_size_and_time_is_not_mistaken(tree, tmp_path, settled):
    age(*tree.rglob("*.png"))
    before = folder_stamp(tree, tmp_path / "memory")
    replace(tree)
    assert folder_stamp(tree, tmp_path / "memory") != before


def test_what_has_just_been_written_is_not_remembered(tree, tmp_path):
    folder_stamp(tree, tmp_path / "memory")
    assert not (tmp_path / "memory").exists()


def test_a_memory_that_is_broken_or_cannot_be_written_costs_time_only(tree, tmp_path, settled):
    before = folder_stamp(tree, tmp_path / "memory")
    next((tmp_path / "memory").iterdir()).write_text("{broken")
    assert folder_stamp(tree, tmp_path / "memory") == before
    (tmp_path / "file").write_text("")
    assert folder_stamp(tree, tmp_path / "file" / "memory") == before


def test_a1_files_behind_links_count_and_loops_end(tree, tmp_path):
    outside = tmp_path / "outside"
    shutil.copytree(tree / "anna", outside)
    (tree / "carl").symlink_to(outside)
    (tree / "ben/fear/up").symlink_to(tree)
    (tree / "ben/fear/2.png").symlink_to(outside / "fear/0.png")
    age(*outside.rglob("*.png"))
    plain = folder_stamp(tree, tmp_path / "memory")
    followed = folder_stamp(tree, tmp_path / "memory", follow_links=True)
    (outside / "fear/1.png").write_text("another")
    assert folder_stamp(tree, tmp_path / "memory") == plain, "nobody reads it"
    assert folder_stamp(tree, tmp_path / "memory", follow_links=True) != followed
    followed = folder_stamp(tree, tmp_path / "memory", follow_links=True)
    (outside / "fear/0.png").write_text("another")
    assert folder_stamp(tree, tmp_path / "memory", follow_links=True) != followed


@pytest.fixture
def manifest(tmp_path, put_text):
    """A manifest among files of other people's, and its stamp."""
    path = put_text(
        tmp_path / "home/list.csv",
        "subject,expression,sequence_id,frame\na,fear,s1,pictures/0.png\na,fear,s1,pictures/1.png\n",
    )
    put_text(tmp_path / "home/pictures/0.png", "0")
    put_text(tmp_path / "home/pictures/unnamed.png", "x")

    def take(root: Path = path) -> str:
        return data_stamp(DatasetSettings(reader="manifest", root=str(root)), tmp_path / "memory")

    return path, take


def test_a2_the_pictures_of_a_manifest_are_its_data(manifest):
    path, take = manifest
    pictures = path.parent / "pictures"
    stamps = [take()]
    for name, content in (("0.png", "another"), ("1.png", "added"), ("1_landmarks.txt", "1 2")):
        (pictures / name).write_text(content)
        stamps.append(take())
    (pictures / "0.png").unlink()
    stamps.append(take())
    path.write_text(path.read_text() + "b,fear,s2,pictures/unnamed.png\n")
    stamps.append(take())
    assert len(set(stamps)) == len(stamps)
    path.rename(path.with_name("manifest.csv"))
    stamps.append(take(path.parent))
    (pictures / "unnamed.png").write_text("another")
    assert take(path.parent) != stamps[-1]


def test_a2_what_a_manifest_does_not_name_is_not_its_data(manifest):
    path, take = manifest
    before = take()
    (path.parent / "pictures/unnamed.png").write_text("another")
    (path.parent / "letters").mkdir()
    assert take() == before


def test_a2_a_manifest_that_cannot_be_read_has_a_stamp_too(manifest):
    path, take = manifest
    path.write_bytes(b"\xff\xfe")
    before = take()
    path.write_text('subject,expression,sequence_id,frame\na,fear,s1,"x\n')
    assert take() != before


def test_files_of_the_users_may_be_missing(tmp_path, put_text):
    assert files_stamp([], tmp_path / "memory") == ""
    path = tmp_path / "chosen.csv"
    missing = files_stamp([path], tmp_path / "memory")
    put_text(path, "1")
    age(path)
    assert files_stamp([path], tmp_path / "memory") != missing
    there = files_stamp([path], tmp_path / "memory")
    path.write_text("2")
    age(path)
    assert files_stamp([path], tmp_path / "memory") != there, "older than any result, and still another file"


def test_a3_everybody_is_given_the_folder_that_a_tilde_means(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    dataset = DatasetSettings(reader="folder", root="~/own", options={"selection": "~/chosen.csv"})
    assert (dataset.root, dataset.options["selection"]) == (f"{tmp_path}/own", f"{tmp_path}/chosen.csv")
    assert DatasetSettings.model_validate_json('{"reader": "mmi", "root": "~"}').root == str(tmp_path)
    assert FacesSettings(model_folder="~/weights").model_folder == f"{tmp_path}/weights"
    assert IdentitySettings(checkpoint="~/net.pth").checkpoint == f"{tmp_path}/net.pth"


def test_a_file_that_an_option_names_counts_with_its_content(tmp_path: Path) -> None:
    selection = tmp_path / "chosen.csv"
    dataset = DatasetSettings(reader="mmi", options={"selection": str(selection)})
    stamps = {option_stamp(dataset, tmp_path / "memory")}
    for text in ("sequence\n1\n", "sequence\n2\n"):
        selection.write_text(text, encoding="utf-8")
        stamps.add(option_stamp(dataset, tmp_path / "memory"))
    assert len(stamps) == 3
    assert option_stamp(DatasetSettings(reader="mmi"), tmp_path / "memory") == ""
