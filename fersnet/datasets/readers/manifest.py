"""A user's own data as a CSV manifest with a row per frame: `subject, expression, sequence_id, frame`."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from fersnet.datasets.labels import ACCEPTED, expression_named
from fersnet.datasets.readers.folder import APEX_RULES, apex_positions
from fersnet.datasets.sequences import IndexBuilder, SequenceIndex, check_peak_frames, choice, neutral_position
from fersnet.datasets.subjects import SubjectError, check_subjects, composed
from fersnet.datasets.walk import Tree, is_image, unread
from fersnet.errors import UserError
from fersnet.expressions import SIX
from fersnet.methods.contract import Reader

READER = Reader(
    name="a CSV manifest",
    classes=SIX,
)

COLUMNS = ("subject", "expression", "sequence_id", "frame")
_SYNONYMS = {"path": "frame", "sequence": "sequence_id"}
_YES, _NO = {"1", "true", "yes"}, {"", "0", "false", "no"}


@dataclass
class _Sequence:
    subject: str
    expression: str
    frames: list[str] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    contradicts: bool = False


def locate(root: Path, *, apex: str = "last", follow_links: bool = False) -> Path:
    """The manifest: `root` itself, or `manifest.csv` in it, after checking its columns and the subjects' names.

    Raises:
        UserError: if there is none, it cannot be read, columns are missing, the subjects are not named after people,
            or an option is wrong.
    """
    choice("apex", apex, APEX_RULES)
    path = Path(root) / "manifest.csv" if Path(root).is_dir() else Path(root)
    if not path.is_file():
        raise UserError(f"{path}: no such file; the manifest reader needs a CSV with the columns {', '.join(COLUMNS)}")
    subjects = {row["subject"] for _, row in _rows(path)} - {""}
    try:
        check_subjects(subjects)
    except SubjectError as error:
        raise SubjectError(f"{path}: {error}") from None
    return path


def read_index(root: Path, *, apex: str = "last", peak_frames: int = 3, follow_links: bool = False) -> SequenceIndex:
    """The sequences of a manifest; the order of its rows is the order of the frames. No image is opened.

    Frame paths are relative to the manifest's folder (absolute ones must lie inside it), and so are those in the index.
    An optional column `peak` (1 or 0) marks the peak frames; sequences without a mark follow the rule `apex` as in the
    `folder` reader. Rows that cannot be used are rejected one by one; a sequence id that stands for two subjects or
    expressions is rejected whole.

    Raises:
        UserError: if the manifest cannot be read, columns are missing, or an option is wrong.
    """
    check_peak_frames(peak_frames)
    rule = choice("apex", apex, APEX_RULES)
    path = locate(root, apex=apex, follow_links=follow_links)
    builder = IndexBuilder()
    tree = Tree(path.parent, lambda entry, reason: builder.reject("", entry, reason), follow_links)
    sequences: dict[str, _Sequence] = {}
    for number, row in _rows(path):
        _take(builder, tree, sequences, f"{path.name} line {number}", row)
    for sequence_id, sequence in sequences.items():
        if sequence.contradicts:
            builder.reject(sequence_id, "", "one id stands for two subjects or expressions")
            continue
        peaks = sequence.peaks or apex_positions(rule, len(sequence.frames), peak_frames)
        neutral = neutral_position(peaks)
        builder.add(sequence_id, sequence.subject, sequence.expression, sequence.frames, peaks, neutral)
    return builder.finish()


def watched_files(root: Path, *, apex: str = "last", follow_links: bool = False) -> list[Path]:
    """The manifest and, whether they are there or not, the pictures that it names and landmark files beside them.

    Nothing else in its folder counts, which may be anybody's.
    """
    path = Path(root) / "manifest.csv" if Path(root).is_dir() else Path(root)
    tree = Tree(path.parent, lambda entry, reason: None, follow_links)
    try:
        named = dict.fromkeys(_inside(tree, row["frame"]) for _, row in _rows(path))
    except UserError:  # told when it is read
        return [path]
    pictures = [path.parent / name for name in named]
    return [
        path,
        *pictures,
        *(picture.with_name(f"{picture.stem}_landmarks.txt") for picture in pictures if picture.name),
    ]


def _take(builder: IndexBuilder, tree: Tree, sequences: dict[str, _Sequence], place: str, row: dict[str, str]) -> None:
    sequence_id, subject = composed(row["sequence_id"]), composed(row["subject"])
    expression = expression_named(row["expression"])
    peak = row.get("peak", "").casefold()
    if not sequence_id or not subject:
        builder.reject(sequence_id, row["frame"] or place, f"{place}: subject or sequence_id is empty")
        return
    if expression is None:
        reason = f"{place}: expression {row['expression']!r} is not one of {ACCEPTED}"
        builder.reject(sequence_id, row["frame"], reason)
        return
    sequence = sequences.setdefault(sequence_id, _Sequence(subject, expression))
    if (sequence.subject, sequence.expression) != (subject, expression):
        sequence.contradicts = True
        return
    frame = _inside(tree, row["frame"])
    if not frame or not is_image(frame):
        reason = unread(frame) or "not an image file"
    elif frame in sequence.frames:
        reason = "frame is listed twice"
    elif peak not in _YES | _NO:
        reason = f"peak {row['peak']!r} is neither 1 nor 0"
    else:
        reason = tree.holds(frame)
    if reason is not None:
        builder.reject(sequence_id, row["frame"] or place, f"{place}: {reason}")
        return
    if peak in _YES:
        sequence.peaks.append(len(sequence.frames))
    sequence.frames.append(frame)


def _inside(tree: Tree, written: str) -> str:
    """The path relative to the manifest's folder, with forward slashes, as the disk spells it, where that can be
    said."""
    path = Path(written)
    if path.is_absolute() and "\0" not in written:
        for base in (tree.root.absolute(), tree.root.resolve()):
            if Path(composed(written)).is_relative_to(composed(str(base))):
                return tree.spelled(Path(*path.parts[len(base.parts) :]).as_posix())
    return tree.spelled(written)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of the manifest with their line numbers, cells stripped, by lower-case column name."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            delimiter = max(",;\t", key=first.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header = [_SYNONYMS.get(name, name) for name in (cell.strip().lower() for cell in next(reader, []))]
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise UserError(
                    f"{path}: column {missing[0]} is missing; the header must name {', '.join(COLUMNS)} "
                    f"(it reads {', '.join(header)[:100] or 'nothing'})"
                )
            return [
                (
                    reader.line_num,
                    dict(zip(header, [*(cell.strip() for cell in cells), *[""] * len(header)], strict=False)),
                )
                for cells in reader
                if any(cells)
            ]
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text; save the manifest as UTF-8 CSV") from error
    except csv.Error as error:
        raise UserError(f"{path}: not a readable CSV ({error}); check its quotes and line ends") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
