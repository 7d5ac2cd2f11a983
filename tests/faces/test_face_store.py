"""The face store: contents, identical bytes, resume, bad frames and bad stores."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fersnet.embedded.files import write_image
from fersnet.errors import UserError
from fersnet.faces import parts, store
from fersnet.faces.alignment import align, transform_points
from fersnet.faces.images import read_image, to_grey
from fersnet.faces.store import COLUMNS, build_store, open_store
from fersnet.settings.data import FacesSettings

FILES = ("faces.npy", "faces.parquet", "landmarks.npy", "rejected.csv")
SETTINGS = FacesSettings(size=48, peak_frames=2, clip_frames=4)


def contents(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in FILES]


@pytest.fixture(scope="module")
def built(small_dataset, tmp_path_factory):
    root, index = small_dataset
    folder = tmp_path_factory.mktemp("built")
    build_store(index, root, folder, SETTINGS, "dlib", 1)
    return folder


def test_the_store_holds_what_the_index_asks_for(built):
    faces = open_store(built)
    assert sorted(path.name for path in built.iterdir()) == sorted(FILES)
    assert isinstance(faces.images, np.memmap)
    assert faces.images.shape == (4 * 7, 48, 48, 1) and faces.images.dtype == np.uint8
    assert faces.landmarks.shape == (28, 68, 2) and faces.landmarks.dtype == np.float32
    assert list(faces.table.columns) == list(COLUMNS)
    order = list(zip(faces.table["sequence_id"], faces.table["role"], faces.table["frame"], strict=True))
    assert order == sorted(order)
    one = faces.table[faces.table["sequence_id"] == "005_anger"]
    assert one["role"].tolist() == ["clip"] * 4 + ["neutral"] + ["peak"] * 2
    assert one["frame"].tolist() == [0, 2, 3, 5, 0, 4, 5]
    assert set(faces.table["subject"]) == {"005", "Zoë"}
    assert faces.table["quality"].between(0.5, 1).all() and set(faces.table["detector"]) == {"dlib"}
    assert (built / "rejected.csv").read_text() == "sequence_id,frame,reason\n"


def test_a_neutral_sequence_that_is_no_class_and_a_black_picture(small_dataset, tmp_path):
    root, index = small_dataset
    rows = index.iloc[:2].copy()
    rows.at[0, "expression"], rows.at[0, "apex"], rows.at[0, "neutral"] = "neutral", [], 2
    write_image(root / "black.png", np.full((64, 64, 3), 1, np.uint8))
    rows.at[1, "frames"] = [*rows.at[1, "frames"][:5], "black.png"]
    build_store(rows, root, tmp_path, SETTINGS, "dlib", 1)
    (root / "black.png").unlink()
    table = open_store(tmp_path).table
    neutral = table[table["expression"] == "neutral"]
    assert neutral[["role", "frame"]].to_numpy().tolist() == [["neutral", 2]]
    assert (tmp_path / "rejected.csv").read_text().splitlines()[1:] == ["005_happiness,5,picture is black"]


def test_source_and_matrix_reproduce_every_face(built, small_dataset):
    root, _ = small_dataset
    faces = open_store(built)
    for row, record in enumerate(faces.table.to_dict("records")):
        matrix = np.array(record["matrix"]).reshape(2, 3)
        again = align(to_grey(read_image(root / record["source"])), matrix, 48)
        assert np.array_equal(again, faces.images[row, ..., 0])


def test_landmarks_are_in_the_pixels_of_the_face(built):
    faces = open_store(built)
    assert (faces.landmarks.min(axis=(1, 2)) > 0).all() and (faces.landmarks.max(axis=(1, 2)) < 48).all()
    # The pupils are darker than the cheeks halfway to the mouth.
    for image, points in zip(faces.images[..., 0].astype(float), faces.landmarks, strict=True):
        eye, mouth = points[36:42].mean(axis=0), points[48]
        cheek = (eye + mouth) / 2
        assert image[round(eye[1]), round(eye[0])] < image[round(cheek[1]), round(cheek[0])]


def test_workers_do_not_change_a_byte(built, small_dataset, tmp_path):
    root, index = small_dataset
    build_store(index.iloc[::-1], root, tmp_path, SETTINGS, "dlib", 2)
    assert contents(tmp_path) == contents(built)


def test_parallel_from_a_script_without_a_main_guard(built, small_dataset, tmp_path):
    root, index = small_dataset
    index.to_parquet(tmp_path / "index.parquet")
    script = tmp_path / "script.py"
    script.write_text(
        "import pandas as pd\nfrom pathlib import Path\nfrom fersnet.faces.store import build_store\n"
        "from fersnet.settings.data import FacesSettings\n"
        f"index = pd.read_parquet({str(tmp_path / 'index.parquet')!r})\n"
        f"build_store(index, Path({str(root)!r}), Path({str(tmp_path / 'out')!r}), "
        "FacesSettings(size=48, peak_frames=2, clip_frames=4), 'dlib', 2)\n"
    )
    repository = Path(__file__).parents[2]
    # The rest of the environment may name the processor's kernels, on which last bits depend.
    environment = os.environ | {"PYTHONPATH": str(repository)}
    done = subprocess.run([sys.executable, script], cwd=repository, env=environment, check=False)
    assert done.returncode == 0
    assert contents(tmp_path / "out") == contents(built)


def test_an_interrupted_build_goes_on_with_the_next_sequence(built, small_dataset, tmp_path, monkeypatch):
    root, index = small_dataset
    real, seen = parts.align_sequence, []

    def failing(sequence, *arguments):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(sequence["sequence_id"])
        return real(sequence, *arguments)

    monkeypatch.setattr(parts, "align_sequence", failing)
    with pytest.raises(KeyboardInterrupt):
        build_store(index, root, tmp_path, SETTINGS, "dlib", 1)
    assert not any((tmp_path / name).exists() for name in FILES)
    resumed = []

    def counting(sequence, *arguments):
        resumed.append(sequence["sequence_id"])
        return real(sequence, *arguments)

    monkeypatch.setattr(parts, "align_sequence", counting)
    build_store(index, root, tmp_path, SETTINGS, "dlib", 1)
    assert len(seen) == 2 and sorted(seen + resumed) == sorted(index["sequence_id"])
    assert contents(tmp_path) == contents(built)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_a_part_of_other_settings_is_not_taken_up(small_dataset, tmp_path):
    root, index = small_dataset
    record = store._records(index)[0]
    keys = set()
    for settings, backend in [
        (SETTINGS, "dlib"),
        (FacesSettings(size=64, peak_frames=2, clip_frames=4), "dlib"),
        (FacesSettings(size=48, peak_frames=2, clip_frames=4, lighting="clahe"), "dlib"),
        (SETTINGS, "annotations"),
    ]:
        keys.add(parts.part_key(record, parts.PartJob(root, tmp_path, settings, backend, "cpu")))
    assert len(keys) == 4
    # The limit of rejections decides about the job, not about the faces.
    lenient = FacesSettings(size=48, peak_frames=2, clip_frames=4, maximum_rejected=1.0)
    assert parts.part_key(record, parts.PartJob(root, tmp_path, lenient, "dlib", "cpu")) in keys


def test_a1_a_part_of_other_landmark_files_is_not_taken_up(small_dataset, tmp_path):
    root, index = small_dataset
    record = store._records(index)[0]
    jobs = [parts.PartJob(root, tmp_path, SETTINGS, "annotations", "cpu", stamp) for stamp in ("", "one", "another")]
    assert len({parts.part_key(record, job) for job in jobs}) == 3


def test_frames_shared_by_roles_are_read_once(small_dataset, tmp_path, monkeypatch):
    from fersnet.faces.dlib_backend import DlibBackend

    root, index = small_dataset
    calls = []
    real = DlibBackend.locate
    monkeypatch.setattr(DlibBackend, "locate", lambda self, image, file: calls.append(file) or real(self, image, file))
    build_store(index.iloc[:1], root, tmp_path, SETTINGS, "dlib", 1)
    assert len(calls) == len(set(calls)) == 5


def test_a_manifest_stands_for_its_folder(small_dataset, tmp_path):
    root, index = small_dataset
    manifest = root / "manifest.csv"
    manifest.touch()
    build_store(index.iloc[:1], manifest, tmp_path, FacesSettings(size=32, peak_frames=1, clip_frames=2), "dlib", 1)
    assert len(open_store(tmp_path).table) == 4


def test_colour(small_dataset, tmp_path):
    root, index = small_dataset
    settings = FacesSettings(size=32, peak_frames=1, clip_frames=2, channels=3)
    build_store(index.iloc[:1], root, tmp_path, settings, "dlib", 1)
    images = open_store(tmp_path).images
    assert images.shape == (4, 32, 32, 3) and images[..., 0].mean() > images[..., 2].mean()


def test_one_bad_frame_costs_one_frame(small_dataset, tmp_path):
    root, index = small_dataset
    index = index.iloc[:2].copy()
    index.at[0, "frames"] = [*index["frames"][0][:4], "005/anger/none.png", index["frames"][0][5]]
    noted = pd.DataFrame([("S9", "a.png", "unlabelled: no emotion file")], columns=["sequence_id", "frame", "reason"])
    build_store(index, root, tmp_path, SETTINGS, "dlib", 1, index_rejected=noted)
    table = open_store(tmp_path).table
    one = table[table["sequence_id"] == "005_anger"]
    assert one["frame"].tolist() == [0, 2, 3, 5, 0, 5]
    assert (tmp_path / "rejected.csv").read_text().splitlines() == [
        "sequence_id,frame,reason",
        "S9,a.png,unlabelled: no emotion file",
        "005_anger,4,file is missing",
    ]


def test_too_many_bad_frames_cost_the_job_and_name_the_reasons(small_dataset, tmp_path):
    root, index = small_dataset
    index = index.copy()
    for row in (0, 1):
        index.at[row, "frames"] = [f"none/{frame}.png" for frame in range(6)]
    with pytest.raises(UserError) as caught:
        build_store(index, root, tmp_path, SETTINGS, "dlib", 1)
    text = str(caught.value)
    assert "10 of 20 frames" in text and "faces.maximum_rejected = 0.2" in text and "file is missing (10)" in text
    assert "\n" not in text and not (tmp_path / "faces.npy").exists()
    lenient = FacesSettings(size=48, peak_frames=2, clip_frames=4, maximum_rejected=0.6)
    build_store(index, root, tmp_path, lenient, "dlib", 1)
    assert set(open_store(tmp_path).table["sequence_id"]) == set(index["sequence_id"][2:])
    assert "sequence left out: no peak frame is usable" in (tmp_path / "rejected.csv").read_text()


def test_all_frames_bad_is_never_a_store(small_dataset, tmp_path):
    root, index = small_dataset
    index = index.iloc[:1].copy()
    index.at[0, "frames"] = [f"none/{frame}.png" for frame in range(6)]
    with pytest.raises(UserError, match="5 of 5 frames are unusable"):
        build_store(index, root, tmp_path, FacesSettings(maximum_rejected=1.0, clip_frames=4), "dlib", 1)


def test_bad_index(small_dataset, tmp_path):
    root, index = small_dataset
    with pytest.raises(UserError, match="no labelled sequence"):
        build_store(index.iloc[:0], root, tmp_path, SETTINGS, "dlib", 1)
    with pytest.raises(UserError, match="two sequences with the id 005_anger"):
        build_store(pd.concat([index, index.iloc[:1]]), root, tmp_path, SETTINGS, "dlib", 1)
    outside = index.iloc[:1].copy()
    outside.at[0, "apex"] = [99]
    with pytest.raises(UserError, match="sequence 005_anger: apex"):
        build_store(outside, root, tmp_path, SETTINGS, "dlib", 1)


def test_rotated_and_dual_view_videos(photograph, video_writer, tmp_path):
    moved = [np.roll(photograph, shift, axis=1) for shift in range(4)]
    video_writer(tmp_path / "turned.avi", [np.rot90(frame) for frame in moved])
    video_writer(tmp_path / "dual.avi", [np.concatenate([np.full_like(frame, 90), frame], axis=1) for frame in moved])
    columns = ["sequence_id", "subject", "expression", "n_frames", "frames", "apex", "neutral", "view"]
    rows = [
        (name, "S1", "fear", 4, [f"{name}.avi#{number}" for number in range(4)], [2, 3], 0, view)
        for name, view in [("turned", "frontal"), ("dual", "dual")]
    ]
    build_store(pd.DataFrame(rows, columns=columns), tmp_path, tmp_path / "out", SETTINGS, "dlib", 1)
    faces = open_store(tmp_path / "out")
    assert faces.table.groupby("sequence_id")["detector"].unique().map(list).to_dict() == {
        "dual": ["dlib, right half"],
        "turned": ["dlib, rotated 90 degrees clockwise"],
    }
    # Both show the same upright face.
    dual, turned = (
        faces.images[int(rows[0])].astype(int) for rows in faces.table.groupby("sequence_id").indices.values()
    )
    assert np.abs(dual - turned).mean() < 8
    # The matrix leads back into the whole frame.
    row = int(np.flatnonzero(faces.table["sequence_id"] == "dual")[0])
    matrix = np.array(faces.table["matrix"][row]).reshape(2, 3)
    right_side = transform_points(matrix, np.array([[260.0 + 103, 101]]))
    assert 0 < right_side[0, 0] < 48


def test_damaged_stores_are_named(built, tmp_path):
    with pytest.raises(UserError, match=r"faces\.npy: missing"):
        open_store(tmp_path)
    for name in FILES:
        (tmp_path / name).write_bytes((built / name).read_bytes())
    open_store(tmp_path)
    (tmp_path / "faces.npy").write_bytes((built / "faces.npy").read_bytes()[:5000])
    with pytest.raises(UserError, match="damaged"):
        open_store(tmp_path)
    np.save(tmp_path / "faces.npy", np.array([{"hostile": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="damaged"):
        open_store(tmp_path)
    np.save(tmp_path / "faces.npy", np.zeros((3, 48, 48, 1), dtype=np.uint8))
    with pytest.raises(UserError, match="do not fit"):
        open_store(tmp_path)
