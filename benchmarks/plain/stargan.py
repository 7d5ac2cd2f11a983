"""The training step of StarGAN, written out plainly."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from plain.parts import CLASSES, Plain, Residual, adam, descend, with_planes
from torch import Tensor, nn


class StarGAN(Plain):
    def __init__(self, width: int, channels: int, size: int) -> None:
        def normalised(convolution: nn.Module, outputs: int) -> list[nn.Module]:
            return [convolution, nn.InstanceNorm2d(outputs, affine=True)]

        def same() -> list[nn.Module]:
            return normalised(nn.Conv2d(4 * width, 4 * width, 3, 1, 1, bias=False), 4 * width)

        generator = [*normalised(nn.Conv2d(channels + CLASSES, width, 7, 1, 3, bias=False), width), nn.ReLU()]
        for inputs in (width, 2 * width):
            down = nn.Conv2d(inputs, 2 * inputs, 4, 2, 1, bias=False)
            generator += [*normalised(down, 2 * inputs), nn.ReLU()]
        generator += [Residual(*same(), nn.ReLU(), *same()) for _ in range(6)]
        for inputs in (4 * width, 2 * width):
            up = nn.ConvTranspose2d(inputs, inputs // 2, 4, 2, 1, bias=False)
            generator += [*normalised(up, inputs // 2), nn.ReLU()]
        generator += [nn.Conv2d(width, channels, 7, 1, 3, bias=False), nn.Tanh()]
        self.generator = nn.Sequential(*generator)
        depth = size.bit_length() - 2
        sides = [channels, *(width * 2**stage for stage in range(depth))]
        pairs = pairwise(sides)
        self.trunk = nn.Sequential(*(nn.Sequential(nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.01)) for i, o in pairs))
        self.patches = nn.Conv2d(sides[-1], 1, 3, 1, 1, bias=False)
        self.expression = nn.Conv2d(sides[-1], CLASSES, size // 2**depth, bias=False)
        self.networks = (self.generator, self.trunk, self.patches, self.expression)
        self.of_generator = adam(self.generator)
        self.of_discriminator = adam(*self.networks[1:])
        self.steps = 0

    def judge(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(images)
        return self.patches(features), self.expression(features).flatten(1)

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        self.steps += 1
        target = labels[torch.randperm(len(labels))]
        wanted, own = F.one_hot(target, CLASSES).float(), F.one_hot(labels, CLASSES).float()
        scores, logits = self.judge(images)
        loss = F.cross_entropy(logits, labels) - scores.mean()
        made = self.generator(with_planes(images, wanted))
        loss = loss + self.judge(made.detach())[0].mean()
        share = torch.rand(len(images), 1, 1, 1, device=images.device)
        between = (share * images + (1 - share) * made.detach()).requires_grad_()
        scores, _ = self.judge(between)
        (slope,) = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True)
        last = descend(self.of_discriminator, loss + 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean())
        if self.steps % 5 == 0:
            made = self.generator(with_planes(images, wanted))
            scores, logits = self.judge(made)
            cycle = F.l1_loss(self.generator(with_planes(made, own)), images)
            last = descend(self.of_generator, F.cross_entropy(logits, target) - scores.mean() + 10 * cycle)
        return last


STEPS = {"training": lambda width, channels, size, identity: StarGAN(width, channels, size)}
"""By stage, or kind of stage: the step for a width, image channels, image size and identity network."""
