"""BU-4DFE as distributed: portrait JPEG frames with a mesh file each, rising to the apex and returning."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fersnet.embedded.casting import n_frames
from fersnet.embedded.files import write_image, write_text
from fersnet.embedded.takes import Take, render_take, rise_and_return
from fersnet.expressions import BU4DFE_FOLDERS
from fersnet.seeds import derive_seed
from fersnet.settings.data import EmbeddedSettings

_FEMALE_SHARE = 58 / 101
_SMALLEST_WITH_GAPS = 4


@dataclass(frozen=True)
class Recording:
    """A sequence of a subject."""

    subject: str
    folder: str
    take: Take


def subject_names(subjects: int) -> list[str]:
    """`F001…` and `M001…` in the proportion of the real set. The letter is a name, not a property of the face."""
    female = max(1, round(subjects * _FEMALE_SHARE))
    return [f"F{n:03d}" for n in range(1, female + 1)] + [f"M{n:03d}" for n in range(1, subjects - female + 1)]


def plan(settings: EmbeddedSettings, seed: int) -> list[Recording]:
    """Six sequences a subject; with quirks one pair is absent. The longer side of a frame is its height."""
    size = (min(settings.width, settings.height), max(settings.width, settings.height))
    names = subject_names(settings.subjects)
    recordings = []
    for subject in names:
        person = derive_seed(seed, "bu4dfe", subject)
        for folder, expression in BU4DFE_FOLDERS.items():
            if settings.quirks and len(names) >= _SMALLEST_WITH_GAPS and (subject, folder) == (names[1], "Sad"):
                continue
            draw = np.random.default_rng(derive_seed(person, folder))
            amounts = rise_and_return(n_frames(settings.frames, draw), draw)
            strength = float(draw.uniform(*settings.intensity))
            take = Take(person, expression, derive_seed(person, folder, "take"), strength, amounts, size)
            recordings.append(Recording(subject, folder, take))
    return recordings


def labelled(settings: EmbeddedSettings, seed: int) -> set[tuple[str, str]]:
    """Subject and expression of the sequences that the reader finds in the tree."""
    return {(one.subject, BU4DFE_FOLDERS[one.folder]) for one in plan(settings, seed)}


def record(root: Path, recording: Recording) -> None:
    """Renders a sequence and writes its frames, each with a VRML file that holds the 68 landmarks as points."""
    place = root / recording.subject / recording.folder
    for number, render in enumerate(render_take(recording.take)):
        write_image(place / f"{number:03d}.jpg", render.image)
        points = ", ".join(f"{x:.3f} {-y:.3f} 0" for x, y in render.landmarks)
        shape = f"Shape {{ geometry PointSet {{ coord Coordinate {{ point [ {points} ] }} }} }}"
        write_text(place / f"{number:03d}.wrl", f"#VRML V2.0 utf8\n{shape}\n")


def finish(root: Path, settings: EmbeddedSettings, seed: int) -> None:
    """Adds the viewer's folder, which lies beside the subjects."""
    if settings.quirks:
        write_text(root / "BU_WrlViewer_V2" / "readme.txt", "Viewer for the .wrl files.\r\n")
