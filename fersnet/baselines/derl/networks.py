"""The networks of DeRL: the generator of neutral faces, its discriminator, and what reads the generator's maps."""

import itertools

import torch
from torch import Tensor, nn

from fersnet.baselines.derl import DerlSettings
from fersnet.baselines.networks import initialise

STAGES = 4
"""How often the generator halves the side of a face, and doubles it again."""
SLOPE = 0.2


class Generator(nn.Module):
    """A plain autoencoder, without connections past its smallest map, by which the expression could leak."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        sizes = [channels, *(width * 2**stage for stage in range(STAGES))]
        self.encoder = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(SLOPE))
            for before, after in itertools.pairwise(sizes)
        )
        backwards = sizes[:0:-1]
        self.decoder = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
            for before, after in itertools.pairwise(backwards)
        )
        self.last = nn.Sequential(nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Sigmoid())
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, 0.0, 0.02)

    def maps(self, faces: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Encoder's maps e1 to e4 and decoder's maps d1 to d3 of faces (B, C, S, S) in [0, 1], see `training.py`."""
        encoded, decoded = [faces], []
        for layer in self.encoder:
            encoded.append(layer(encoded[-1]))
        features = encoded[-1]
        for layer in self.decoder:
            features = layer(features)
            decoded.append(features)
        return encoded[1:], decoded

    def forward(self, faces: Tensor) -> Tensor:
        """Neutral faces of faces, both (B, C, S, S) in [0, 1]."""
        return self.last(self.maps(faces)[1][-1])


def residues(encoded: list[Tensor], decoded: list[Tensor]) -> list[Tensor]:
    """What the four local networks read: encoder's and decoder's maps of one side together, and the smallest map."""
    pairs = [torch.cat(pair, dim=1) for pair in zip(encoded[:-1], reversed(decoded), strict=True)]
    return [*pairs, encoded[-1]]


class Discriminator(nn.Module):
    """Tells, patch by patch, real neutral faces from generated ones, beside the face that they belong to."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        sizes = [2 * channels, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(sizes):
            layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(SLOPE)]
        self.body = nn.Sequential(*layers, nn.Conv2d(sizes[-1], 1, 4, 1, 1))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, 0.0, 0.02)

    def forward(self, faces: Tensor, neutral: Tensor) -> Tensor:
        """Logits (B, 1, h, w) of faces and neutral ones, both (B, C, S, S) in [0, 1]; positive means real."""
        return self.body(torch.cat((faces, neutral), dim=1))


class Classifiers(nn.Module):
    """Four local networks, each with a classifier of its own, and the classifier of all that they find."""

    def __init__(self, settings: DerlSettings, size: int, classes: int) -> None:
        super().__init__()
        width, smallest = settings.width, size // 2**STAGES
        inputs = [2 * width * 2**stage for stage in range(STAGES - 1)] + [width * 2 ** (STAGES - 1)]
        sides = [size // 2 ** (stage + 1) for stage in range(STAGES)]
        self.local = nn.ModuleList(
            _local_network(channels, width, side, settings.dropout)
            for channels, side in zip(inputs, sides, strict=True)
        )
        self.local_classifiers = nn.ModuleList(nn.Linear(4 * width, classes) for _ in inputs)
        self.dropout = nn.Dropout(settings.dropout)
        self.classifier = nn.Linear(4 * STAGES * width + inputs[-1] * smallest**2, classes)
        initialise(self)

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Final logits (B, K) and those of the four local networks, of what `residues` gives."""
        found = [network(features) for network, features in zip(self.local, maps, strict=True)]
        alone = [classifier(units) for classifier, units in zip(self.local_classifiers, found, strict=True)]
        together = torch.cat((*found, self.dropout(maps[-1].flatten(1))), dim=1)
        return self.classifier(together), alone


def _local_network(channels: int, width: int, side: int, dropout: float) -> nn.Module:
    layers: list[nn.Module] = []
    for outputs in (2 * width, 4 * width):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.MaxPool2d(2, ceil_mode=True)]
        channels, side = outputs, (side + 1) // 2
    units = [nn.Flatten(), nn.Linear(channels * side**2, channels), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, *units)


class Derl(nn.Module):
    """What reads a face once all is trained."""

    def __init__(self, generator: Generator, classifiers: Classifiers) -> None:
        super().__init__()
        self.generator, self.classifiers = generator, classifiers

    def forward(self, faces: Tensor) -> Tensor:
        """Logits (B, K) of faces (B, C, S, S) in [0, 1]."""
        return self.classifiers(residues(*self.generator.maps(faces)))[0]
