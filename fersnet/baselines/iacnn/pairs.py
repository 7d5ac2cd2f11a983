"""The pairs of faces that IACNN learns from."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fersnet.training.batches import FaceSet


@dataclass(frozen=True)
class Pairs:
    """A batch of pairs; all tensors have one entry per pair."""

    anchors: Tensor
    """int64: positions among the training faces."""
    partners: Tensor
    """int64: likewise."""
    same_expression: Tensor
    """bool."""
    same_subject: Tensor
    """bool."""
    same_sequence: Tensor
    """bool: frames of one sequence, which share both."""

    def shares(self) -> dict[str, Tensor]:
        """How the batch divides into the four kinds of pair."""
        expression, subject = self.same_expression, self.same_subject
        kinds = {
            "pairs_same_expression": expression & ~subject,
            "pairs_same_subject": subject & ~expression,
            "pairs_same_both": expression & subject,
            "pairs_same_neither": ~(expression | subject),
        }
        return {name: chosen.float().mean() for name, chosen in kinds.items()}


class PairSampler:
    """Draws pairs of training faces from the torch global RNG of the CPU.

    Anchors are uniform over the classes that have a face. Half of the partners have the anchor's expression and another
    subject, half its subject and another expression. Where there is none, a partner differs in both; where there is
    none of these either, it is any other face, one that is no frame of the anchor's own sequence if possible.
    """

    def __init__(self, faces: FaceSet) -> None:
        """faces: the training faces, at least two."""
        self.labels, self.subjects = faces.labels.cpu(), faces.subjects.cpu()
        names = {name: position for position, name in enumerate(dict.fromkeys(faces.sequence_ids))}
        self.sequences = torch.tensor([names[name] for name in faces.sequence_ids])
        self.chances = 1.0 / torch.bincount(self.labels)[self.labels].double()

    def draw(self, count: int) -> Pairs:
        """So many pairs, on the CPU."""
        anchors = torch.multinomial(self.chances, count, replacement=True)
        expression = self.labels[anchors, None] == self.labels
        subject = self.subjects[anchors, None] == self.subjects
        sequence = self.sequences[anchors, None] == self.sequences
        itself = anchors[:, None] == torch.arange(len(self.labels))
        by_expression = torch.rand(count, 1) < 0.5
        wanted = torch.where(by_expression, expression & ~subject, subject & ~expression)
        # The better kind of partner counts more than any draw within a kind.
        rank = 3.0 * wanted + 2.0 * (~expression & ~subject) + 1.0 * ~sequence
        rank = rank.masked_fill(itself, -1.0)
        partners = (rank + 0.9 * torch.rand(rank.shape)).argmax(dim=1)
        rows = torch.arange(count)
        return Pairs(anchors, partners, expression[rows, partners], subject[rows, partners], sequence[rows, partners])
