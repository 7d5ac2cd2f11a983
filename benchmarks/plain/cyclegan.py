"""The training step of CycleGAN, written out plainly."""

import torch
import torch.nn.functional as F
from plain.parts import Plain, Residual, adam, descend
from torch import Tensor, nn


class CycleGAN(Plain):
    def __init__(self, width: int, channels: int) -> None:
        self.there, self.back = self.make_generator(width, channels), self.make_generator(width, channels)
        self.judge_source, self.judge_target = self.make_judge(width, channels), self.make_judge(width, channels)
        self.networks = (self.there, self.back, self.judge_source, self.judge_target)
        self.of_generators = adam(self.there, self.back)
        self.of_judges = adam(self.judge_source, self.judge_target)
        self.pools: tuple[list[Tensor], list[Tensor]] = ([], [])

    def make_generator(self, width: int, channels: int) -> nn.Module:
        def same() -> list[nn.Module]:
            return [nn.ReflectionPad2d(1), nn.Conv2d(4 * width, 4 * width, 3), nn.InstanceNorm2d(4 * width)]

        def normalised(convolution: nn.Module, outputs: int) -> list[nn.Module]:
            return [convolution, nn.InstanceNorm2d(outputs), nn.ReLU()]

        layers = [nn.ReflectionPad2d(3), *normalised(nn.Conv2d(channels, width, 7), width)]
        for inputs in (width, 2 * width):
            layers += normalised(nn.Conv2d(inputs, 2 * inputs, 3, 2, 1), 2 * inputs)
        layers += [Residual(*same(), nn.ReLU(), *same()) for _ in range(6)]
        for inputs in (4 * width, 2 * width):
            layers += normalised(nn.ConvTranspose2d(inputs, inputs // 2, 3, 2, 1, 1), inputs // 2)
        return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), nn.Tanh())

    def make_judge(self, width: int, channels: int) -> nn.Module:
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for inputs, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
            convolution = nn.Conv2d(inputs, 2 * inputs, 4, stride, 1)
            layers += [convolution, nn.InstanceNorm2d(2 * inputs), nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))

    def pooled(self, made: Tensor, pool: list[Tensor]) -> Tensor:
        result = []
        for image in made.detach():
            if len(pool) < 50:
                pool.append(image)
            elif torch.rand(()) < 0.5:
                position = int(torch.randint(50, ()))
                image, pool[position] = pool[position], image
            result.append(image)
        return torch.stack(result)

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        first, second = images, images.roll(1, 0)
        made_second, made_first = self.there(first), self.back(second)
        cycle = F.l1_loss(self.back(made_second), first) + F.l1_loss(self.there(made_first), second)
        identity = F.l1_loss(self.there(second), second) + F.l1_loss(self.back(first), first)
        fooled = (self.judge_target(made_second) - 1).square().mean()
        fooled = fooled + (self.judge_source(made_first) - 1).square().mean()
        descend(self.of_generators, fooled + 10 * cycle + 5 * identity)
        loss = torch.zeros((), device=images.device)
        pairs = ((self.judge_source, first, made_first), (self.judge_target, second, made_second))
        for (judge, real, made), pool in zip(pairs, self.pools, strict=True):
            old = self.pooled(made, pool)
            loss = loss + ((judge(real) - 1).square().mean() + judge(old).square().mean()) / 2
        return descend(self.of_judges, loss)


STEPS = {"model": lambda width, channels, size, identity: CycleGAN(width, channels)}
"""By stage, or kind of stage: the step for a width, image channels, image size and identity network."""
