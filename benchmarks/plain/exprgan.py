"""The training step of ExprGAN, written out plainly."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from plain.parts import (
    CLASSES,
    CODE,
    Plain,
    adam,
    code_judge,
    descend,
    encoder,
    ones,
    scale_of,
    stage_down,
    with_planes,
    zeros,
)
from torch import Tensor, nn

from fersnet.expressions import SIX
from fersnet.models.light_cnn import LightCNN9

SLOTS = 5


def batch_normed(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs, 1e-3), nn.LeakyReLU(0.2))


class ExprGAN(Plain):
    """Stages 1 (`refining` false) and 3 (true)."""

    def __init__(self, width: int, channels: int, size: int, identity: LightCNN9, refining: bool) -> None:
        stages, self.side = scale_of(size)
        self.refining, self.identity = refining, identity.eval().requires_grad_(False)
        planes, inputs = CLASSES * SLOTS, 16 * width
        self.encoder, self.code_judge = encoder(width, channels, stages, self.side), code_judge()
        self.entry = nn.Linear(CODE + planes * (CODE // CLASSES), inputs * self.side**2)
        halvings = [inputs // 2**stage for stage in range(stages + 2)]
        pairs = list(pairwise(halvings))
        self.up = nn.ModuleList(nn.Conv2d(i + planes, o, 3, 1, 1, bias=False) for i, o in pairs)
        self.image = nn.Conv2d(halvings[-1] + planes, channels, 3, 1, 1, bias=False)
        widths = (channels, width // 4, width // 2, width, 2 * width)
        self.down = nn.ModuleList(stage_down(i + CLASSES, o) for i, o in pairwise(widths))
        self.trunk = batch_normed((2 * width + CLASSES) * (-(-size // 16)) ** 2, 16 * width)
        self.real = nn.Linear(16 * width + CLASSES, 1)
        self.controller = batch_normed(16 * width + CLASSES, 2 * width)
        self.blocks = nn.ModuleList(
            nn.Sequential(batch_normed(2 * width, width), nn.Linear(width, SLOTS), nn.Tanh()) for _ in SIX
        )
        makers = (self.entry, self.up, self.image)
        judges = (self.down, self.trunk, self.real, self.controller, self.blocks)
        self.networks = (self.encoder, self.code_judge, *makers, *judges)
        self.of_maker = adam(self.encoder, *makers) if refining else adam(*makers)
        self.of_image_judge, self.of_code_judge = adam(*judges), adam(self.code_judge)

    def make(self, codes: Tensor, expression: Tensor) -> Tensor:
        features = F.relu(self.entry(torch.cat((codes, expression.repeat(1, CODE // CLASSES)), dim=1)))
        features = features.view(len(codes), -1, self.side, self.side)
        for stage, convolution in enumerate(self.up):
            if stage < len(self.up) - 1:
                features = F.interpolate(features, scale_factor=2)
            features = F.relu(convolution(with_planes(features, expression)))
        return torch.tanh(self.image(with_planes(features, expression)))

    def judge(self, images: Tensor, one_hot: Tensor) -> tuple[Tensor, Tensor]:
        features = with_planes(images, one_hot)
        for stage in self.down:
            features = with_planes(stage(features), one_hot)
        trunk = torch.cat((self.trunk(features.flatten(1)), one_hot), dim=1)
        shared = self.controller(trunk)
        return self.real(trunk), torch.cat([block(shared) for block in self.blocks], dim=1)

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        one_hot = F.one_hot(labels, CLASSES).float()
        draw = torch.rand(len(images), 1, SLOTS, device=images.device)
        expression = ((2 * one_hot - 1)[:, :, None] * draw).flatten(1)
        prior = torch.rand(len(images), CODE, device=images.device) * 2 - 1
        codes = self.encoder(images) if self.refining else prior
        made = self.make(codes, expression)
        logits, read = self.judge(made, one_hot)
        loss = CLASSES * F.mse_loss(read, expression)
        if self.refining:
            features = F.l1_loss(self.identity.features((made + 1) / 2), self.identity.features((images + 1) / 2))
            loss = loss + F.l1_loss(made, images) + features + 0.01 * ones(logits) + 0.01 * ones(self.code_judge(codes))
            rows, columns = made.diff(dim=2).square().mean(), made.diff(dim=3).square().mean()
            loss = loss + 0.001 * (rows + columns) / 2
        else:
            loss = loss + ones(logits)
        descend(self.of_maker, loss)
        logits, read = self.judge(made.detach(), one_hot)
        loss = zeros(logits) + CLASSES * F.mse_loss(read, expression) + ones(self.judge(images, one_hot)[0])
        last = descend(self.of_image_judge, loss)
        if self.refining:
            codes = codes.detach()
            last = descend(self.of_code_judge, ones(self.code_judge(prior)) + zeros(self.code_judge(codes)))
        return last


STEPS = {
    "controller": lambda width, channels, size, identity: ExprGAN(width, channels, size, identity, False),
    "refinement": lambda width, channels, size, identity: ExprGAN(width, channels, size, identity, True),
}
"""By stage, or kind of stage: the step for a width, image channels, image size and identity network."""
