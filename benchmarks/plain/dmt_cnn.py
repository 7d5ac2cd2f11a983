"""The training step of DMT-CNN, written out plainly: a backward pass for each of its two losses."""

import torch
import torch.nn.functional as F
from plain.recognition import CLASSES, PlainRecogniser, descend, stage, stem
from torch import Tensor, nn
from torch.optim import SGD


class DMTCNN(PlainRecogniser):
    def __init__(self, width: int, channels: int, size: int, subjects: int) -> None:
        self.trunk = nn.Sequential(
            stem(channels, width), stage(width, width, 1), stage(width, 2 * width, 2), stage(2 * width, 4 * width, 2)
        )
        self.of_expression, self.of_identity = stage(4 * width, 8 * width, 2), stage(4 * width, 8 * width, 2)
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(8 * width, 128), nn.ReLU(), nn.Linear(128, CLASSES))
        self.subjects, self.centres = nn.Linear(8 * width, subjects), torch.zeros(subjects, 8 * width)
        self.weights = nn.Linear(4 * width * (size // 8) ** 2, 2)
        self.networks = (self.trunk, self.of_expression, self.of_identity, self.head, self.subjects)
        self.optimizer, self.of_weights = self.adam(), SGD(self.weights.parameters(), lr=0.1, momentum=0.9)

    def __call__(self, images: Tensor, labels: Tensor, subjects: Tensor) -> Tensor:
        self.centres, self.weights = self.centres.to(images.device), self.weights.to(images.device)
        shared = self.trunk(images)
        expression = F.cross_entropy(self.head(self.of_expression(shared).mean((2, 3))), labels)
        features = F.dropout(self.of_identity(shared).mean((2, 3)), 0.5)
        embedding = F.normalize(features, dim=1)
        away = (embedding - self.centres[subjects]).pow(2).sum(1).mean() / 2
        identity = F.cross_entropy(self.subjects(features), subjects) + 0.1 * away
        for subject in subjects.unique():
            mean = embedding.detach()[subjects == subject].mean(0)
            self.centres[subject] += 0.5 * (mean - self.centres[subject])
        weights = self.weights(F.normalize(shared.detach().flatten(1), dim=1)).softmax(1).mean(0)
        first, second = weights.detach()
        loss = first * identity + second * expression
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([value for network in self.networks for value in network.parameters()], 5.0)
        self.optimizer.step()
        descend(self.of_weights, weights[0] / (identity.detach() + 0.01) + weights[1] / (expression.detach() + 0.01))
        return loss.detach()


STEP = DMTCNN
