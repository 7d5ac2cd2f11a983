"""CK+ as distributed: PNG sequences from neutral to the apex, with emotion, FACS and landmark files in trees beside."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fersnet.embedded.action_units import GRADES
from fersnet.embedded.casting import CKPLUS_COUNTS, CKPLUS_SUBJECTS, cast, n_frames, scaled_counts, spaced_numbers
from fersnet.embedded.files import write_image, write_litter, write_text
from fersnet.embedded.takes import Take, performance_of, render_take, rise
from fersnet.expressions import CKPLUS_CODES, SEVEN
from fersnet.seeds import derive_seed
from fersnet.settings.data import EmbeddedSettings

_CODES = {expression: code for code, expression in CKPLUS_CODES.items()}
_UNLABELLED_KINDS = ("no folder", "empty folder", "hidden files only")
_FAINT = 0.3


@dataclass(frozen=True)
class Recording:
    """A session of a subject. `label` is the expression, or one of the ways in which a session lacks a label."""

    subject: str
    session: str
    label: str
    colour: bool
    take: Take


def plan(settings: EmbeddedSettings, seed: int) -> list[Recording]:
    """All sessions: the labelled ones in the class proportions of the real set; with quirks, some without a label."""
    rng = np.random.default_rng(derive_seed(seed, "ckplus", "plan"))
    counts = scaled_counts(CKPLUS_COUNTS, CKPLUS_SUBJECTS, settings.subjects)
    shown = cast(counts, settings.subjects, rng, soloists=settings.quirks)
    labels: list[list[str]] = shown
    if settings.quirks:
        # The subject without any label goes into the middle of the list, so that sorting cannot hide a mistake.
        labels = [*shown[: len(shown) // 2], list(_UNLABELLED_KINDS[:2]), *shown[len(shown) // 2 :]]
        for position, kind in enumerate(_UNLABELLED_KINDS):
            sessions = labels[position * len(labels) // 3]
            sessions.insert(position % (len(sessions) + 1), kind)
    numbers = spaced_numbers(len(labels), 5, 5, 999, rng)
    recordings = []
    for position, (number, sessions) in enumerate(zip(numbers, labels, strict=True)):
        subject = f"S{number:03d}"
        person = derive_seed(seed, "ckplus", subject)
        colour = settings.quirks and position == len(labels) - 1
        for order, label in enumerate(sessions, start=1):
            session = f"{order:03d}"
            draw = np.random.default_rng(derive_seed(person, session))
            labelled = label in SEVEN
            amounts = rise(n_frames(settings.frames, draw) if labelled else settings.frames[0], draw)
            strength = float(draw.uniform(*settings.intensity)) if labelled else _FAINT
            expression = label if labelled else SEVEN[int(draw.integers(len(SEVEN)))]
            size = (settings.width, settings.height)
            take = Take(person, expression, derive_seed(person, session, "take"), strength, amounts, size)
            recordings.append(Recording(subject, session, label, colour, take))
    return recordings


def labelled(settings: EmbeddedSettings, seed: int) -> set[tuple[str, str]]:
    """Subject and expression of the sequences that the reader finds in the tree."""
    return {(one.subject, one.label) for one in plan(settings, seed) if one.label in SEVEN}


def record(root: Path, recording: Recording) -> None:
    """Renders a session and writes its frames, landmarks, FACS file and label."""
    place = Path(recording.subject) / recording.session
    stem = f"{recording.subject}_{recording.session}"
    renders = render_take(recording.take)
    for number, render in enumerate(renders, start=1):
        name = f"{stem}_{number:08d}"
        write_image(root / "cohn-kanade-images" / place / f"{name}.png", render.image, grey=not recording.colour)
        write_text(root / "Landmarks" / place / f"{name}_landmarks.txt", _rows(render.landmarks))
    last = f"{stem}_{len(renders):08d}"
    write_text(root / "FACS" / place / f"{last}_facs.txt", _rows(_facs(recording.take)))
    emotion = root / "Emotion" / place
    if recording.label in SEVEN:
        write_text(emotion / f"{last}_emotion.txt", _rows(np.array([[_CODES[recording.label]]])))
    elif recording.label != "no folder":
        emotion.mkdir(parents=True)
        if recording.label == "hidden files only":
            write_litter(emotion / ".DS_Store")


def finish(root: Path, settings: EmbeddedSettings, seed: int) -> None:
    """Adds what unpacking on another system leaves behind."""
    if settings.quirks:
        write_litter(root / "cohn-kanade-images" / ".DS_Store")
        write_litter(root / "__MACOSX" / "cohn-kanade-images" / "._S005")


def _facs(take: Take) -> np.ndarray:
    """Rows of action unit and intensity (1 to 5 for the grades A to E) at the apex; one-sided units count as shown."""
    strongest: dict[int, float] = {}
    for unit, strength in performance_of(take).action_units(1.0).items():
        number = int(str(unit).rstrip("LR"))
        strongest[number] = max(strongest.get(number, 0.0), strength)
    edges = [0.5 * (low + high) for low, high in zip([0.0, *GRADES.values()], GRADES.values(), strict=False)]
    rows = [(number, int(np.searchsorted(edges, strength))) for number, strength in sorted(strongest.items())]
    return np.array([row for row in rows if row[1] > 0], dtype=np.float64).reshape(-1, 2)


def _rows(values: np.ndarray) -> str:
    """Numbers in the notation of the distributed text files, one row a line."""
    return "".join("".join(f"   {value:.7e}" for value in row) + "\n" for row in np.asarray(values, dtype=np.float64))
