"""The `annotations` backend: landmarks that ship with a dataset, as in CK+."""

from pathlib import Path

import numpy as np

from fersnet.faces.images import Rejection, check_readable
from fersnet.faces.landmarks import POINTS, Fit, check_points

SEARCH_DEPTH = 3
"""How deep below the dataset's root a folder named `Landmarks` is looked for."""

MAXIMUM_BYTES = 65_536
"""A landmark file of 68 rows is far smaller."""


def find_landmark_folders(root: Path) -> tuple[Path, ...]:
    """Folders named `Landmarks`, in any case, at most `SEARCH_DEPTH` levels below the root or beside it.

    Beside it: a user may name the folder of the images themselves as the root. Links to folders are not followed
    below the first level, so that a loop ends.
    """
    found: list[Path] = []

    def visit(folder: Path, depth: int) -> None:
        for child in _folders_in(folder):
            if child.name.lower() == "landmarks":
                found.append(child)
            if depth < SEARCH_DEPTH and not child.name.startswith((".", "__")) and not child.is_symlink():
                visit(child, depth + 1)

    visit(root, 1)
    if root.parent != root:
        for sibling in _folders_in(root.parent):
            if sibling.name.lower() == "landmarks":
                found.append(sibling)
                visit(sibling, SEARCH_DEPTH)
    return tuple(dict.fromkeys(found))


def _folders_in(folder: Path) -> list[Path]:
    """Its folders, sorted; none if it may not be read, since landmarks can also lie elsewhere."""
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError:
        return []


def read_landmarks(path: Path) -> np.ndarray:
    """Read a landmark file: 68 rows `x y`. Returns float64 (68, 2).

    Raises:
        Rejection: if the file is missing, or holds anything else.
    """
    check_readable(path)
    if path.stat().st_size > MAXIMUM_BYTES:
        raise Rejection("landmark file is too large")
    try:
        lines = [line for line in path.read_text("ascii").splitlines() if line.strip()]
        rows = [[float(value) for value in line.split()] for line in lines]
    except (OSError, ValueError):
        raise Rejection("landmark file is not a table of numbers") from None
    if len(rows) != POINTS or any(len(row) != 2 for row in rows):
        raise Rejection("landmark file does not hold 68 points")
    return np.array(rows, dtype=np.float64)


class AnnotationsBackend:
    """Reads `<frame>_landmarks.txt`, from the frame's own folder or from a `Landmarks` tree in CK+'s layout.

    `quality` is 1: what ships with a dataset is taken as the truth. Implausible points are refused all the same.
    """

    searches = False

    def __init__(self, root: Path) -> None:
        self._folders = find_landmark_folders(root)

    def locate(self, image: np.ndarray, file: Path) -> Fit:
        """See `LandmarkBackend.locate`; the image only tells where its border is."""
        points = read_landmarks(self._find(file))
        check_points(points, image.shape[1], image.shape[0])
        return Fit(points.astype(np.float32), 1.0, "annotations")

    def _find(self, file: Path) -> Path:
        name = f"{file.stem}_landmarks.txt"
        session, subject = file.parent.name, file.parent.parent.name
        candidates = [file.parent / name]
        for folder in self._folders:
            candidates += [folder / subject / session / name, folder / session / name, folder / name]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        raise Rejection(f"no landmark file: {name}")
