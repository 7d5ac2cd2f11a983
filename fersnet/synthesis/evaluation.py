"""Judges the synthetic faces of every system on the same test faces and targets.

The measures, and what each is worth:

* Expression: the class that the standard FER model reads (the paper's figure). Its network never trained a generator.
* SSIM and PSNR (dB) against the subject's real image of the target expression, where there is one. Wang et al. 2004
  (Gaussian window, sigma 1.5), images in 0..1. Left empty where source and target expression are the same, since a
  copy of the input would score full marks there, and for `real_target`, which would be compared with itself.
* Identity: cosine between the identity embeddings of source and output. Copying maximises it, so it is only
  meaningful beside the expression. The AUC separates pairs of an output with another real face of the same subject
  from pairs with a face of another test subject; faces of the source's own sequence are left out.
* `kid_fer`: kernel distance (Binkowski et al. 2018: cubic polynomial kernel, unbiased, mean over subsets) between
  outputs and real test faces in the feature space of the standard FER model. It is neither Inception KID nor FID and
  is not comparable with either. Every system enters with the same rows, so with the same n, and subsets are smaller
  than n. The two reference systems consist of faces of the real set: theirs is the floor of the measure, not a score.

Two reference systems stand beside the others: `identity_map` (output = input), which must not win, and `real_target`
(the subject's real image of the target expression), the ceiling.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fersnet.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fersnet.faces.store import FaceStore

IDENTITY_MAP = "identity_map"
REAL_TARGET = "real_target"


@dataclass(frozen=True)
class Evaluation:
    """Judgement of one test fold."""

    images: pd.DataFrame
    """One row per synthetic image: `method, sequence_id, subject, source` (row of the face store)`, expression` (of
    the source)`, target, predicted, p_<class>..., ssim, psnr, identity_cosine`."""
    sets: pd.DataFrame
    """One row per system: `method, kid_fer, identity_auc, n` (images behind `kid_fer`)`, subset_size`."""


@dataclass(frozen=True)
class _Judged:
    probabilities: np.ndarray
    fer_features: np.ndarray
    identity: np.ndarray


def evaluate_fold(
    store: "FaceStore",
    syntheses: Mapping[str, Mapping[str, np.ndarray]],
    standard_fer: "nn.Module",
    identity: "nn.Module",
    image_size: int,
    subjects: frozenset[str],
    *,
    classes: tuple[str, ...],
    device: "torch.device | None" = None,
    batch_size: int = 64,
    kid_subsets: int = 50,
    kid_subset_size: int = 100,
    seed: int = 0,
) -> Evaluation:
    """Evaluate all systems of one fold.

    Args:
        store: The dataset's faces; its table has `sequence_id, subject, expression, frame, role`.
        syntheses: By method, the arrays of `synthesis/.../fold{k}.npz`: `images` uint8 (N, S, S, C), `source` (N,)
            rows of the store, `target` (N,) expression keys.
        standard_fer: Network with `.features(images)` (B, F) and logits (B, len(classes)) for images in 0..1.
        identity: Network with `.embedding(images)` (B, E).
        image_size: Side S of the synthetic images; stored faces are cropped to it at the centre.
        subjects: Test subjects of the fold.
        classes: Expressions in the class order of `standard_fer`.
        seed: Of the draw of the kernel distance's subsets.

    Returns:
        Tables without rows for a fold without a test face of the classes.

    Raises:
        UserError: if the systems differ in sources or targets, a source is no test face, or an array is malformed.
    """
    import torch

    device = device or torch.device("cpu")
    source, target = _common_pairs(syntheses, store, subjects, classes, image_size)
    if not len(source):
        return _no_evaluation(classes)
    table = store.table
    peaks = _peak_rows(table, subjects, classes)
    reference = _reference_rows(table, peaks, source, target)
    paired = reference >= 0

    def judge(images: np.ndarray) -> _Judged:
        return _judge(images, standard_fer, identity, device, batch_size)

    real_peaks = judge(centre_crop(store.images[peaks], image_size))
    sources, source_at = np.unique(source, return_inverse=True)
    inputs = centre_crop(store.images[sources], image_size)
    inputs_identity = judge(inputs).identity[source_at]

    systems: dict[str, tuple[np.ndarray, np.ndarray]] = {
        method: (np.arange(len(source)), np.asarray(arrays["images"])) for method, arrays in syntheses.items()
    }
    systems[IDENTITY_MAP] = (np.arange(len(source)), inputs[source_at])
    if paired.any():
        systems[REAL_TARGET] = (np.flatnonzero(paired), centre_crop(store.images[reference[paired]], image_size))

    source_expression = table["expression"].to_numpy()[source]
    compared = paired & (source_expression != target)
    rows, sets = [], []
    for method, (at, images) in systems.items():
        judged = judge(images)
        frame = pd.DataFrame(
            {
                "method": method,
                "sequence_id": table["sequence_id"].to_numpy()[source[at]],
                "subject": table["subject"].to_numpy()[source[at]],
                "source": source[at].astype(np.int64),
                "expression": source_expression[at],
                "target": target[at],
                "predicted": np.asarray(classes, dtype=object)[judged.probabilities.argmax(axis=1)],
            }
        )
        for index, expression in enumerate(classes):
            frame[f"p_{expression}"] = judged.probabilities[:, index].astype(np.float64)
        with_reference = compared[at] & (method != REAL_TARGET)
        frame["ssim"], frame["psnr"] = _fidelity(images, store.images, reference[at], with_reference, image_size)
        frame["identity_cosine"] = np.sum(judged.identity * inputs_identity[at], axis=1).astype(np.float64)
        rows.append(frame)
        kid, used, subset = kernel_distance(
            judged.fer_features[paired[at]], real_peaks.fer_features, kid_subsets, kid_subset_size, seed
        )
        auc = _verification_auc(judged.identity, frame, real_peaks.identity, table.iloc[peaks])
        sets.append({"method": method, "kid_fer": kid, "identity_auc": auc, "n": used, "subset_size": subset})
    return Evaluation(pd.concat(rows, ignore_index=True), pd.DataFrame(sets))


def _no_evaluation(classes: tuple[str, ...]) -> Evaluation:
    """That of a fold whose test subjects show none of the expressions."""
    words = ("method", "sequence_id", "subject", "expression", "target", "predicted")
    figures = (*(f"p_{expression}" for expression in classes), "ssim", "psnr", "identity_cosine")
    types = dict.fromkeys(words, object) | {"source": np.int64} | dict.fromkeys(figures, np.float64)
    images = pd.DataFrame({column: np.zeros(0, dtype=kind) for column, kind in types.items()})
    return Evaluation(images, pd.DataFrame(columns=["method", "kid_fer", "identity_auc", "n", "subset_size"]))


def centre_crop(images: np.ndarray, size: int) -> np.ndarray:
    """The centre (N, size, size, C) of faces (N, H, W, C): the test crop of the paper (offset 7 of 110 for 96)."""
    height, width = images.shape[1:3]
    if size > min(height, width):
        raise UserError(f"model.image_size: {size} is larger than the stored faces ({height}x{width})")
    top, left = (height - size) // 2, (width - size) // 2
    return np.asarray(images[:, top : top + size, left : left + size])


def kernel_distance(
    features: np.ndarray, real: np.ndarray, subsets: int = 50, subset_size: int = 100, seed: int = 0
) -> tuple[float, int, int]:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / F + 1)^3, mean over random subsets.

    Args:
        features, real: (n, F) and (m, F). Subsets have at most `subset_size` rows and at most half of n and m, so
            that they always differ.

    Returns:
        The distance (NaN where fewer than four rows are given on either side), n, and the subset size used.
    """
    from sklearn.metrics.pairwise import polynomial_kernel

    size = min(subset_size, len(features) // 2, len(real) // 2)
    if size < 2:
        return float("nan"), len(features), 0
    rng = np.random.default_rng(seed)
    gamma = 1.0 / features.shape[1]
    x_all, y_all = features.astype(np.float64), real.astype(np.float64)
    distances = []
    for _ in range(subsets):
        x = x_all[rng.choice(len(x_all), size, replace=False)]
        y = y_all[rng.choice(len(y_all), size, replace=False)]
        within = sum(_off_diagonal_mean(polynomial_kernel(part, degree=3, gamma=gamma, coef0=1)) for part in (x, y))
        distances.append(within - 2 * polynomial_kernel(x, y, degree=3, gamma=gamma, coef0=1).mean())
    return float(np.mean(distances)), len(features), size


def _off_diagonal_mean(kernel: np.ndarray) -> float:
    size = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (size * (size - 1)))


