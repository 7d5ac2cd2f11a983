"""The networks of IPA2LT: the classifier that all its stages share the make of, and the annotators' transitions."""

import torch
from torch import Tensor, nn

from fersnet.models.blocks import residual_stages, residual_stem


class Classifier(nn.Module):
    """A small ResNet."""

    def __init__(self, width: int, channels: int, classes: int) -> None:
        super().__init__()
        self.stem, self.trunk = residual_stem(channels, width), residual_stages(width)
        self.classifier = nn.Linear(8 * width, classes)

    def forward(self, faces: Tensor) -> Tensor:
        """Logits (B, K) of faces (B, C, S, S) in [0, 1]."""
        return self.classifier(self.trunk(self.stem(faces)).mean(dim=(2, 3)))


class Transitions(nn.Module):
    """T (J, K, K): the chance T[j, k, l] that annotator j says l of a face whose true class is k.

    Rows are softmaxes of free numbers, so that each is a distribution whatever these become. What an annotator never
    says has a chance of 0; the row of such a class is spread over what it does say.
    """

    said: Tensor

    def __init__(self, said: Tensor, agreement: float) -> None:
        """
        Args:
            said: bool (J, K): whether an annotator ever says a class; each says one at least.
            agreement: T[j, k, k] at first, where j says k; the rest of a row is spread evenly.
        """
        super().__init__()
        self.register_buffer("said", said)
        itself = torch.eye(said.shape[1], dtype=torch.bool)
        others = (said[:, None] & ~itself).sum(dim=2, keepdim=True)
        chances = torch.where(itself, agreement, (1 - agreement) / others.clamp_min(1)).log()
        known = said[:, :, None]
        self.scores = nn.Parameter(torch.where(known, chances, torch.zeros_like(chances)))

    def log_chances(self) -> Tensor:
        """log T (J, K, K), minus infinity where an annotator never says a class."""
        return self.scores.masked_fill(~self.said[:, None], -torch.inf).log_softmax(dim=2)

    def forward(self, log_truth: Tensor) -> Tensor:
        """log q (B, J, K) of log p (B, K): q = p T, what each annotator says where the true class is drawn from p."""
        return (log_truth[:, None, :, None] + self.log_chances()).logsumexp(dim=2)

    def of_labels(self, log_truth: Tensor, labels: Tensor) -> Tensor:
        """log q (B, J) of one class per annotator. labels: int64 (B, J), of classes that each says."""
        annotators = torch.arange(len(self.said), device=labels.device)
        return (log_truth[:, None] + self.log_chances().transpose(1, 2)[annotators, labels]).logsumexp(dim=2)
