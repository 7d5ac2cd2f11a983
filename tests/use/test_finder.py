"""Faces that are looked for in another process."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fersnet import find_faces
from fersnet.demo.finder import Finder
from fersnet.errors import UserError
from fersnet.settings.data import FacesSettings

OWNER = """
import sys
from fersnet.demo.finder import Finder
from fersnet.settings.data import FacesSettings
if __name__ == "__main__":
    finder = Finder(FacesSettings())
    print(finder._process.pid, flush=True)
    sys.stdin.read()
"""


def test_what_is_found_and_what_is_refused_is_as_here(portrait: Path, tmp_path: Path) -> None:
    settings = FacesSettings(size=40)
    with Finder(settings) as finder:
        (found,), (expected,) = finder.find(portrait, settings), find_faces(portrait, settings)
        assert found.box == expected.box and np.array_equal(found.image, expected.image)
        with pytest.raises(UserError, match="not an image file"):
            finder.find(b"a text", settings)
        without = FacesSettings(backend="face_alignment", model_folder=str(tmp_path / "nothere"))
        with pytest.raises(UserError, match=r"faces\.model_folder"):
            finder.find(portrait, without)
        assert len(finder.find(portrait, settings)) == 1, "it goes on after an error"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_process_ends_with_its_owner(tmp_path: Path, end: signal.Signals) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER, encoding="utf-8")
    owner = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    worker = Path("/proc") / owner.stdout.readline().strip()
    assert worker.is_dir()
    owner.send_signal(end)
    owner.wait()
    ended = time.monotonic() + 30
    while worker.is_dir() and "(zombie)" not in (worker / "status").read_text():
        assert time.monotonic() < ended, "the process outlives its owner"
        time.sleep(0.05)
