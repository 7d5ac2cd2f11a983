"""The rivals' training steps written out plainly, layer by layer and loss by loss, to compare the speed with.

Each class takes the published description literally: label planes are concatenated, every loss makes its own passes,
one network is updated after the other. The kernels and matrices have the sizes of those in `fersnet.rivals`. Nothing
here is for training: defaults of the framework stand in for the published first weights.
"""

from itertools import chain, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from fersnet.expressions import SIX
from fersnet.models.light_cnn import LightCNN9

CLASSES = len(SIX)
SLOTS = 5
CODE = 50


class Residual(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.body(features)


class Plain:
    """A method's step: called with faces (B, C, S, S) in [-1, 1] and labels (B,), returns one of its losses.

    `networks` are to be moved to the faces' device before the first call.
    """

    networks: tuple[nn.Module, ...]

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        raise NotImplementedError


def adam(*networks: nn.Module) -> Adam:
    return Adam(chain.from_iterable(network.parameters() for network in networks), lr=1e-4, betas=(0.5, 0.999))


def descend(optimizer: Adam, loss: Tensor) -> Tensor:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def with_planes(features: Tensor, values: Tensor) -> Tensor:
    planes = values[:, :, None, None].expand(-1, -1, features.shape[2], features.shape[3])
    return torch.cat((features, planes), dim=1)


def ones(logits: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def zeros(logits: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))


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


def encoder(width: int, channels: int, stages: int, side: int) -> nn.Module:
    layers: list[nn.Module] = []
    inputs = channels
    for stage in range(stages):
        layers += [nn.Conv2d(inputs, width * 2**stage, 5, 2, 2), nn.ReLU()]
        inputs = width * 2**stage
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * side * side, CODE), nn.Tanh())


def code_judge() -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in ((CODE, 64), (64, 32), (32, 16)):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs, 1e-3), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(16, 1))


def stage_down(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 5, 2, 2), nn.BatchNorm2d(outputs, 1e-3), nn.ReLU())


def scale_of(size: int) -> tuple[int, int]:
    stages = size.bit_length() - 3
    return stages, size // 2**stages


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
