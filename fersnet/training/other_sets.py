"""Faces of several datasets: those of other sets that a training may see, and all of them together."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import torch

from fersnet.training.batches import FaceSet, face_set, loose_faces

if TYPE_CHECKING:
    from fersnet.faces.store import FaceStore


def other_faces(store: "FaceStore", left_out: Collection[str], expressions: tuple[str, ...]) -> FaceSet:
    """Another set's peak faces of the given expressions; there may be none.

    left_out: who in it must not be trained on, since a fold tests or validates on them.
    """
    return face_set(store, set(store.table["subject"]) - set(left_out), expressions, may_be_empty=True)


def joined_sets(sets: Sequence[FaceSet]) -> FaceSet:
    """The faces of one or several datasets of the same classes, in their order.

    People and sequences of two datasets have nothing to do with each other, whatever they are called.
    """
    subjects, people = [], 0
    for faces in sets:
        subjects.append(faces.subjects + people)
        people += len(faces.subject_names)
    images, labels = torch.cat([faces.images for faces in sets]), torch.cat([faces.labels for faces in sets])
    return loose_faces(images, labels, torch.cat(subjects), sets[0].expressions)
