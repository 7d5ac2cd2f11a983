"""The figures: what they show, whom they may show, and that equal data give equal bytes."""

import shutil
from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from invented_results import DATASETS, SUBJECTS, SYSTEMS, description

from fersnet.errors import UserError
from fersnet.expressions import SIX
from fersnet.methods.find import find_known
from fersnet.report.ablation import draw_ablation
from fersnet.report.augmentation import class_counts, draw_class_counts
from fersnet.report.confusion import draw_confusion, recognition_confusion, synthesis_confusion
from fersnet.report.description import describe
from fersnet.report.files import read_by_dataset, read_histories, read_predictions
from fersnet.report.gates import choose_gates, draw_gates
from fersnet.report.grids import draw_grid, draw_strip, grid_blocks
from fersnet.report.publication import credit, may_be_shown, why_nobody
from fersnet.report.ranking import draw_ranking
from fersnet.report.scatter import draw_scatter
from fersnet.report.style import save_figure
from fersnet.report.training import draw_training
from fersnet.settings.report import ReportSettings

SETTINGS = ReportSettings(bootstrap_samples=200)
CKPLUS = find_known({}).readers["ckplus"].declared.terms
REAL = description(
    embedded=dict.fromkeys(DATASETS, False),
    shown={"ckplus": CKPLUS.shown, "oulu_casia": "everybody", "mmi": "by permission"},
    credits={"ckplus": CKPLUS.credit, "oulu_casia": "Faces: somebody's, CC BY 4.0."},
)


