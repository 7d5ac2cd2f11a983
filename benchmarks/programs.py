"""What users wait for at programs that read faces: the first answer of `fersnet demo`, and a minute of film.

Both are started as by a user, so that Python's and PyTorch's own start count. The film has 1,500 frames of 640 x 490
pixels with one rendered face that moves; the network is of the default run's size.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import cv2
import numpy as np
from predict import SIZES, pictures, save_untrained

RATE, SECONDS = 25, 60
LONGEST_START = 60.0


def main() -> None:
    """Print the seconds of both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="starts of the page; the median is printed")
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = pictures(folder)[0]
        checkpoint = save_untrained(folder, *SIZES["default"])
        answers = sorted(first_answer(checkpoint, picture) for _ in range(repeats))
        print(f"demo: {answers[repeats // 2]:.1f} s from its start to the first answer", flush=True)
        film = write_film(folder / "minute.mp4", picture)
        began = time.perf_counter()
        fersnet("predict", film, "--model", checkpoint, "--out", folder / "faces.csv").wait()
        print(f"predict: {time.perf_counter() - began:.0f} s for {SECONDS} s of film", flush=True)


def fersnet(*words: str | Path) -> subprocess.Popen[bytes]:
    """The program with these words, started."""
    command = [sys.executable, "-m", "fersnet.cli", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def first_answer(checkpoint: Path, picture: Path, port: int = 8799) -> float:
    """Seconds from the start of the page to its answer to a picture that is sent as soon as it listens.

    Raises:
        SystemExit: if it does not come up, or answers with an error.
    """
    question = Request(f"http://127.0.0.1:{port}/look?model={checkpoint.name}", picture.read_bytes())
    began = time.perf_counter()
    program = fersnet("demo", "--model", checkpoint, "--port", str(port))
    try:
        while time.perf_counter() - began < LONGEST_START and program.poll() is None:
            try:
                with urlopen(question, timeout=30) as answer:
                    answer.read()
                return time.perf_counter() - began
            except HTTPError as error:
                raise SystemExit(f"fersnet demo: {error.read().decode()}") from None
            except URLError:
                time.sleep(0.02)
        raise SystemExit("fersnet demo does not answer")
    finally:
        program.terminate()
        program.wait()


def write_film(path: Path, picture: Path) -> Path:
    """A film of the picture, which sways by ten pixels."""
    image = cv2.imread(str(picture))
    height, width = image.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (width, height))
    for number in range(RATE * SECONDS):
        shift = np.array([[1.0, 0, 10 * np.sin(number / 12)], [0, 1.0, 10 * np.cos(number / 12)]])
        writer.write(cv2.warpAffine(image, shift, (width, height), borderMode=cv2.BORDER_REPLICATE))
    writer.release()
    return path


if __name__ == "__main__":
    main()
