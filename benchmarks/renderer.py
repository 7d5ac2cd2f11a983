"""Measures the face renderer: processor time per frame, and what dlib's detector and 68-point model make of its faces.

python benchmarks/renderer.py --identities 60 --json
"""

import argparse
import importlib.util
import json
import os
import time
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import cv2  # noqa: E402  (the thread limits must be set before the libraries load)
import numpy as np  # noqa: E402

from fersnet.embedded.identity import draw_identity  # noqa: E402
from fersnet.embedded.performance import NEUTRAL, draw_performance, draw_view  # noqa: E402
from fersnet.embedded.renderer import render_face  # noqa: E402
from fersnet.expressions import SIX  # noqa: E402
from fersnet.seeds import derive_seed  # noqa: E402

EXPRESSIONS = (NEUTRAL, *SIX)


def time_frames(size: tuple[int, int], frames: int, seed: int) -> dict[str, float]:
    """Median milliseconds of processor time per frame over rising sequences, one thread, and of the first frame."""
    warm, first = [], []
    for take in range(max(1, frames // 10)):
        identity = draw_identity(derive_seed("benchmark", seed, take))
        performance = draw_performance(identity, SIX[take % len(SIX)], take)
        view = draw_view(take, size)
        rng = np.random.default_rng(take)
        for step in range(11):
            amount = step / 10
            start = time.process_time()
            render_face(identity, performance.action_units(amount), performance.turned(view, amount), size, rng)
            (warm if step else first).append(1000 * (time.process_time() - start))
    return {"milliseconds": float(np.median(warm)), "first_frame_milliseconds": float(np.median(first))}


def landmark_error(identities: int, size: int, seed: int) -> dict[str, float]:
    """Share of images in which dlib finds exactly one face, and the mean distance of its points to the true ones."""
    import dlib

    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("face_recognition_models is not installed; it holds dlib's 68-point model")
    folder = Path(next(iter(spec.submodule_search_locations))) / "models"
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat"))
    found, errors = 0, []
    for person in range(identities):
        identity = draw_identity(derive_seed("benchmark faces", seed, person))
        for expression in EXPRESSIONS:
            performance = draw_performance(identity, expression, person)
            view = performance.turned(draw_view(derive_seed("benchmark view", seed, person), (size, size)), 1.0)
            rng = np.random.default_rng(person)
            render = render_face(identity, performance.action_units(1.0), view, (size, size), rng)
            boxes = detector(render.image, 0)
            found += len(boxes) == 1
            if len(boxes) == 1:
                points = np.array([(p.x, p.y) for p in predictor(render.image, boxes[0]).parts()])
                eyes = np.linalg.norm(render.landmarks[45] - render.landmarks[36])
                errors.append(float(np.linalg.norm(points - render.landmarks, axis=1).mean() / eyes))
    images = identities * len(EXPRESSIONS)
    return {
        "images": images,
        "detected_percent": 100.0 * found / images,
        "landmark_error_percent": 100.0 * float(np.mean(errors)) if errors else float("nan"),
        "landmark_error_95_percent": 100.0 * float(np.quantile(errors, 0.95)) if errors else float("nan"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=60, help="people shown to dlib, seven images each")
    parser.add_argument("--frames", type=int, default=60, help="frames timed per size")
    parser.add_argument("--size", type=int, default=256, help="side of the images shown to dlib, pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    result: dict[str, float] = {}
    for size in ((256, 256), (640, 490)):
        timing = time_frames(size, arguments.frames, arguments.seed)
        result.update({f"{name}_{size[0]}x{size[1]}": value for name, value in timing.items()})
    result.update(landmark_error(arguments.identities, arguments.size, arguments.seed))
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:40s} {value:10.2f}")


if __name__ == "__main__":
    main()
