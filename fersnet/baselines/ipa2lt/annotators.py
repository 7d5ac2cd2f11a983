"""Who labels which faces in IPA2LT: the people who labelled a set, and models that have learnt from some faces."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from fersnet.training.batches import FaceSet

PEOPLE = "people"
"""The annotator that stands for those who labelled the target set."""


@dataclass(frozen=True)
class Annotator:
    """One who labels faces; faces are positions, int64, among all that are trained on."""

    name: str
    own: Tensor
    """The faces from whose labels it is known which classes it uses, and on which its model is trained."""
    says_own: bool
    """Whether the labels of these count as its own, too."""
    asked: Tensor
    """The faces that its model labels, none of them its own; empty where it has no model."""

    def says(self, labels: Tensor, classes: int) -> Tensor:
        """bool (K,): the classes that it uses. labels: int64 (N,), those that people gave to all faces."""
        return torch.bincount(labels.cpu()[self.own], minlength=classes) > 0


def across_sets(counts: Mapping[str, int], here: int) -> list[Annotator]:
    """The people who labelled the target set, and a model of each other set, which labels all faces but its own.

    Args:
        counts: the number of faces of each other set, in the order in which they follow the target's.
        here: the number of the target's faces.
    """
    everyone, start = torch.arange(here + sum(counts.values())), here
    annotators = [Annotator(PEOPLE, everyone[:here], says_own=True, asked=everyone[:0])]
    for name, count in counts.items():
        own = everyone[start : start + count]
        others = torch.cat((everyone[:start], everyone[start + count :]))
        # Batch normalisation cannot learn from one face.
        annotators.append(Annotator(name, own, says_own=True, asked=others if count > 1 else everyone[:0]))
        start += count
    return [one for one in annotators if len(one.own)]


def within_set(faces: FaceSet, parts: int) -> list[Annotator]:
    """The people who labelled the set, and a model of each part of its subjects, which labels all other parts."""
    everyone, part = torch.arange(len(faces)), faces.subjects.cpu() % parts
    annotators = [Annotator(PEOPLE, everyone, says_own=True, asked=everyone[:0])]
    for number in range(parts):
        own, others = everyone[part == number], everyone[part != number]
        if len(own) > 1 and len(others):
            annotators.append(Annotator(f"part_{number + 1}", own, says_own=False, asked=others))
    return annotators
