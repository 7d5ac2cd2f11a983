"""Writes the files of a small run with invented contents, in the layout of `results/{run}/`."""

from pathlib import Path

import numpy as np
import pandas as pd

from fersnet.expressions import SEVEN, SIX
from fersnet.methods.find import find_known
from fersnet.report.description import RunDescription
from fersnet.report.table import Table, columns
from fersnet.settings.presets import PUBLISHED

SUBJECTS = ("S005", "S010", "S052", "S055", "S074", "S106")
FOLDS = 3
SIZE, STORED = 32, 38
METHODS = ("fersnet_without_mtl", "fersnet_without_convflu", "fersnet", "fersnet_fes_da", "lbp_top")
SYSTEMS = ("caae", "cyclegan", "exprgan", "stargan", "fersnet")
SKILL = {"fersnet_without_mtl": 0.5, "fersnet_without_convflu": 0.6, "fersnet": 0.8, "fersnet_fes_da": 0.85}
CLASSES = {"ckplus": SEVEN, "oulu_casia": SIX, "mmi": SIX}
DATASETS = tuple(CLASSES)
KNOWN = find_known({})
NAMES = {
    **{
        key: found.declared.name
        for kind in (KNOWN.systems, KNOWN.recognisers, KNOWN.readers)
        for key, found in kind.items()
    },
    **{key: variant["name"] for key, variant in PUBLISHED["variants"].items()},
}


def description(**changes) -> RunDescription:
    fields = {
        "run": "invented",
        "embedded": dict.fromkeys(DATASETS, True),
        "selection": "last",
        "fold_scheme": "strided",
        "folds": dict.fromkeys(DATASETS, FOLDS),
        "seed": 1,
        "names": NAMES,
    }
    return RunDescription(**(fields | changes))


def face(subject: str, expression: str, size: int, rng: np.random.Generator, shift: float = 0.0) -> np.ndarray:
    """A disc with eyes and a mouth that bends with the expression: grey uint8 (size, size, 1)."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    tone = 120 + 10 * SUBJECTS.index(subject)
    image = np.where(x**2 + y**2 < 0.8, tone, 40.0)
    bend = {"happiness": 0.5, "surprise": 0.0, "sadness": -0.5, "anger": -0.25, "fear": 0.2}.get(
        expression, 0.1
    ) + shift
    image[np.abs(y - 0.4 + bend * x**2) < (0.16 if expression == "surprise" else 0.06)] = 60
    for side in (-0.35, 0.35):
        image[(x - side) ** 2 + (y + 0.25) ** 2 < 0.015] = 20
    return (image + rng.normal(0, 4, image.shape)).clip(0, 255).astype(np.uint8)[..., None]


def write_run(root: Path) -> Path:
    """Write everything that the report reads, and return the run's folder."""
    rng = np.random.default_rng(0)
    for dataset in DATASETS:
        table = write_faces(root / "datasets" / dataset, dataset, rng)
        for fold in range(1, FOLDS + 1):
            tested = table[table["fold"] == fold]
            for method in METHODS:
                frame = predictions(tested, CLASSES[dataset], SKILL.get(method, 0.45), rng)
                if method == "lbp_top":
                    frame = frame.drop_duplicates("sequence_id").assign(frame=-1)
                save(frame, root / "predictions" / dataset / method / f"fold{fold}.parquet")
                save(history(rng), root / "models" / dataset / method / f"fold{fold}" / "history.csv")
            rules = zip(("last", "validation", "test_best"), (0.7, 0.7, 0.85), (6, 4, 5), strict=True)
            chosen = [
                predictions(tested, CLASSES[dataset], skill, rng).assign(rule=rule, epoch=epoch + fold)
                for rule, skill, epoch in rules
            ]
            save(pd.concat(chosen), root / "selection" / dataset / f"fold{fold}.parquet")
            write_augmentation(root, dataset, fold, table, rng)
            write_gates(root, dataset, fold, rng)
            if dataset != "mmi":
                write_synthesis(root, dataset, fold, table, rng)
    jobs(root)
    return root


