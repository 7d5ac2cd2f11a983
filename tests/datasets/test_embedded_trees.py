"""Embedded trees: what the writers lay out is what the readers find, whatever the number of processes."""

import csv
import hashlib
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from fersnet.datasets.index import look_at, read_dataset
from fersnet.embedded.casting import (
    CKPLUS_COUNTS,
    CKPLUS_SUBJECTS,
    MMI_COUNTS,
    MMI_SUBJECTS,
    cast,
    scaled_counts,
    spaced_numbers,
)
from fersnet.embedded.takes import rise, rise_and_return
from fersnet.embedded.trees import write_tree
from fersnet.embedded.writers import bu4dfe, ckplus, mmi, oulu_casia
from fersnet.errors import UserError
from fersnet.expressions import MMI_CODES, SEVEN
from fersnet.methods.find import find_known
from fersnet.project import CONFIG
from fersnet.settings.data import DatasetSettings, EmbeddedSettings

WRITERS = {"ckplus": ckplus, "oulu_casia": oulu_casia, "mmi": mmi, "bu4dfe": bu4dfe}
TINY = EmbeddedSettings(subjects=4, frames=(6, 7), width=112, height=96)


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """A tree of two recordings a writer, and everything that belongs to no recording, per reader."""
    base = tmp_path_factory.mktemp("trees")
    for reader, writer in WRITERS.items():
        recordings = writer.plan(TINY, 5)
        for recording in _few(reader, recordings):
            writer.record(base / reader, recording)
        writer.finish(base / reader, TINY, 5)
    return base


def _few(reader, recordings):
    if reader == "mmi":
        setups = ("frontal", "rotated", "dual left", "profile")
        chosen = [next(item for item in recordings if item.setup == setup) for setup in setups]
        return [*chosen, *(item for item in recordings if item.code not in MMI_CODES)]
    if reader == "ckplus":
        return recordings[:3] + [item for item in recordings[3:] if item.label not in SEVEN]
    return recordings[:3]


@pytest.mark.parametrize("reader", WRITERS)
def test_readers_find_what_writers_wrote(trees, reader):
    settings = DatasetSettings(reader=reader)
    root = trees / reader
    assert look_at(settings, root) is None
    index = read_dataset(settings, root)
    planned = {_key(reader, item): item for item in _few(reader, WRITERS[reader].plan(TINY, 5))}
    for row in index.sequences.itertuples():
        take = planned[row.sequence_id].take
        assert (row.expression, row.n_frames) == (take.expression, len(take.amounts))
        assert np.mean([take.amounts[position] for position in row.apex]) > 0.8
        assert take.amounts[row.neutral] == 0
    assert {name for name in planned if _counts(reader, planned[name])} == set(index.sequences.sequence_id)


def _key(reader, item):
    if reader == "ckplus":
        return f"{item.subject}_{item.session}"
    return item.name if reader == "mmi" else f"{item.subject}_{item.folder}"


def _counts(reader, item):
    if reader == "mmi":
        return item.code in MMI_CODES and item.setup != "profile"
    return reader != "ckplus" or item.label in SEVEN


def test_ckplus_files_are_as_distributed(trees):
    root = trees / "ckplus"
    index = read_dataset(DatasetSettings(reader="ckplus"), root)
    frame = index.sequences.frames[0][-1]
    image = cv2.imread(str(root / frame), cv2.IMREAD_UNCHANGED)
    assert image.shape == (96, 112) and image.dtype == np.uint8
    stem = frame.removeprefix("cohn-kanade-images/").removesuffix(".png")
    landmarks = np.loadtxt(root / "Landmarks" / f"{stem}_landmarks.txt")
    assert landmarks.shape == (68, 2) and (landmarks.mean(axis=0) > 20).all()
    label = (root / "Emotion" / f"{stem}_emotion.txt").read_text()
    assert label.startswith("   ") and SEVEN[int(float(label)) - 1] == index.sequences.expression[0]
    facs = np.loadtxt(root / "FACS" / f"{stem}_facs.txt", ndmin=2)
    assert facs.shape[1] == 2 and set(facs[:, 1]) <= {1, 2, 3, 4, 5}
    reasons = set(index.rejected.reason)
    assert {"unlabelled: no label folder", "unlabelled: label folder is empty"} <= reasons


def test_other_trees_are_as_distributed(trees):
    oulu = cv2.imread(str(trees / "oulu_casia/B_OriginalImg/OriginalImg/VL/Strong/P001/Anger/000.jpeg"))
    infrared = trees / "oulu_casia/B_OriginalImg/OriginalImg/NI/Strong/P001/Anger/000.jpeg"
    assert oulu.shape == (96, 112, 3) and cv2.imread(str(infrared), cv2.IMREAD_UNCHANGED).ndim == 2
    portrait = cv2.imread(str(trees / "bu4dfe/F001/Angry/000.jpg"))
    assert portrait.shape == (112, 96, 3)
    assert (trees / "bu4dfe/F001/Angry/000.wrl").read_text().startswith("#VRML V2.0 utf8")
    index = read_dataset(DatasetSettings(reader="mmi"), trees / "mmi")
    assert Counter(index.sequences["view"]) == {"frontal": 2, "dual": 1}
    capture = cv2.VideoCapture(str(trees / "mmi" / index.sequences.frames[0][0].rpartition("#")[0]))
    assert capture.read()[1].shape == (96, 112, 3)
    assert set(index.rejected.reason) == {
        "profile view",
        "unlabelled: no emotion is given",
        "unlabelled: emotion code 8 is not among 1 to 6",
    }


