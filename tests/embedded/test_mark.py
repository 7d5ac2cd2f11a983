"""What rendered and synthetic pictures say of themselves."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fersnet.embedded.files import write_image
from fersnet.embedded.mark import SYNTHETIC, is_rendered


@pytest.mark.parametrize("ending", [".png", ".jpg", ".jpeg"])
@pytest.mark.parametrize("grey", [True, False])
def test_a_rendered_picture_says_so_and_its_pixels_are_those_without_the_remark(
    tmp_path: Path, ending: str, grey: bool
) -> None:
    image = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    path = tmp_path / f"face{ending}"
    write_image(path, image, grey)
    with Image.open(path) as opened:
        opened.verify()
    assert is_rendered(path) and is_rendered(str(path)) and is_rendered(path.read_bytes())
    assert is_rendered(Image.open(path))
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels.shape[:2] == (40, 60) and (pixels.ndim == 2) == grey
    if ending == ".png" and not grey:
        assert np.array_equal(pixels[..., ::-1], image)
    # Saved again by somebody else, or drawn by a network, it is not known as one.
    Image.open(path).convert("RGB").save(tmp_path / "again.png")
    write_image(tmp_path / "drawn.png", image, remark=SYNTHETIC)
    for other in (tmp_path / "again.png", tmp_path / "drawn.png", tmp_path / "nothere.png", image, None):
        assert not is_rendered(other)
