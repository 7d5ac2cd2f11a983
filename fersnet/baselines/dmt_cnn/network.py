"""The network of DMT-CNN: a shared trunk, and two branches of their own."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.baselines.dmt_cnn import DmtCnnSettings
from fersnet.models.blocks import residual_stages, residual_stem

POINTS = 68


class IdentityHead(nn.Module):
    """Who it is: subject scores, and a centre of each subject's embeddings on the unit sphere."""

    centres: Tensor

    def __init__(self, features: int, subjects: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(features, subjects)
        self.register_buffer("centres", torch.zeros(subjects, features))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, subjects) and embeddings e of length 1 (B, F), of pooled features (B, F)."""
        embeddings = self.dropout(features)
        return self.scores(embeddings), functional.normalize(embeddings.float(), dim=1)

    def move_centres(self, embeddings: Tensor, subjects: Tensor, rate: float) -> None:
        """Each centre goes `rate` of its way to the mean of its subject's embeddings (B, F); subjects: int64 (B,)."""
        with torch.no_grad():
            membership = functional.one_hot(subjects, len(self.centres)).to(embeddings.dtype)
            pulls = membership.T @ (embeddings - self.centres[subjects])
            self.centres += rate * pulls / membership.sum(dim=0).clamp_min(1)[:, None]


class DmtCnn(nn.Module):
    """Class scores of faces, and what the side task needs."""

    def __init__(self, settings: DmtCnnSettings, channels: int, classes: int, subjects: int) -> None:
        super().__init__()
        width, features = settings.width, 8 * settings.width
        self.stem = residual_stem(channels, width)
        self.trunk = residual_stages(width, range(3))
        self.expression_branch = residual_stages(width, range(3, 4))
        self.side_branch = residual_stages(width, range(3, 4))
        self.hidden = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(features, settings.hidden), nn.ReLU())
        self.classifier = nn.Linear(settings.hidden, classes)
        if settings.side_task == "identity":
            self.identity = IdentityHead(features, subjects, settings.dropout)
        else:
            self.landmarks = nn.Linear(features, 2 * POINTS)

    def shared(self, faces: Tensor) -> Tensor:
        """The map (B, 4w, S/8, S/8), non-negative, of faces (B, C, S, S) in [0, 1]."""
        return self.trunk(self.stem(faces))

    def expression(self, shared: Tensor) -> Tensor:
        """Logits (B, K) of the shared map."""
        return self.classifier(self.hidden(self.expression_branch(shared).mean(dim=(2, 3))))

    def side(self, shared: Tensor) -> Tensor:
        """Pooled features (B, 8w) of the side task, of the shared map."""
        return self.side_branch(shared).mean(dim=(2, 3))

    def forward(self, faces: Tensor) -> Tensor:
        """Logits (B, K) of faces (B, C, S, S) in [0, 1]."""
        return self.expression(self.shared(faces))


class TaskWeights(nn.Module):
    """The weights of the tasks, from the shared map: a linear layer on the flattened map of length 1, and softmax."""

    def __init__(self, shared: int) -> None:
        """shared: the number of values in a face's shared map."""
        super().__init__()
        self.layer = nn.Linear(shared, 2)
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def forward(self, shared: Tensor, frozen: bool = False) -> Tensor:
        """The weights (2,) of side task and expression, means over a batch of maps (B, ...), which sum to 1.

        `frozen` lets no gradient reach the layer itself.
        """
        weight, bias = self.layer.weight, self.layer.bias
        if frozen:
            weight, bias = weight.detach(), bias.detach()
        directions = functional.normalize(shared.float().flatten(1), dim=1)
        return functional.linear(directions, weight, bias).softmax(dim=1).mean(dim=0)