def write_faces(folder: Path, dataset: str, rng: np.random.Generator) -> pd.DataFrame:
    images, rows, sequences = [], [], []
    for position, subject in enumerate(SUBJECTS):
        for expression in CLASSES[dataset]:
            if dataset != "oulu_casia" and rng.random() < 0.25:
                continue
            sequence = f"{subject}_{expression}"
            fold = position % FOLDS + 1
            sequences.append((sequence, subject, expression, fold))
            for frame in (8, 9, 10):
                images.append(face(subject, expression, STORED, rng))
                rows.append((sequence, subject, expression, frame, "peak", fold))
    table = pd.DataFrame(rows, columns=["sequence_id", "subject", "expression", "frame", "role", "fold"])
    folder.mkdir(parents=True)
    np.save(folder / "faces.npy", np.stack(images))
    save(table.drop(columns="fold"), folder / "faces.parquet")
    folds = pd.DataFrame(sequences, columns=["sequence_id", "subject", "expression", "fold"])
    save(folds, folder / "folds.csv")
    index = folds.drop(columns="fold").assign(n_frames=11, apex=[[8, 9, 10]] * len(folds))
    save(index, folder / "index.parquet")
    return table


def predictions(tested: pd.DataFrame, classes: tuple[str, ...], skill: float, rng: np.random.Generator) -> pd.DataFrame:
    frame = tested[["sequence_id", "subject", "expression", "frame"]].reset_index(drop=True)
    scores = rng.gumbel(size=(len(frame), len(classes)))
    right = np.array([classes.index(expression) for expression in frame["expression"]])
    scores[np.arange(len(frame)), right] += 5 * skill
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    frame["predicted"] = np.array(classes, dtype=object)[probabilities.argmax(axis=1)]
    for index, expression in enumerate(classes):
        frame[f"p_{expression}"] = probabilities[:, index]
    return frame


def history(rng: np.random.Generator) -> pd.DataFrame:
    epochs = np.arange(1, 9)
    frame = pd.DataFrame({"stage": "joint", "epoch": epochs, "seconds": 1.0})
    for name in ("classification", "reconstruction", "adversarial", "cycle", "identity"):
        frame[name] = np.exp(-epochs / 3) + 0.05 * rng.random(8)
    return frame.assign(test_accuracy=1 - np.exp(-epochs / 3) + 0.05 * rng.random(8))


def write_synthesis(root: Path, dataset: str, fold: int, table: pd.DataFrame, rng: np.random.Generator) -> None:
    rows = table.index[(table["fold"] == fold) & (table["expression"] != "contempt")].to_numpy()
    source, target = np.repeat(rows, len(SIX)), np.array(list(SIX) * len(rows))
    subjects = table["subject"].to_numpy()[source]
    frames, sets = [], []
    for rank, method in enumerate((*SYSTEMS, "identity_map", "real_target")):
        if method in SYSTEMS:
            images = [face(*pair, SIZE, rng, 0.1 * (4 - rank)) for pair in zip(subjects, target, strict=True)]
            path = root / "synthesis" / dataset / method / f"fold{fold}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, images=np.stack(images), source=source, target=target)
        truth = table["expression"].to_numpy()[source] if method == "identity_map" else target
        base = pd.DataFrame({"sequence_id": table["sequence_id"].to_numpy()[source], "subject": subjects})
        judged = predictions(base.assign(expression=truth, frame=source), SIX, 0.4 + 0.12 * rank, rng)
        judged = judged.rename(columns={"frame": "source"}).assign(
            method=method,
            target=target,
            expression=table["expression"].to_numpy()[source],
            ssim=0.5 + 0.05 * rank,
            psnr=15.0 + rank,
            identity_cosine=1.0 if method == "identity_map" else 0.5 + 0.07 * rank,
        )
        frames.append(judged)
        sets.append({"method": method, "kid_fer": 0.1 / (rank + 1), "identity_auc": 0.6 + 0.05 * rank, "n": 30})
    save(pd.concat(frames, ignore_index=True), root / "evaluation" / dataset / f"fold{fold}.parquet")
    save(pd.DataFrame(sets), root / "evaluation" / dataset / f"fold{fold}_sets.csv")


