"""The guard through which folders are read."""

import os
import sys

import pytest

from fersnet.datasets.counts import commonest_reasons
from fersnet.datasets.readers import folder
from fersnet.datasets.walk import Tree, natural_key


@pytest.fixture
def watched(tmp_path):
    """A tree, and the list of what it reports."""
    reports: list[tuple[str, str]] = []
    root = tmp_path / "root"
    root.mkdir()
    return Tree(root, lambda path, reason: reports.append((path, reason))), reports


def test_litter_is_passed_over_in_silence(watched, put_text):
    tree, reports = watched
    for name in (".DS_Store", "Thumbs.db", "._a.png", "__MACOSX/a.png", "Desktop.ini", "kept.txt"):
        put_text(tree.root / name, "x")
    listing = tree.listing("")
    assert listing.files == ("kept.txt",) and listing.folders == () and reports == []


def test_c4_pictures_of_kinds_that_are_not_decoded_are_reported(tmp_path, put_picture, put_text):
    for suffix in (".jfif", ".jpe", ".gif", ".avif", ".jp2", ".JPG"):
        put_picture(tmp_path / f"anna/fear/read{suffix}")
    for name in ("a.heic", "b.HEIC", "c.dng"):
        put_picture(tmp_path / "anna/fear" / name)
    put_text(tmp_path / "anna/fear/notes.txt", "x")
    put_picture(tmp_path / "bert/fear/only.heic")
    index = folder.read_index(tmp_path)
    assert index.sequences.n_frames.tolist() == [6]
    told = index.rejected.set_index("frame").reason
    assert {"anna/fear/a.heic", "anna/fear/b.HEIC", "anna/fear/c.dng", "bert/fear/only.heic"} == set(told.index) - {""}
    assert "3 x pictures that end in .heic are not read" in commonest_reasons(index.rejected)


def test_links_that_loop_break_or_leave_are_reported(watched, tmp_path, put_picture):
    tree, reports = watched
    put_picture(tmp_path / "outside/a.png")
    put_picture(tree.root / "inside/a.png")
    (tree.root / "inside/up").symlink_to(tree.root)
    (tree.root / "inside/here").symlink_to(".")
    (tree.root / "inside/self").symlink_to("self")
    (tree.root / "inside/gone.png").symlink_to("nowhere.png")
    (tree.root / "inside/out").symlink_to(tmp_path / "outside")
    (tree.root / "inside/b.png").symlink_to("a.png")
    (tree.root / "alias").symlink_to("inside")
    assert tree.listing("inside").files == ("a.png", "b.png")
    assert tree.listing("inside").folders == ()
    assert tree.listing("").folders == ("alias", "inside")
    found = dict(reports)
    assert "loops" in found["inside/up"] and "loops" in found["inside/here"]
    assert "nowhere" in found["inside/self"] and "nowhere" in found["inside/gone.png"]
    assert "leaves the dataset folder" in found["inside/out"]


def test_a_loop_of_links_ends(tmp_path, put_picture):
    put_picture(tmp_path / "anna/fear/a.png")
    (tmp_path / "anna/fear/again").symlink_to(tmp_path / "anna")
    (tmp_path / "bert").symlink_to(tmp_path)
    index = folder.read_index(tmp_path)
    assert list(index.sequences.sequence_id) == ["anna/fear"]
    assert index.rejected.reason.str.contains("loops").sum() == 2


def test_root_may_be_a_link(tmp_path, put_picture):
    put_picture(tmp_path / "real/anna/fear/a.png")
    (tmp_path / "link").symlink_to("real")
    assert len(folder.read_index(tmp_path / "link").sequences) == 1


def test_special_files_and_vanished_folders(watched):
    tree, reports = watched
    os.mkfifo(tree.root / "pipe.png")
    assert tree.listing("").files == ()
    assert tree.listing("gone").files == ()
    assert [reason for _, reason in reports] == [
        "neither a regular file nor a folder",
        "folder vanished while it was read",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_names_that_are_not_text(watched, put_picture):
    tree, reports = watched
    put_picture(tree.root / os.fsdecode(b"bad\xff.png"))
    put_picture(tree.root / "gut.png")
    assert tree.listing("").files == ("gut.png",)
    assert reports == [("bad\\udcff.png", "file name is not valid UTF-8")]


def test_a_file_that_vanishes_while_its_folder_is_read(watched, put_picture, monkeypatch):
    tree, reports = watched
    put_picture(tree.root / "a.png")
    put_picture(tree.root / "b.png")
    plain = os.scandir

    class Vanishing:
        def __init__(self, folder):
            self.entries = list(plain(folder))
            (tree.root / "b.png").unlink(missing_ok=True)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *exception):
            return None

    monkeypatch.setattr(os, "scandir", Vanishing)
    assert tree.listing("").files == ("a.png",)
    assert [path for path, _ in reports] == ["b.png"]


def test_natural_order():
    names = ["10.png", "2.png", "a10", "a2", "B1", "1.png", "é3"]
    assert sorted(names, key=natural_key) == ["1.png", "2.png", "10.png", "a2", "a10", "B1", "é3"]