def _common_pairs(
    syntheses: Mapping[str, Mapping[str, np.ndarray]],
    store: "FaceStore",
    subjects: frozenset[str],
    classes: tuple[str, ...],
    image_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    if not syntheses:
        raise UserError("synthesis: there is no system to evaluate; give at least one synthesis file")
    first_method, first = next(iter(syntheses.items()))
    source = np.asarray(first["source"], dtype=np.int64)
    target = np.asarray(first["target"]).astype(str).astype(object)
    shape = (len(source), image_size, image_size, store.images.shape[3])
    for method, arrays in syntheses.items():
        images = np.asarray(arrays["images"])
        if images.shape != shape or images.dtype != np.uint8:
            raise UserError(
                f"synthesis of {method}: images are {images.dtype} {images.shape}, not uint8 {shape}; make it again"
            )
        if not (
            np.array_equal(arrays["source"], source)
            and np.array_equal(np.asarray(arrays["target"]).astype(str), target.astype(str))
        ):
            raise UserError(f"synthesis of {method}: its sources or targets differ from those of {first_method}")
    if len(source) and (source.min() < 0 or source.max() >= len(store.table)):
        raise UserError(f"synthesis of {first_method}: a source lies outside the face store; make it again")
    foreign = sorted(set(store.table["subject"].to_numpy()[source]) - subjects)
    if foreign:
        raise UserError(f"synthesis of {first_method}: subject {foreign[0]} is not tested in this fold")
    unknown = sorted(set(target) - set(classes))
    if unknown:
        raise UserError(f"synthesis of {first_method}: the standard FER model does not know the target {unknown[0]!r}")
    return source, target


def _peak_rows(table: pd.DataFrame, subjects: frozenset[str], classes: tuple[str, ...]) -> np.ndarray:
    chosen = table["subject"].isin(subjects) & (table["role"] == "peak") & table["expression"].isin(classes)
    return np.flatnonzero(chosen.to_numpy())


def _reference_rows(table: pd.DataFrame, peaks: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """For each (source, target) the row of the last peak frame of the subject's first such sequence, or -1."""
    real = table.iloc[peaks].assign(row=peaks).sort_values(["sequence_id", "frame"], kind="stable")
    first = real.groupby(["subject", "expression"])["sequence_id"].transform("first")
    last = real[real["sequence_id"] == first].groupby(["subject", "expression"])["row"].last().to_dict()
    people = table["subject"].to_numpy()[source]
    return np.array([last.get(pair, -1) for pair in zip(people, target, strict=True)], dtype=np.int64)


def _judge(
    images: np.ndarray, standard_fer: "nn.Module", identity: "nn.Module", device: "torch.device", batch_size: int
) -> _Judged:
    import torch

    probabilities, features, embeddings = [], [], []
    standard_fer.to(device).eval()
    identity.to(device).eval()
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(np.ascontiguousarray(images[start : start + batch_size])).to(device)
            batch = batch.permute(0, 3, 1, 2).float() / 255
            probabilities.append(torch.softmax(standard_fer(batch).float(), dim=1).cpu().numpy())
            features.append(standard_fer.features(batch).float().flatten(1).cpu().numpy())
            embedding = identity.embedding(batch).float()
            embeddings.append(torch.nn.functional.normalize(embedding, dim=1).cpu().numpy())
    return _Judged(np.concatenate(probabilities), np.concatenate(features), np.concatenate(embeddings))


def _fidelity(
    images: np.ndarray, faces: np.ndarray, reference: np.ndarray, compared: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    from skimage.metrics import structural_similarity

    ssim = np.full(len(images), np.nan)
    psnr = np.full(len(images), np.nan)
    at = np.flatnonzero(compared)
    if not len(at):
        return ssim, psnr
    real = centre_crop(faces[reference[at]], size).astype(np.float64) / 255
    for position, truth in zip(at, real, strict=True):
        image = images[position].astype(np.float64) / 255
        ssim[position] = structural_similarity(
            truth, image, data_range=1.0, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        error = np.mean((truth - image) ** 2)
        # An image without any error has no finite PSNR; 8 bits resolve no more than this bound.
        psnr[position] = -10 * np.log10(max(error, 1 / (12 * 255**2)))
    return ssim, psnr


def _verification_auc(
    outputs: np.ndarray, rows: pd.DataFrame, gallery: np.ndarray, gallery_table: pd.DataFrame
) -> float:
    """AUC of output-to-real pairs of one subject against pairs of two subjects; NaN where one kind is missing."""
    from sklearn.metrics import roc_auc_score

    same = rows["subject"].to_numpy()[:, None] == gallery_table["subject"].to_numpy()[None, :]
    own_sequence = rows["sequence_id"].to_numpy()[:, None] == gallery_table["sequence_id"].to_numpy()[None, :]
    kept = ~own_sequence
    truth = same[kept]
    if truth.all() or not truth.any():
        return float("nan")
    return float(roc_auc_score(truth, (outputs @ gallery.T)[kept]))