def _digest(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_bytes_do_not_depend_on_the_workers(tmp_path):
    tiny = EmbeddedSettings(subjects=1, frames=(6, 6), width=96, height=96, quirks=False)
    write_tree("mmi", tmp_path / "one", tiny, seed=3, workers=1)
    write_tree("mmi", tmp_path / "two", tiny, seed=3, workers=2)
    first = _digest(tmp_path / "one")
    assert first == _digest(tmp_path / "two") and len(first) > 10
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}


def test_write_tree_refuses_what_it_cannot_do(tmp_path):
    with pytest.raises(UserError, match="no embedded faces"):
        write_tree("folder", tmp_path / "a", TINY, 1)
    with pytest.raises(UserError, match="more than the 900"):
        write_tree("ckplus", tmp_path / "a", EmbeddedSettings(subjects=901), 1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(UserError, match="already exists"):
        write_tree("ckplus", tmp_path / "full", TINY, 1)


@pytest.mark.parametrize("reader", WRITERS)
def test_plans_depend_on_the_seed_alone_and_people_differ(reader):
    settings = EmbeddedSettings()
    plan = WRITERS[reader].plan(settings, 1)
    assert plan == WRITERS[reader].plan(settings, 1)
    people = {item.take.person for item in plan}
    assert len(people) == settings.subjects + (reader == "ckplus")
    assert not people & {item.take.person for item in WRITERS[reader].plan(settings, 2)}
    others = {item.take.person for other in WRITERS if other != reader for item in WRITERS[other].plan(settings, 1)}
    assert not people & others
    assert all(0.45 <= item.take.intensity <= 1.05 for item in plan if getattr(item, "label", "anger") in SEVEN)


def test_class_imbalance_of_the_real_sets():
    full = EmbeddedSettings(subjects=118)
    shown = Counter(item.label for item in ckplus.plan(full, 1) if item.label in SEVEN)
    assert shown == CKPLUS_COUNTS
    videos = mmi.plan(EmbeddedSettings(subjects=31), 1)
    shown = Counter(MMI_CODES[item.code] for item in videos if item.code in MMI_CODES and item.setup != "profile")
    assert shown == MMI_COUNTS
    small = Counter(item.label for item in ckplus.plan(EmbeddedSettings(), 1) if item.label in SEVEN)
    assert small == scaled_counts(CKPLUS_COUNTS, CKPLUS_SUBJECTS, 20) and small["surprise"] > 4 * small["contempt"]
    for writer in (oulu_casia, bu4dfe):
        plain = writer.plan(EmbeddedSettings(quirks=False), 1)
        assert set(Counter(item.take.expression for item in plain).values()) == {20}


def test_reader_renderer_and_paper_count_the_same_sequences():
    """Three that must not import each other: what is planned, what is drawn, and what is quoted."""
    readers, drawn = find_known({}).readers, {"ckplus": CKPLUS_COUNTS, "mmi": MMI_COUNTS}
    with (CONFIG / "sequence_counts.csv").open(encoding="utf-8") as stream:
        quoted = {row.pop("dataset"): row for row in csv.DictReader(stream)}
    for key, row in quoted.items():
        declared = readers[key].declared
        assert sum(declared.sequences.values()) == int(row.pop("total"))
        assert declared.sequences == {name: int(count) for name, count in row.items() if count}
    assert {key: readers[key].declared.sequences for key in drawn} == drawn
    assert [readers[key].declared.subjects for key in drawn] == [CKPLUS_SUBJECTS, MMI_SUBJECTS]


def test_casting_gives_everybody_something_and_soloists_one_thing():
    counts = scaled_counts(CKPLUS_COUNTS, CKPLUS_SUBJECTS, 20)
    shown = cast(counts, 20, np.random.default_rng(0), soloists=True)
    assert Counter(name for expressions in shown for name in expressions) == counts
    assert min(map(len, shown)) == 1 and sum(len(expressions) == 1 for expressions in shown) >= 2
    assert all(len(set(expressions)) == len(expressions) for expressions in shown)
    assert len(set(map(len, shown))) > 2


def test_subject_numbers_have_gaps_and_stay_in_range():
    rng = np.random.default_rng(0)
    numbers = spaced_numbers(118, 5, 5, 999, rng)
    assert numbers[0] == 5 and len(set(numbers)) == 118 and max(numbers) <= 999 and max(np.diff(numbers)) > 1
    assert spaced_numbers(900, 5, 5, 999, rng) == list(range(5, 905))


@pytest.mark.parametrize("count", [6, 8, 12, 40])
def test_curves(count):
    for seed in range(20):
        up = rise(count, np.random.default_rng(seed))
        assert up[0] == 0 and up[-1] == 1 and np.all(np.diff(up) >= 0)
        assert np.mean(up[-3:]) > 0.8
        through = rise_and_return(count, np.random.default_rng(seed))
        middle = count // 2
        assert through[0] == 0 and max(through) > 0.95 and through[-1] < 0.05
        assert np.mean(through[middle - 1 : middle + 2]) > 0.8
