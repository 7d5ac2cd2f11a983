"""The pairs that DeRL's generator learns from: a face, and a neutral face of the same subject."""

import torch
from torch import Tensor

from fersnet.errors import UserError
from fersnet.training.batches import FaceSet


class NeutralPairs:
    """Draws the neutral faces of faces, from the torch global RNG of the CPU.

    A face that has a neutral one of its own sequence gets this, any other one of its subject's; a neutral face itself
    belongs to its own sequence, so that the generator leaves it as it is.
    """

    def __init__(self, faces: FaceSet, neutral: FaceSet) -> None:
        """Only those neutral faces are taken whose subject has one of the faces.

        Args:
            faces: the training faces.
            neutral: neutral faces of their subjects.

        Raises:
            UserError: where none of the faces has a neutral one of its subject.
        """
        number = {name: place for place, name in enumerate(faces.subject_names)}
        own = torch.tensor([number.get(name, -1) for name in neutral.subject_names], dtype=torch.int64)
        self.neutral = neutral.select(own[neutral.subjects.cpu()] >= 0)
        self.neutral_subjects = own[self.neutral.subjects.cpu()]
        subjects = torch.cat((faces.subjects.cpu(), self.neutral_subjects))
        with_neutral = (subjects[:, None] == self.neutral_subjects).any(dim=1)
        self.inputs = with_neutral.nonzero().squeeze(1)
        """int64: positions among the faces and, behind them, the neutral ones."""
        if not bool(with_neutral[: len(faces)].any()):
            raise UserError(NO_NEUTRAL)
        names = (*faces.sequence_ids, *self.neutral.sequence_ids)
        sequence = {name: place for place, name in enumerate(dict.fromkeys(names))}
        self.sequences, self.subjects = torch.tensor([sequence[name] for name in names]), subjects
        self.neutral_sequences = self.sequences[len(faces) :]

    def __len__(self) -> int:
        return len(self.inputs)

    def draw(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs int64 (B,), as positions among faces and neutral faces, and their targets among the neutral ones.

        indices: int64 (B,), out of the number of pairs.
        """
        inputs = self.inputs[indices]
        subject = self.subjects[inputs, None] == self.neutral_subjects
        sequence = self.sequences[inputs, None] == self.neutral_sequences
        # The better kind of target counts more than any draw within a kind.
        rank = 1.0 * subject + 1.0 * (subject & sequence) + 0.9 * torch.rand(subject.shape)
        return inputs, rank.argmax(dim=1)


NO_NEUTRAL = (
    "baselines.derl: none of the training subjects has a neutral face; its generator learns from them: choose frames "
    "with neutral ones, or leave derl out of baselines.methods"
)
