"""MMI as its site hands it out: dated downloads with a folder per session, which holds a video and its XML files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from fersnet.embedded.casting import MMI_COUNTS, MMI_SUBJECTS, cast, n_frames, scaled_counts, spaced_numbers
from fersnet.embedded.files import write_litter, write_text
from fersnet.embedded.takes import Take, performance_of, profile_of, render_take, rise_and_return
from fersnet.expressions import MMI_CODES, SIX
from fersnet.seeds import derive_seed
from fersnet.settings.data import EmbeddedSettings

DOWNLOADS = (
    "mmi-facial-expression-database_download_2020-01-14_09_31_07",
    "mmi-facial-expression-database_download_2020-01-15_16_02_55",
)
FRAMES_PER_SECOND = 24.0
VIDEO_QUALITY = 95

Setup = Literal["frontal", "rotated", "dual left", "dual right", "profile"]
_SETUPS: tuple[Setup, ...] = ("frontal", "rotated", "dual left", "frontal", "dual right")
_VIEW_CODES: dict[Setup, int] = {"frontal": 0, "rotated": 0, "profile": 1, "dual left": 2, "dual right": 2}
_CODES = {expression: code for code, expression in MMI_CODES.items()}
_OTHER_STATE = 8
_APEX_SHARE = 0.9
_SEEN = 0.1


@dataclass(frozen=True)
class Recording:
    """A session: `code` is the emotion, None in sessions that show action units only; `coded` adds the AU timing."""

    download: str
    number: int
    name: str
    code: int | None
    setup: Setup
    coded: bool
    take: Take


def plan(settings: EmbeddedSettings, seed: int) -> list[Recording]:
    """All sessions: the labelled ones in the class proportions of the paper, and with quirks some that do not count."""
    rng = np.random.default_rng(derive_seed(seed, "mmi", "plan"))
    counts = scaled_counts(MMI_COUNTS, MMI_SUBJECTS, settings.subjects)
    shown = cast(counts, settings.subjects, rng, soloists=settings.quirks)
    numbers = spaced_numbers(settings.subjects, 1, 3, 999, rng)
    entries: list[tuple[str, str, int | None, Setup]] = []
    for position, (number, expressions) in enumerate(zip(numbers, shown, strict=True)):
        setup = _SETUPS[position % len(_SETUPS)]
        subject = f"S{number:03d}"
        entries += [(subject, expression, _CODES[expression], setup) for expression in expressions]
        if settings.quirks and position == 0:
            entries += [(subject, SIX[0], None, setup), (subject, SIX[4], _OTHER_STATE, setup)]
            entries += [(subject, SIX[3], _CODES[SIX[3]], "profile")]
    session = int(rng.integers(40, 400))
    takes: dict[str, int] = {}
    recordings = []
    for position, (subject, expression, code, setup) in enumerate(entries):
        takes[subject] = takes.get(subject, 0) + 1
        name = f"{subject}-{takes[subject]:03d}"
        person = derive_seed(seed, "mmi", subject)
        draw = np.random.default_rng(derive_seed(person, name))
        amounts = rise_and_return(n_frames(settings.frames, draw), draw)
        strength = float(draw.uniform(*settings.intensity))
        take_seed = derive_seed(person, name, "take")
        take = Take(person, expression, take_seed, strength, amounts, _size(settings, setup))
        session += int(rng.integers(1, 4))
        download = DOWNLOADS[int(settings.quirks and position >= len(entries) // 2)]
        recordings.append(Recording(download, session, name, code, setup, position % 3 == 0, take))
    return recordings


def _size(settings: EmbeddedSettings, setup: Setup) -> tuple[int, int]:
    """Size of the upright picture, so that every stored frame has the configured size (of even width for two views)."""
    if setup == "rotated":
        return settings.height, settings.width
    return (settings.width // 2 if setup.startswith("dual") else settings.width), settings.height


def labelled(settings: EmbeddedSettings, seed: int) -> set[tuple[str, str]]:
    """Subject and expression of the sequences that the reader finds in the tree."""
    seen = [one for one in plan(settings, seed) if one.code in MMI_CODES and one.setup != "profile"]
    return {(one.name.split("-")[0], MMI_CODES[one.code]) for one in seen if one.code is not None}


def record(root: Path, recording: Recording) -> None:
    """Renders a session and writes its video and XML files."""
    folder = root / recording.download / "Sessions" / str(recording.number)
    folder.mkdir(parents=True)
    _write_video(folder / f"{recording.name}.avi", _frames(recording))
    write_text(folder / f"{recording.name}.xml", _label(recording))
    timing = f"{recording.name}-oao_aucs.xml" if recording.coded else None
    write_text(folder / "session.xml", _session(recording, timing))
    if timing is not None:
        write_text(folder / timing, _timing(recording.take))


def finish(root: Path, settings: EmbeddedSettings, seed: int) -> None:
    """Adds a session of still images, which has no video, and what a file manager leaves behind."""
    if settings.quirks:
        sessions = root / DOWNLOADS[0] / "Sessions"
        write_litter(sessions / ".DS_Store")
        write_text(sessions / "9001" / "session.xml", _header('<Session sessionId="9001"></Session>'))


def _frames(recording: Recording) -> list[np.ndarray]:
    """The stored pictures, RGB uint8 (H, W, 3)."""
    take, setup = recording.take, recording.setup
    if setup == "profile":
        return profile_of(take)
    pictures = [render.image for render in render_take(take)]
    if setup == "rotated":
        return [cv2.rotate(picture, cv2.ROTATE_90_COUNTERCLOCKWISE) for picture in pictures]
    if setup.startswith("dual"):
        pairs = zip(pictures, profile_of(take), strict=True)
        return [np.hstack(pair if setup == "dual left" else pair[::-1]) for pair in pairs]
    return pictures


def _write_video(path: Path, pictures: list[np.ndarray]) -> None:
    """Motion-JPEG in AVI, written by OpenCV itself, so that the bytes do not depend on an FFmpeg build."""
    height, width = pictures[0].shape[:2]
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, code, FRAMES_PER_SECOND, (width, height))
    if not writer.isOpened():
        raise OSError(f"{path}: this OpenCV cannot write Motion-JPEG videos")
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, VIDEO_QUALITY)
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()


def _header(body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _label(recording: Recording) -> str:
    emotion = "" if recording.code is None else f'\n  <Metatag Name="Emotion" Value="{recording.code}"/>'
    tags = f'\n  <Metatag Name="Subject" Value="{recording.name[:4]}"/>{emotion}'
    return _header(f'<Recording Name="{recording.name}">{tags}\n</Recording>')


def _session(recording: Recording, timing: str | None) -> str:
    annotations = "".join(
        f'\n    <annotation filename="{name}"/>' for name in (f"{recording.name}.xml", timing) if name is not None
    )
    track = f'<track filename="{recording.name}.avi" type="Video" view="{_VIEW_CODES[recording.setup]}">{annotations}'
    subject = f'<subject id="{int(recording.name[1:4])}"/>'
    return _header(f'<session sessionId="{recording.number}">\n  {subject}\n  {track}\n  </track>\n</session>')


def _timing(take: Take) -> str:
    """The onset-apex-offset file: per action unit the 1-based frames at which neutral, onset, apex and offset begin."""
    amounts = np.array(take.amounts)
    performance = performance_of(take)
    peak = int(amounts.argmax())
    units: list[str] = []
    curves: dict[int, np.ndarray] = {}
    for unit in performance.strengths:
        curve = np.array([performance.action_units(float(amount))[unit] for amount in amounts])
        number = int(str(unit).rstrip("LR"))
        curves[number] = np.maximum(curves.get(number, 0.0), curve)
    for number, curve in sorted(curves.items()):
        if curve.max() < _SEEN:
            continue
        high = np.flatnonzero(curve >= _APEX_SHARE * curve.max())
        shown = np.flatnonzero(curve > 0)
        phases = [(1, 0), (int(shown[0]) + 1, 1), (int(high[0]) + 1, 2), (int(high[-1]) + 2, 3)]
        phases += [(int(shown[-1]) + 2, 0)] if shown[-1] > max(peak, high[-1]) else []
        marks = "".join(f'\n    <Marker Frame="{frame}" Type="{kind}"/>' for frame, kind in phases)
        units.append(f'\n  <ActionUnit Number="{number}">{marks}\n  </ActionUnit>')
    return _header(f"<ActionUnits>{''.join(units)}\n</ActionUnits>")