def write_augmentation(root: Path, dataset: str, fold: int, table: pd.DataFrame, rng: np.random.Generator) -> None:
    people = table.loc[table["fold"] != fold, "subject"].unique()
    rows = [
        (person, CLASSES[dataset][0], target, rng.random())
        for person in people
        for target in SIX
        for _ in range(rng.integers(0, 4))
    ]
    frame = pd.DataFrame(rows, columns=["subject", "source", "target", "confidence"])
    save(frame, root / "augmentation" / dataset / f"fold{fold}.csv")


def write_utility(root: Path, dataset: str) -> None:
    """Recognisers that are trained with the faces of each system, and what was drawn for them."""
    rng = np.random.default_rng(1)
    tested = pd.read_parquet(root / "datasets" / dataset / "faces.parquet")
    folds = pd.read_csv(root / "datasets" / dataset / "folds.csv").set_index("sequence_id")["fold"]
    tested["fold"] = tested["sequence_id"].map(folds)
    for fold in range(1, FOLDS + 1):
        for rank, system in enumerate(SYSTEMS):
            frame = predictions(tested[tested["fold"] == fold], CLASSES[dataset], 0.4 + 0.1 * rank, rng)
            save(frame, root / "predictions" / dataset / f"utility_{system}" / f"fold{fold}.parquet")
            sources = tested[tested["fold"] != fold].head(10).reset_index()
            drawn = sources[["sequence_id", "subject"]].assign(target="fear", kept=[True] * 8 + [False] * 2)
            drawn["predicted"] = ["fear"] * (rank + 1) + ["anger"] * (9 - rank)
            save(drawn, root / "augmentation" / dataset / f"utility_{system}" / f"fold{fold}.csv")


def write_gates(root: Path, dataset: str, fold: int, rng: np.random.Generator) -> None:
    subject = SUBJECTS[fold - 1]
    maps = {}
    for level, side in enumerate((16, 8, 4), start=1):
        y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
        maps[f"z_recognition_{level}"] = np.exp(-2 * (x**2 + (y - 0.4) ** 2))
        maps[f"z_synthesis_{level}"] = 0.3 + 0.2 * rng.random((side, side))
    path = root / "gates" / dataset / f"fold{fold}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, image=face(subject, "happiness", SIZE, rng), subject=np.array(subject), **maps)


def jobs(root: Path) -> None:
    rows = [
        (
            "train_fersnet" if method.startswith("fersnet") else "train_baseline",
            dataset,
            method,
            fold,
            f"r{fold}",
            "FINISHED",
        )
        for dataset in DATASETS
        for method in METHODS
        for fold in range(1, FOLDS + 1)
    ]
    rows += [("train_rival", "ckplus", system, 1, "r", "FINISHED") for system in SYSTEMS[:-1]]
    rows += [("report", "", "", "", "r", "RUNNING"), ("train_fersnet", "ckplus", "fersnet", 1, "old", "FAILED")]
    frame = pd.DataFrame(rows, columns=["rule", "dataset", "method", "fold", "run_id", "status"])
    save(frame.assign(seconds=120.0, peak_memory_mb=900.5, device="cpu", threads=2), root / "jobs.csv")


def save(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)


def hostile_table() -> Table:
    """A table whose texts mean something to Markdown and LaTeX."""
    name = r"50 % of_A&B \ ~^ {x} $y$ #1 | *<b>*"
    frame = pd.DataFrame({"method": ["a", "b"], "name": [name, "plain"], "accuracy": [50.0, np.nan]})
    printed = columns("name", "accuracy")
    return Table("hostile", frame, "Caption & 100 %", "Run a_b.", ("A `note_1`.",), printed, best=("accuracy",))
