"""The strip of intensities: the input beside what the system makes of it, and nobody who may not be shown."""

import numpy as np
import torch
from torch import Tensor

from fersnet.expressions import SIX
from fersnet.report.description import RunDescription
from fersnet.report.intensity import LEVELS, draw_intensity, intensity_faces
from fersnet.settings.report import ReportSettings


class Brightener:
    """Makes a flat face as bright as the intensity, darkened by the class."""

    image_size = 16
    expressions = SIX

    def synthesize(self, images: Tensor, target: Tensor, intensity: float | None = None) -> Tensor:
        return torch.ones_like(images) * intensity * (1 - target / 10)[:, None, None, None]


def test_rows_are_expressions_and_columns_intensities_after_the_input() -> None:
    image = torch.rand(1, 16, 16)
    faces = intensity_faces(Brightener(), image)
    assert faces.shape == (len(SIX), 1 + len(LEVELS), 16, 16, 1) and faces.dtype == np.uint8
    expected = [[round(255 * level * (1 - row / 10)) for level in LEVELS] for row in range(len(SIX))]
    assert np.abs(faces[:, 1:].mean(axis=(2, 3, 4)) - np.array(expected)).max() <= 1
    assert (faces[:, 0] == (image * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()).all()


def test_a_real_ckplus_subject_without_consent_is_never_shown() -> None:
    run = RunDescription(
        run="real",
        embedded={"ckplus": False},
        selection="last",
        fold_scheme="modulo",
        folds={"ckplus": 3},
        seed=1,
        identity_features="",
        names={},
        shown={"ckplus": "listed"},
    )
    # The store is not even opened: there is none.
    figure = draw_intensity(
        "ckplus", "drawn", Brightener(), None, frozenset({"S005"}), run, ReportSettings(ckplus_consent=())
    )
    words = "".join(text.get_text() for axes in figure.axes for text in axes.texts).replace("\n", " ")
    assert "No face is shown: no test subject" in words
