"""The training step of CAAE, written out plainly."""

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


class CAAE(Plain):
    def __init__(self, width: int, channels: int, size: int) -> None:
        stages, self.side = scale_of(size)
        self.encoder, self.code_judge = encoder(width, channels, stages, self.side), code_judge()
        inputs = 16 * width
        self.entry = nn.Linear(CODE + CLASSES * (CODE // CLASSES), inputs * self.side**2)
        layers: list[nn.Module] = [nn.ReLU()]
        for _ in range(stages):
            layers += [nn.ConvTranspose2d(inputs, inputs // 2, 5, 2, 2, 1), nn.ReLU()]
            inputs //= 2
        layers += [nn.ConvTranspose2d(inputs, inputs // 2, 5, 1, 2), nn.ReLU()]
        self.decoder = nn.Sequential(*layers, nn.ConvTranspose2d(inputs // 2, channels, 5, 1, 2), nn.Tanh())
        self.first = stage_down(channels, width // 4)
        self.rest = nn.Sequential(
            stage_down(width // 4 + CLASSES, width // 2), stage_down(width // 2, width), stage_down(width, 2 * width)
        )
        flat = 2 * width * (-(-size // 16)) ** 2
        self.head = nn.Sequential(nn.Linear(flat, 16 * width), nn.LeakyReLU(0.2), nn.Linear(16 * width, 1))
        self.networks = (
            self.encoder, self.code_judge, self.entry, self.decoder, self.first, self.rest, self.head,
        )  # fmt: skip
        self.of_autoencoder = adam(self.encoder, self.entry, self.decoder)
        self.of_image_judge = adam(self.first, self.rest, self.head)
        self.of_code_judge = adam(self.code_judge)

    def judge(self, images: Tensor, signs: Tensor) -> Tensor:
        return self.head(self.rest(with_planes(self.first(images), signs)).flatten(1))

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        signs = 2 * F.one_hot(labels, CLASSES).float() - 1
        codes = self.encoder(images)
        entry = self.entry(torch.cat((codes, signs.repeat(1, CODE // CLASSES)), dim=1))
        made = self.decoder(entry.view(len(images), -1, self.side, self.side))
        descend(self.of_autoencoder, F.l1_loss(made, images) + 1e-4 * ones(self.judge(made, signs)))
        made, codes = made.detach(), codes.detach()
        descend(self.of_image_judge, ones(self.judge(images, signs)) + zeros(self.judge(made, signs)))
        prior = torch.rand_like(codes) * 2 - 1
        return descend(self.of_code_judge, ones(self.code_judge(prior)) + zeros(self.code_judge(codes)))


STEPS = {"training": lambda width, channels, size, identity: CAAE(width, channels, size)}
"""By stage, or kind of stage: the step for a width, image channels, image size and identity network."""
