"""Oulu-CASIA: image sequences from neutral to the apex, by spectrum and lighting.

The prefix of the tree varies, so it is found by its shape: a folder of subjects `P001` that is named after a lighting
and lies in a folder named after a spectrum, `VL/Strong/P001/Anger/000.jpeg`. The cropped set lies under `VL_Acropped`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from fersnet.datasets.image_folders import numbered_frames
from fersnet.datasets.labels import expression_named
from fersnet.datasets.sequences import (
    IndexBuilder,
    SequenceIndex,
    check_peak_frames,
    choice,
    last_positions,
    neutral_position,
)
from fersnet.datasets.walk import join, open_tree
from fersnet.errors import UserError
from fersnet.expressions import OULU_CASIA_FOLDERS, SIX
from fersnet.methods.contract import Reader, Reference, Terms

READER = Reader(
    name="Oulu-CASIA",
    classes=SIX,
    reference=Reference(
        authors="Zhao G., Huang X., Taini M., Li S. Z. and Pietikäinen M.",
        title="Facial Expression Recognition from Near-Infrared Videos",
        venue="Image and Vision Computing 29(9)",
        year=2011,
    ),
    terms=Terms(
        people="80 people of 23 to 58 years, 50 Finnish and 30 Chinese; 74 % men",
        known_bias="Posed after an example, three lights, from the front; few women, and two countries only",
        licence="Agreement with the owner, for research only; whether faces may be shown is a matter of your agreement",
        shown="by permission",
    ),
    rendered=True,
    subjects=80,
    sequences=dict.fromkeys(SIX, 80),
)

DEPTH = 6
SPECTRA = ("VL", "NI")
LIGHTS = ("Strong", "Weak", "Dark")
IMAGES = ("original", "cropped")
_SUBJECT = re.compile(r"P[0-9]{3}", re.IGNORECASE)
_SPECTRUM = re.compile(r"(VL|NI)(.*crop.*)?", re.IGNORECASE)


@dataclass(frozen=True)
class OuluCasiaTree:
    """The folder of subjects, relative to the root; `further` are second copies, which are not used."""

    subjects: str
    further: tuple[str, ...]


def locate(
    root: Path,
    *,
    spectrum: str = "VL",
    light: str = "Strong",
    images: str = "original",
    follow_links: bool = False,
) -> OuluCasiaTree:
    """Finds the folder of subjects for one spectrum and lighting, down to six levels below the root.

    Raises:
        UserError: if it is missing or an option is wrong; the message says what there is instead.
    """
    wanted = (choice("spectrum", spectrum, SPECTRA), choice("light", light, LIGHTS), choice("images", images, IMAGES))
    tree = open_tree(root, lambda path, reason: None, follow_links)
    base = Path(root).resolve()
    found: dict[tuple[str, str, str], list[str]] = {}
    for folder, listing in tree.below(DEPTH, stop=lambda name: _SUBJECT.fullmatch(name) is not None):
        if not any(_SUBJECT.fullmatch(name) for name in listing.folders):
            continue
        place = base / folder
        parent = _SPECTRUM.fullmatch(place.parent.name)
        lighting = place.name.capitalize()
        if parent is not None and lighting in LIGHTS:
            kind = "cropped" if parent[2] else "original"
            found.setdefault((parent[1].upper(), lighting, kind), []).append(folder)
    if wanted not in found:
        there = ", ".join(f"{a}/{b} ({c})" for a, b, c in sorted(found)) or "none at all"
        raise UserError(
            f"{root}: no Oulu-CASIA images for spectrum {wanted[0]}, light {wanted[1]}, images {wanted[2]}: looked "
            f"{DEPTH} levels deep for folders like {wanted[0]}/{wanted[1]}/P001/Anger; found {there}; set the options "
            "spectrum, light and images to what you have"
        )
    return OuluCasiaTree(found[wanted][0], tuple(found[wanted][1:]))


def read_index(
    root: Path,
    *,
    spectrum: str = "VL",
    light: str = "Strong",
    images: str = "original",
    peak_frames: int = 3,
    follow_links: bool = False,
) -> SequenceIndex:
    """The sequences of one spectrum and lighting of an Oulu-CASIA tree. No image is opened.

    Frames are sorted by their number. The apex is the last frame, so the peak frames are the last `peak_frames`; the
    first frame is neutral. Missing and empty sequences are noted.

    Raises:
        UserError: if the tree is not found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    where = locate(root, spectrum=spectrum, light=light, images=images, follow_links=follow_links)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    for folder in where.further:
        builder.reject("", folder, f"second copy of the tree; {where.subjects} is used")
    for subject in tree.listing(where.subjects).folders:
        folder = join(where.subjects, subject)
        if _SUBJECT.fullmatch(subject) is None:
            builder.reject("", folder, "not a subject folder")
            continue
        missing = set(OULU_CASIA_FOLDERS.values())
        for name in tree.listing(folder).folders:
            expression = expression_named(name)
            if expression not in OULU_CASIA_FOLDERS.values():
                builder.reject("", f"{folder}/{name}", "not an expression folder")
                continue
            missing.discard(expression)
            sequence_id = f"{subject.upper()}_{expression.capitalize()}"
            files = tree.listing(f"{folder}/{name}").files
            frames = numbered_frames(builder, sequence_id, f"{folder}/{name}", files)
            apex = last_positions(len(frames), peak_frames)
            builder.add(sequence_id, subject.upper(), expression, frames, apex, neutral_position(apex))
        for expression in sorted(missing):
            builder.reject(f"{subject.upper()}_{expression.capitalize()}", "", "sequence folder is missing")
    return builder.finish()