def texts(figure) -> str:
    found = [figure.get_supxlabel(), figure.get_suptitle()]
    for axes in figure.axes:
        found += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), *(text.get_text() for text in axes.texts)]
        found += [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    return " ".join(found).replace("\n", " ")


def blocks_of(run_folder, dataset="ckplus", run=None, settings=SETTINGS):
    files = {system: sorted((run_folder / "synthesis" / dataset / system).glob("*.npz")) for system in SYSTEMS}
    return grid_blocks(dataset, run_folder / "datasets" / dataset, files, run or description(), settings)


def small_table() -> pd.DataFrame:
    rows = [
        ("fersnet_without_mtl", "FERSNet w/o MTL", "ckplus", 94.7, 60.0, 50.0, 70.0, 30),
        ("fersnet", "FERSNet", "ckplus", 97.35, 80.0, 70.0, 90.0, 30),
        ("derl", "DeRL", "ckplus", 97.3, np.nan, np.nan, np.nan, np.nan),
    ]
    columns = ["method", "name", "dataset", "reported", "accuracy", "ci_low", "ci_high", "n_sequences"]
    return pd.DataFrame(rows, columns=columns).assign(identity_cosine=[0.5, 0.7, np.nan], n_images=60)


def test_a_grid_shows_every_system_and_expression_of_the_source(run_folder):
    blocks = blocks_of(run_folder)
    assert [block.drawn for block in blocks] == ["chosen"] * 2 + ["random"] * 2
    assert len({block.subject for block in blocks}) == 4
    table = pd.read_parquet(run_folder / "datasets" / "ckplus" / "faces.parquet")
    faces = np.load(run_folder / "datasets" / "ckplus" / "faces.npy")
    for block in blocks:
        assert list(block.faces) == [*SYSTEMS, "real"]
        assert all(set(block.faces[system]) == set(SIX) for system in SYSTEMS)
        own = table[(table["subject"] == block.subject) & (table["expression"] == block.expression)]
        assert any(np.array_equal(block.image, faces[row, 3:35, 3:35]) for row in own.index)
        assert set(block.faces["real"]) == set(table.loc[table["subject"] == block.subject, "expression"])
    again = blocks_of(run_folder)
    assert [block.subject for block in again] == [block.subject for block in blocks]
    other = {block.subject for seed in range(8) for block in blocks_of(run_folder, run=description(seed=seed))}
    assert len(other) > 4
    shown = texts(draw_grid("ckplus", blocks, description()))
    for word in ("Input", "CAAE", "StarGAN", "FERSNet", "(chosen)", "(random)", "embedded faces", "n = 4"):
        assert word in shown
    assert CKPLUS.credit not in shown
    assert "n = 4 of the test subjects; last epoch; 3 subject-wise folds" in shown
    one = texts(draw_grid("ckplus", blocks, description(judged={"ckplus": (1,)})))
    assert "fold 1 of 3 subject-wise folds" in one


def test_c3_a_grid_has_a_column_for_each_expression_that_there_is(run_folder):
    """Case C3: with two classes two columns, whatever else the subject shows of its own."""
    two = ("happiness", "sadness")
    blocks = [
        replace(block, faces={
            row: faces if row == "real" else {name: faces[name] for name in two} for row, faces in block.faces.items()
        })
        for block in blocks_of(run_folder)
    ]  # fmt: skip
    assert {block.columns for block in blocks} == {two}
    shown = texts(draw_grid("ckplus", blocks, description())).split()
    assert shown.count("Ha") == shown.count("Sa") == len(blocks)
    assert not {"An", "Co", "Di", "Fe", "Su"} & set(shown)


def test_real_ckplus_subjects_without_consent_are_never_shown(run_folder):
    blocks = blocks_of(run_folder, run=REAL)
    assert {block.subject for block in blocks} == {"S052", "S055", "S074", "S106"}
    assert CKPLUS.credit in texts(draw_grid("ckplus", blocks, REAL))
    assert {block.subject for block in blocks_of(run_folder, "oulu_casia", REAL)} & {"S005", "S010"}
    nobody = SETTINGS.model_copy(update={"ckplus_consent": ()})
    assert blocks_of(run_folder, run=REAL, settings=nobody) == []
    assert "consent" in texts(draw_grid("ckplus", [], REAL))
    with pytest.raises(UserError, match=r"chosen_subjects\.ckplus: 'S005'"):
        blocks_of(run_folder, run=REAL, settings=SETTINGS.model_copy(update={"chosen_subjects": {"ckplus": ("S005",)}}))


def test_the_credit_stands_under_faces_that_everybody_may_see(run_folder):
    blocks = blocks_of(run_folder, "oulu_casia", REAL)
    assert "Faces: somebody's, CC BY 4.0." in texts(draw_grid("oulu_casia", blocks, REAL))
    assert "somebody" not in texts(draw_grid("oulu_casia", blocks, description(credits=REAL.credits)))


def test_a_set_whose_terms_do_not_allow_it_shows_nobody(run_folder):
    assert blocks_of(run_folder, "ckplus", description(embedded=REAL.embedded)) == []
    assert may_be_shown("mmi", SUBJECTS, REAL, SETTINGS) == () and credit("mmi", REAL) == ""
    files = list((run_folder / "gates" / "mmi").glob("*.npz"))
    assert choose_gates("mmi", files, REAL, SETTINGS) is None
    assert "the terms of MMI do not allow it" in texts(draw_gates("mmi", None, REAL))
    assert "report.permitted" in why_nobody("mmi", REAL)


def test_the_terms_of_the_reader_count_and_what_is_permitted(tmp_path):
    from fersnet.settings.load import load_settings

    own = dict.fromkeys(("ckplus", "oulu_casia", "mmi"))
    own |= {key: {"reader": key, "root": str(tmp_path)} for key in ("oulu_casia", "mmi")}
    own |= {"mine": {"reader": "ckplus", "root": str(tmp_path)}, "lab": {"reader": "folder", "root": str(tmp_path)}}
    own |= {"drawn": {"reader": "mmi"}}
    config = {"datasets": own, "variants": {"fersnet": {"name": "FERSNet"}}, "synthesis": {"datasets": ["lab"]}}
    config["report"] = {"permitted": ["mmi"]}
    run = describe(load_settings(config, []), {})
    assert may_be_shown("mine", SUBJECTS, run, SETTINGS) == ("S052", "S055", "S074", "S106")
    assert may_be_shown("oulu_casia", SUBJECTS, run, SETTINGS) == ()
    assert may_be_shown("mmi", SUBJECTS, run, SETTINGS) == SUBJECTS, "report.permitted"
    assert may_be_shown("lab", SUBJECTS, run, SETTINGS) == SUBJECTS, "the user's own data"
    assert may_be_shown("drawn", SUBJECTS, run, SETTINGS) == SUBJECTS, "rendered"
    assert credit("mine", run) == CKPLUS.credit and credit("drawn", run) == ""
    with pytest.raises(UserError, match=r"report\.permitted: 'kdef' is not a dataset"):
        load_settings(config | {"report": {"permitted": ["kdef"]}}, [])


def test_unknown_data_count_as_real():
    assert may_be_shown("ckplus", SUBJECTS, description(embedded={}), SETTINGS) == ()
    short = SETTINGS.model_copy(update={"ckplus_consent": ("S52",)})
    assert may_be_shown("ckplus", SUBJECTS, REAL, short) == ("S052",)


def test_gates_take_the_first_fold_whose_face_may_be_shown(run_folder):
    files = list((run_folder / "gates" / "ckplus").glob("*.npz"))
    assert str(choose_gates("ckplus", files, description(), SETTINGS)["subject"]) == "S005"
    arrays = choose_gates("ckplus", files, REAL, SETTINGS)
    assert str(arrays["subject"]) == "S052"
    figure = draw_gates("ckplus", arrays, REAL)
    assert CKPLUS.credit in texts(figure) and "Level 3" in texts(figure)
    limits = {image.get_clim() for axes in figure.axes for image in axes.images if image.get_cmap().name == "viridis"}
    assert limits == {(0, 1)}
    nobody = SETTINGS.model_copy(update={"ckplus_consent": ()})
    assert choose_gates("ckplus", files, REAL, nobody) is None
    assert "consent" in texts(draw_gates("ckplus", None, REAL))


def test_b1_a_fold_without_a_test_face_has_no_gates(run_folder, tmp_path):
    np.savez(tmp_path / "fold1.npz")
    assert choose_gates("mmi", [tmp_path / "fold1.npz"], description(), SETTINGS) is None
    shutil.copy(run_folder / "gates" / "mmi" / "fold2.npz", tmp_path)
    arrays = choose_gates("mmi", sorted(tmp_path.glob("*.npz")), description(), SETTINGS)
    assert str(arrays["subject"]) == "S010"


def test_gates_without_a_subject_are_refused_where_consent_is_needed(tmp_path):
    np.savez(tmp_path / "fold1.npz", image=np.zeros((8, 8, 1), np.uint8), z_recognition_1=np.zeros((4, 4)))
    with pytest.raises(UserError, match="'subject' is missing"):
        choose_gates("ckplus", [tmp_path / "fold1.npz"], REAL, SETTINGS)
    assert choose_gates("oulu_casia", [tmp_path / "fold1.npz"], REAL, SETTINGS) is not None


def test_confusion_counts_sequences(run_folder):
    predictions = read_predictions(sorted((run_folder / "predictions" / "ckplus" / "fersnet").glob("*.parquet")))
    counts = recognition_confusion(predictions)
    truth = predictions.drop_duplicates("sequence_id")["expression"].value_counts()
    assert counts.sum(axis=1).to_dict() == truth.reindex(counts.index, fill_value=0).to_dict()
    shown = texts(draw_confusion(counts, "ckplus", "fersnet", description()))
    assert f"n = {len(predictions) // 3} sequences" in shown and "FERSNet, CK+" in shown
    judged = pd.DataFrame({"target": ["anger", "anger", "fear"], "predicted": ["anger", "fear", "fear"]})
    assert synthesis_confusion(judged).to_numpy().tolist() == [[1, 1], [0, 1]]


def test_class_counts_before_and_after(run_folder):
    folder = run_folder / "datasets" / "mmi"
    faces, folds = pd.read_parquet(folder / "faces.parquet"), pd.read_csv(folder / "folds.csv")
    files = sorted((run_folder / "augmentation" / "mmi").glob("*.csv"))
    synthetic = read_by_dataset(files, ("subject", "source", "target", "confidence"))
    counts = class_counts(faces, folds, synthetic, "last").set_index(["fold", "expression"])
    for fold in (1, 2, 3):
        tested = set(folds.loc[folds["fold"] == fold, "sequence_id"])
        real = faces[~faces["sequence_id"].isin(tested)]["expression"].value_counts()
        assert counts.loc[fold]["real"].to_dict() == real.reindex(list(SIX)).to_dict()
    assert counts["synthetic"].sum() == len(synthetic)
    dropped = synthetic.assign(kept=synthetic.index % 2 == 0)
    kept = class_counts(faces, folds, dropped, "last")
    assert kept["synthetic"].sum() == dropped["kept"].sum()
    nothing = class_counts(faces, folds, synthetic.iloc[:0], "last")
    assert nothing["synthetic"].sum() == 0 and nothing["real"].sum() == counts["real"].sum()
    assert "synthetic" in texts(draw_class_counts(nothing, "mmi", description()))
    with pytest.raises(UserError, match="does not train in this fold"):
        class_counts(faces, folds, synthetic, "validation")


def test_ranking_orders_re_run_methods_first():
    figure = draw_ranking(small_table(), "ckplus", description())
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["DeRL", "FERSNet w/o MTL", "FERSNet"]  # From below.


def test_figures_of_an_empty_run_say_so():
    empty = small_table().assign(accuracy=np.nan)
    assert "No system" in texts(draw_scatter(empty, description()))
    histories = pd.DataFrame(columns=["stage", "epoch", "dataset", "method", "fold"])
    assert "No training history" in texts(draw_training(histories, "ckplus", description()))


def test_every_figure_states_run_data_n_and_selection(run_folder):
    histories = read_histories(sorted((run_folder / "models").glob("mmi/*/*/history.csv")))
    strip = np.zeros((2, 5, 8, 8, 1), dtype=np.uint8)
    run = description(selection="test_best")
    figures = [
        draw_ablation(small_table(), run),
        draw_ranking(small_table(), "ckplus", run),
        draw_scatter(small_table(), run),
        draw_training(histories, "mmi", run),
        draw_strip(strip, ("Ha", "Su"), tuple("12345"), "Intensity", run.words(["ckplus"], "n = 2 faces")),
    ]
    for figure in figures:
        shown = texts(figure)
        assert "Run invented" in shown and "embedded" in shown and "n = " in shown and "(optimistic)" in shown


TASTE = {
    "text.usetex": True,
    "font.size": 20.0,
    "axes.grid": True,
    "axes.unicode_minus": False,
    "xtick.direction": "in",
    "savefig.facecolor": "black",
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "figure.constrained_layout.h_pad": 0.5,
    "image.origin": "lower",
    "patch.force_edgecolor": True,
    "path.simplify": False,
    "pdf.compression": 0,
}
"""Settings as they stand in the matplotlibrc of some user, who need not have LaTeX."""


@pytest.mark.parametrize("kind", ["ablation", "confusion", "grid", "message"])
def test_e1_same_data_same_bytes_whatever_the_user_has_set(run_folder, tmp_path, kind):
    def draw():
        if kind == "ablation":
            return draw_ablation(small_table(), description())
        if kind == "confusion":
            judged = pd.DataFrame({"target": ["anger", "anger", "fear"], "predicted": ["anger", "fear", "fear"]})
            return draw_confusion(synthesis_confusion(judged), "ckplus", "fersnet", description())
        if kind == "grid":
            return draw_grid("ckplus", blocks_of(run_folder)[:1], description())
        return draw_grid("ckplus", [], description())

    first = save_figure(draw(), tmp_path / "a" / "figure.x", 60)
    with matplotlib.rc_context(TASTE):
        second = save_figure(draw(), tmp_path / "b" / "figure.x", 60)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert [path.name for path in first] == ["figure.x.png", "figure.x.pdf"]
    assert b"CreationDate" not in first[1].read_bytes()
