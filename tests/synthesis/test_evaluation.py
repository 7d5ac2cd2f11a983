"""The judgement of synthetic faces, against independent computations."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fersnet.errors import UserError
from fersnet.expressions import SIX
from fersnet.report.files import EVALUATION_COLUMNS, SET_COLUMNS, read_systems
from fersnet.synthesis.evaluation import centre_crop, evaluate_fold, kernel_distance

SIZE = 24
EXPRESSION_LEVEL = {expression: 20 + 40 * index for index, expression in enumerate(SIX)}


class Judge(torch.nn.Module):
    """Reads the expression off the brightness of the top half, where the invented faces carry it."""

    def features(self, images):
        return images[:, 0, : SIZE // 2].flatten(1)

    def forward(self, images):
        level = 255 * images[:, 0, : SIZE // 2].mean((1, 2))
        levels = torch.tensor([EXPRESSION_LEVEL[expression] for expression in SIX], dtype=torch.float32)
        return -((level[:, None] - levels) ** 2) / 100


class Identity(torch.nn.Module):
    """Reads the subject off the pattern of the bottom half."""

    def embedding(self, images):
        return images[:, 0, SIZE // 2 :].flatten(1) - 0.5


def invented_store(subjects=("A", "B", "C"), missing=(("C", "fear"),), stored=30):
    rng = np.random.default_rng(3)
    patterns = {subject: rng.integers(40, 215, (stored, stored)) for subject in subjects}
    images, rows = [], []
    for subject in subjects:
        for expression in SIX:
            if (subject, expression) in missing:
                continue
            for frame in (8, 9):
                face = patterns[subject] + rng.integers(-3, 4, (stored, stored))
                face[: stored // 2] = EXPRESSION_LEVEL[expression] + rng.integers(-2, 3, (stored // 2, stored))
                images.append(face.clip(0, 255).astype(np.uint8)[..., None])
                rows.append((f"{subject}-{expression}", subject, expression, frame, "peak"))
    table = pd.DataFrame(rows, columns=["sequence_id", "subject", "expression", "frame", "role"])
    return SimpleNamespace(images=np.stack(images), table=table)


def invented_pairs(store, subjects):
    rows = [row for row, subject in enumerate(store.table["subject"]) if subject in subjects]
    source = np.repeat(rows, len(SIX))
    return source, np.array(list(SIX) * len(rows))


def evaluated(store, syntheses, subjects=frozenset("ABC"), **options):
    return evaluate_fold(store, syntheses, Judge(), Identity(), SIZE, subjects, classes=SIX, **options)


@pytest.fixture
def case():
    store = invented_store()
    source, target = invented_pairs(store, "ABC")
    copies = centre_crop(store.images[source], SIZE)
    repainted = copies.copy()
    for position, expression in enumerate(target):
        repainted[position, : SIZE // 2] = EXPRESSION_LEVEL[expression]
    noise = np.random.default_rng(0).integers(0, 256, copies.shape).astype(np.uint8)
    syntheses = {
        name: {"images": images, "source": source, "target": target}
        for name, images in (("good", repainted), ("noise", noise))
    }
    return store, syntheses


def test_rows_hold_every_image_of_every_system(case):
    store, syntheses = case
    rows = evaluated(store, syntheses).images
    n = len(syntheses["good"]["source"])
    counts = rows["method"].value_counts()
    assert counts["good"] == counts["noise"] == counts["identity_map"] == n
    # Subject C never showed fear: its ten source frames have no real image of that target.
    assert counts["real_target"] == n - 10
    probabilities = rows[[f"p_{expression}" for expression in SIX]].to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (rows["predicted"].to_numpy() == np.array(SIX)[probabilities.argmax(axis=1)]).all()


def test_copying_the_input_does_not_win(case):
    rows = evaluated(*case).images
    accuracy = (rows["predicted"] == rows["target"]).groupby(rows["method"]).mean()
    assert accuracy["good"] == accuracy["real_target"] == 1
    assert accuracy["identity_map"] == pytest.approx(1 / 6)
    similarity = rows.groupby("method")[["ssim", "psnr", "identity_cosine"]].mean()
    assert similarity.loc["identity_map", "identity_cosine"] == pytest.approx(1, abs=1e-5)
    assert similarity.loc["good", "ssim"] > similarity.loc["identity_map", "ssim"]
    assert similarity.loc["good", "psnr"] > similarity.loc["identity_map", "psnr"]


def test_fidelity_compares_with_the_last_real_peak_frame_of_the_target(case):
    from skimage.metrics import peak_signal_noise_ratio

    store, syntheses = case
    rows = evaluated(store, syntheses).images
    good = rows[rows["method"] == "good"].reset_index(drop=True)
    row = good[(good["subject"] == "B") & (good["expression"] == "anger") & (good["target"] == "sadness")].index[0]
    table = store.table
    real = table.index[(table["sequence_id"] == "B-sadness") & (table["frame"] == 9)][0]
    truth = centre_crop(store.images[[real]], SIZE)[0] / 255.0
    image = syntheses["good"]["images"][row] / 255.0
    assert good.loc[row, "psnr"] == pytest.approx(peak_signal_noise_ratio(truth, image, data_range=1.0))
    same = good["expression"] == good["target"]
    unpaired = (good["subject"] == "C") & (good["target"] == "fear")
    assert good.loc[same | unpaired, "ssim"].isna().all()
    assert good.loc[~same & ~unpaired, "ssim"].notna().all()
    assert rows.loc[rows["method"] == "real_target", "psnr"].isna().all()


def test_kernel_distance_uses_equal_n_and_smaller_subsets(case):
    sets = evaluated(*case).sets.set_index("method")
    assert sets["n"].nunique() == 1 and (sets["subset_size"] < sets["n"]).all()
    assert sets.loc["noise", "kid_fer"] > sets.loc["good", "kid_fer"]
    assert sets.loc["good", "identity_auc"] > 0.95 > 0.7 > sets.loc["noise", "identity_auc"]


def test_kernel_distance_agrees_with_torchmetrics():
    from torchmetrics.image.kid import poly_mmd

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 7)), rng.normal(0.5, 1, size=(30, 7))
    ours, n, size = kernel_distance(x, y, subsets=1, subset_size=15, seed=4)
    draws = np.random.default_rng(4)
    first, second = x[draws.choice(30, 15, replace=False)], y[draws.choice(30, 15, replace=False)]
    theirs = poly_mmd(torch.from_numpy(first), torch.from_numpy(second), degree=3, gamma=None, coef=1.0)
    assert (n, size) == (30, 15)
    assert ours == pytest.approx(float(theirs))
    assert np.isnan(kernel_distance(x[:3], y)[0])


def test_verification_needs_another_sequence_and_another_subject():
    store = invented_store(subjects=("A",), missing=())
    source, target = invented_pairs(store, "A")
    images = centre_crop(store.images[source], SIZE)
    sets = evaluated(store, {"copy": {"images": images, "source": source, "target": target}}, frozenset("A")).sets
    assert sets["identity_auc"].isna().all()


def test_same_seed_same_bytes(case):
    first, second = evaluated(*case, seed=5), evaluated(*case, seed=5)
    pd.testing.assert_frame_equal(first.images, second.images)
    pd.testing.assert_frame_equal(first.sets, second.sets)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays | {"target": arrays["target"][::-1]}, "differ from those of good"),
        (lambda arrays: arrays | {"images": arrays["images"].astype(np.float32)}, "not uint8"),
        (lambda arrays: arrays | {"images": arrays["images"][:, :, :-1]}, "not uint8"),
    ],
)
def test_systems_must_share_faces_and_targets(case, change, message):
    store, syntheses = case
    with pytest.raises(UserError, match=message):
        evaluated(store, syntheses | {"noise": change(syntheses["noise"])})


def test_b1_a_fold_whose_subject_shows_none_of_the_expressions_gives_tables_without_rows(case, tmp_path):
    store, syntheses = case
    nothing = {
        name: {"images": arrays["images"][:0], "source": arrays["source"][:0], "target": arrays["target"][:0]}
        for name, arrays in syntheses.items()
    }
    empty, full = evaluated(store, nothing, frozenset("D")), evaluated(store, syntheses)
    for number, evaluation in enumerate((empty, full), start=1):
        (tmp_path / "own").mkdir(exist_ok=True)
        evaluation.images.to_parquet(tmp_path / "own" / f"fold{number}.parquet", index=False)
        evaluation.sets.to_csv(tmp_path / "own" / f"fold{number}_sets.csv", index=False)
    assert set(empty.images.columns) == set(full.images.columns) and empty.images.empty
    images = read_systems(sorted((tmp_path / "own").glob("*.parquet")), EVALUATION_COLUMNS)
    sets = read_systems(sorted((tmp_path / "own").glob("*_sets.csv")), SET_COLUMNS)
    assert len(images) == len(full.images) and len(sets) == len(full.sets)
    assert images["ssim"].dtype == sets["kid_fer"].dtype == np.float64


def test_training_subjects_are_refused(case):
    with pytest.raises(UserError, match="subject C is not tested"):
        evaluated(*case, subjects=frozenset("AB"))
    with pytest.raises(UserError, match="no system"):
        evaluated(case[0], {})
