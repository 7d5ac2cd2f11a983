"""The training steps of DeRL, written out plainly: that of the generator, then that of the classifiers."""

import torch
import torch.nn.functional as F
from plain.parts import adam
from plain.recognition import CLASSES, PlainRecogniser, descend
from torch import Tensor, nn


def down(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2))


def up(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def local(inputs: int, width: int, side: int) -> nn.Module:
    layers: list[nn.Module] = []
    for outputs in (2 * width, 4 * width):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.MaxPool2d(2, ceil_mode=True)]
        inputs, side = outputs, (side + 1) // 2
    units = [nn.Flatten(), nn.Linear(inputs * side**2, inputs), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, *units)


class DeRL(PlainRecogniser):
    def __init__(self, width: int, channels: int, size: int, subjects: int) -> None:
        w = (channels, width, 2 * width, 4 * width, 8 * width)
        self.down = nn.ModuleList(down(w[k], w[k + 1]) for k in range(4))
        self.up = nn.ModuleList(up(w[k + 1], w[k]) for k in (3, 2, 1))
        self.last = nn.Sequential(nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Sigmoid())
        self.judge = nn.Sequential(
            down(2 * channels, width),
            down(width, 2 * width),
            down(2 * width, 4 * width),
            nn.Conv2d(4 * width, 1, 4, 1, 1),
        )
        inputs = (2 * width, 4 * width, 8 * width, 8 * width)
        self.local = nn.ModuleList(local(inputs[k], width, size // 2 ** (k + 1)) for k in range(4))
        self.heads = nn.ModuleList(nn.Linear(4 * width, CLASSES) for _ in range(4))
        self.final = nn.Linear(16 * width + 8 * width * (size // 16) ** 2, CLASSES)
        self.networks = (self.down, self.up, self.last, self.judge, self.local, self.heads, self.final)
        self.of_generator, self.of_judge = adam(self.down, self.up, self.last), adam(self.judge)
        self.optimizer = adam(self.local, self.heads, self.final)

    def maps(self, images: Tensor) -> list[Tensor]:
        maps = [images]
        for layer in (*self.down, *self.up):
            maps.append(layer(maps[-1]))
        return maps[1:]

    def __call__(self, images: Tensor, labels: Tensor, subjects: Tensor) -> Tensor:
        neutral = images[torch.randperm(len(images), device=images.device)]
        made = self.last(self.maps(images)[-1])
        real, other = self.judge(torch.cat((images, neutral), 1)), self.judge(torch.cat((images, made.detach()), 1))
        descend(self.of_judge, F.softplus(-real).mean() + F.softplus(other).mean())
        adversarial = F.softplus(-self.judge(torch.cat((images, made), 1))).mean()
        descend(self.of_generator, adversarial + 10 * F.l1_loss(made, neutral))
        with torch.no_grad():
            e1, e2, e3, e4, d1, d2, d3 = self.maps(images)
        pairs = (torch.cat((e1, d3), 1), torch.cat((e2, d2), 1), torch.cat((e3, d1), 1), e4)
        units = [network(pair) for network, pair in zip(self.local, pairs, strict=True)]
        loss = F.cross_entropy(self.final(torch.cat((*units, F.dropout(e4.flatten(1), 0.5)), 1)), labels)
        for head, found in zip(self.heads, units, strict=True):
            loss = loss + F.cross_entropy(head(found), labels)
        return descend(self.optimizer, loss)


STEP = DeRL
