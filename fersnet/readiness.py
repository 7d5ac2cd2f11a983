"""Before any job: is everything there that the settings name, as far as a look can tell, without loading PyTorch?"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from fersnet.claims import claim_problems, read_claims
from fersnet.datasets import presence
from fersnet.embedded.limits import check_subjects
from fersnet.errors import UserError
from fersnet.faces.consent import publishable_subjects, shown_of
from fersnet.judge.record import checked_sha256
from fersnet.project import named_file
from fersnet.settings.training import IdentitySettings
from fersnet.settings.tree import Settings

TORCH_FILES = (b"PK\x03\x04", b"\x80")
"""How the files begin that PyTorch writes: archives today, pickles once."""


def check_ready(settings: Settings) -> None:
    """Look whether all is there that the jobs of a run need.

    Raises:
        UserError: with a line for everything that is not: which key, and what is wrong with it.
    """
    problems = [
        *presence.find_problems(settings),
        *_embedded_problems(settings),
        *_landmark_problems(settings),
        *_identity_problems(settings.identity),
        *_judge_problems(settings),
        *_consent_problems(settings),
        *_claim_problems(settings),
    ]
    if problems:
        raise UserError("\n".join(problems))


def _embedded_problems(settings: Settings) -> Iterator[str]:
    for key, dataset in settings.datasets.items():
        if dataset.root is None:
            try:
                check_subjects(dataset.reader, dataset.embedded)
            except UserError as error:
                yield f"datasets.{key}.{error}"


def _landmark_problems(settings: Settings) -> Iterator[str]:
    backends = {key: dataset.landmarks or settings.faces.backend for key, dataset in settings.datasets.items()}
    if "face_alignment" in backends.values() and settings.faces.model_folder is not None:
        from fersnet.faces.face_alignment_backend import missing_weights

        missing = missing_weights(Path(settings.faces.model_folder))
        if missing:
            yield missing
    for key, dataset in settings.datasets.items():
        # Of the four trees, CK+ alone ships with landmarks, and so does the rendered one.
        if dataset.root is None and dataset.reader != "ckplus" and backends[key] == "annotations":
            yield f"datasets.{key}.landmarks: rendered {dataset.reader} faces have no annotations; take dlib for them"


def _identity_problems(settings: IdentitySettings) -> Iterator[str]:
    if settings.checkpoint is None:
        return
    path = Path(settings.checkpoint)
    way_out = "name the file of the public LightCNN-9, or null to train the identity network"
    try:
        with path.open("rb") as file:
            begins = file.read(4)
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest() if settings.checkpoint_sha256 else None
    except OSError as error:
        yield f"identity.checkpoint: {path}: cannot be read ({error.strerror}); {way_out}"
        return
    if not begins.startswith(TORCH_FILES):
        yield f"identity.checkpoint: {path}: not a file that PyTorch wrote; {way_out}"
    elif found is not None and found != (settings.checkpoint_sha256 or "").lower():
        yield f"identity.checkpoint: {path}: its SHA-256 is {found}, not identity.checkpoint_sha256; get the file again"


def _judge_problems(settings: Settings) -> Iterator[str]:
    if any(settings.judge_of(key) == "fixed" for key in settings.synthesis.datasets):
        try:
            checked_sha256()
        except UserError as error:
            yield str(error)


def _consent_problems(settings: Settings) -> Iterator[str]:
    for key, chosen in settings.report.chosen_subjects.items():
        shown = shown_of(key, settings)
        allowed = publishable_subjects(chosen, shown, settings.report.ckplus_consent)
        reason = "report.ckplus_consent does not name this subject"
        if shown == "by permission":
            reason = "the terms of the set leave that to its owner; where you have been permitted, say report.permitted"
        for subject in chosen:
            if subject not in allowed:
                yield f"report.chosen_subjects.{key}: {subject!r} may not be shown, since {reason}"


def _claim_problems(settings: Settings) -> Iterator[str]:
    path = named_file("config/claims.csv")
    try:
        yield from claim_problems(read_claims(path), path, settings)
    except UserError as error:
        yield str(error)
