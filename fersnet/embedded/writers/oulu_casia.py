"""Oulu-CASIA as distributed: JPEG sequences from neutral to the apex, by spectrum and lighting."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fersnet.embedded.casting import n_frames
from fersnet.embedded.files import write_image, write_litter, write_text
from fersnet.embedded.takes import Take, render_take, rise
from fersnet.expressions import OULU_CASIA_FOLDERS
from fersnet.seeds import derive_seed
from fersnet.settings.data import EmbeddedSettings

PREFIX = "B_OriginalImg/OriginalImg"
_SMALLEST_WITH_GAPS = 4
_FURTHER = ("NI/Strong", "VL/Weak")
_EXPOSURE = {"VL/Strong": 1.0, "NI/Strong": 0.9, "VL/Weak": 0.45}


@dataclass(frozen=True)
class Recording:
    """A sequence; the numbers of its frames begin at `first`."""

    condition: str
    subject: str
    folder: str
    first: int
    take: Take


def plan(settings: EmbeddedSettings, seed: int) -> list[Recording]:
    """Six sequences a subject under VL/Strong; with quirks, one of them empty, one subject under NI and weak light."""
    recordings = []
    for number in range(1, settings.subjects + 1):
        subject = f"P{number:03d}"
        person = derive_seed(seed, "oulu_casia", subject)
        conditions = ("VL/Strong", *(_FURTHER if settings.quirks and number == 1 else ()))
        for folder, expression in OULU_CASIA_FOLDERS.items():
            if _is_empty(settings, number, folder):
                continue
            draw = np.random.default_rng(derive_seed(person, folder))
            amounts = rise(n_frames(settings.frames, draw), draw)
            strength = float(draw.uniform(*settings.intensity))
            size = (settings.width, settings.height)
            take = Take(person, expression, derive_seed(person, folder, "take"), strength, amounts, size)
            first = 1 if settings.quirks and number == settings.subjects else 0
            recordings += [Recording(condition, subject, folder, first, take) for condition in conditions]
    return recordings


def _is_empty(settings: EmbeddedSettings, number: int, folder: str) -> bool:
    return settings.quirks and number == settings.subjects >= _SMALLEST_WITH_GAPS and folder == "Fear"


def labelled(settings: EmbeddedSettings, seed: int) -> set[tuple[str, str]]:
    """Subject and expression of the sequences that the reader finds in the tree."""
    return {(one.subject, OULU_CASIA_FOLDERS[one.folder]) for one in plan(settings, seed)}


def record(root: Path, recording: Recording) -> None:
    """Renders a sequence and writes its frames; the near-infrared camera records grey."""
    place = root / PREFIX / recording.condition / recording.subject / recording.folder
    for number, render in enumerate(render_take(recording.take), start=recording.first):
        exposed = (render.image * np.float32(_EXPOSURE[recording.condition])).astype(np.uint8)
        write_image(place / f"{number:03d}.jpeg", exposed, grey=recording.condition.startswith("NI"))


def finish(root: Path, settings: EmbeddedSettings, seed: int) -> None:
    """Adds the empty sequence and what a file manager leaves behind."""
    if not settings.quirks:
        return
    base = root / PREFIX / "VL" / "Strong"
    write_litter(base / "P001" / "Anger" / "Thumbs.db")
    write_text(base / "readme.txt", "Sequences run from the neutral face to the apex.\r\n")
    for number in range(1, settings.subjects + 1):
        for folder in OULU_CASIA_FOLDERS:
            if _is_empty(settings, number, folder):
                (base / f"P{number:03d}" / folder).mkdir(parents=True)
