"""What quoted figures are shares of, and this run's accuracy in the same unit."""

from pathlib import Path

import pandas as pd
import pytest

from fersnet.errors import UserError
from fersnet.report.quoted import read_quoted
from fersnet.report.table import read_json
from fersnet.report.units import Unit, accuracy_in, read_unit
from fersnet.report.writing import to_markdown

CONFIG = Path(__file__).resolve().parents[2] / "config"
QUOTED = read_quoted(CONFIG / "reported.csv")


def answers(*rows) -> pd.DataFrame:
    """Predictions from rows (fold, sequence, frame, p_anger); every face shows anger."""
    frame = pd.DataFrame(rows, columns=["fold", "sequence_id", "frame", "p_anger"])
    frame["predicted"] = ["anger" if p > 0.5 else "fear" for p in frame["p_anger"]]
    return frame.assign(subject="S1", expression="anger", p_fear=1 - frame["p_anger"], repeat=1)


def test_the_same_answers_in_every_unit():
    # Two of five faces, one of two sequences; by fold two of three faces and none of two.
    read = answers((1, "a", 1, 0.9), (1, "a", 2, 0.9), (1, "a", 3, 0.4), (2, "b", 1, 0.1), (2, "b", 2, 0.1))
    assert accuracy_in(Unit("images"), read) == 2 / 5
    assert accuracy_in(Unit("sequences"), read) == 1 / 2
    assert accuracy_in(Unit("images", "mean over folds"), read) == pytest.approx((2 / 3 + 0) / 2)
    assert accuracy_in(Unit("images", "cross-database"), read) == 2 / 5
    whole = read.drop_duplicates("sequence_id").assign(frame=-1)
    assert accuracy_in(Unit("sequences"), whole) == 1 / 2
    assert pd.isna(accuracy_in(Unit("images"), whole))  # One answer per sequence, none for its images.


def test_every_quoted_figure_has_a_unit_and_the_papers_own_are_shares_of_images():
    units = QUOTED.assign(of=[read_unit(text).of for text in QUOTED["unit"]])
    own = units[units["method"].str.startswith("fersnet") & (units["table"] != "synthesis")]
    assert set(own["of"]) == {"images"} and own["unit"].str.contains("/").all()
    figures = own.set_index(["dataset", "method"])["unit"]
    assert {"images (955/981)"} == set(figures["ckplus", "fersnet"])
    assert {"images (1202/1440)"} == set(figures["oulu_casia", "fersnet"])
    assert {"images (445/624)"} == set(figures["mmi", "fersnet"])
    assert set(units.loc[units["setting"] == "image sequence", "of"]) == {"sequences"}
    assert set(units.loc[units["table"] == "synthesis", "of"]) == {"synthetic images"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "images (955/981)",
            "images (954/981)",
            r"line 11: unit 'images \(954/981\)' is 97\.25 %, the accuracy is 97\.35",
        ),
        ("images (955/981)", "pictures", r"line 11: unit 'pictures' is no unit; write it like `images \(955/981\)`"),
        ("images (955/981)", "images (0/0)", "line 11: unit"),
        (",unit,", ",of,", "column 'unit' is missing"),
    ],
)
def test_a_wrong_unit_is_one_line_that_names_it(tmp_path, old, new, said):
    text = (CONFIG / "reported.csv").read_text(encoding="utf-8")
    (tmp_path / "reported.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UserError, match=said) as error:
        read_quoted(tmp_path / "reported.csv")
    assert "\n" not in str(error.value)


def test_figures_that_come_from_elsewhere_say_so_in_their_row(finished_run):
    table = read_json(finished_run / "tables" / "fer_oulu_casia.json")
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in to_markdown(table).splitlines()}
    assert "images, cross-database" in rows["IPA2LT"] and "images, own split (122/144)" in rows["ExprGAN"]
    note = next(note for note in table.notes if "Not to be compared" in note)
    assert "cross-database (IPA2LT)" in note and "own split (ExprGAN)" in note
    claims = read_json(finished_run / "tables" / "claims.json")
    assert any("IPA2LT (cross-database" in note and "ExprGAN (own split" in note for note in claims.notes)


def test_a_row_has_its_accuracy_in_the_unit_of_the_quoted_figure(finished_run):
    frame = pd.read_csv(finished_run / "tables" / "fer_ckplus.csv").set_index("method")
    assert frame.at["fersnet", "accuracy_in_unit"] == frame.at["fersnet", "frame_accuracy"]
    assert frame.at["lbp_top", "accuracy_in_unit"] == frame.at["lbp_top", "accuracy"]
    # Neither what was not re-run, nor what is not quoted.
    assert pd.isna(frame.at["derl", "accuracy_in_unit"]) and pd.isna(frame.at["fersnet_fes_da", "accuracy_in_unit"])
    selection = pd.read_csv(finished_run / "tables" / "selection.csv").set_index(["dataset", "rule"])
    assert selection.at[("mmi", "test_best"), "unit"] == "images (445/624)"
    assert (
        selection["accuracy_in_unit"].notna().sum() == 3
        and selection.loc["mmi"]["accuracy_in_unit"].notna()["test_best"]
    )
    ablation = pd.read_csv(finished_run / "tables" / "ablation.csv")
    assert (ablation["accuracy_in_unit"] == ablation["frame_accuracy"]).all()


def test_p_values_are_corrected_for_the_rows_of_the_table(finished_run):
    for name, tested in (("fer_ckplus", 4), ("ablation", 9)):
        frame = pd.read_csv(finished_run / "tables" / f"{name}.csv")
        plain, corrected = frame["mcnemar_p"], frame["mcnemar_p_holm"]
        assert plain.notna().sum() == corrected.notna().sum() == tested
        assert (corrected.dropna() >= plain.dropna()).all()
        smallest = plain.idxmin()
        assert corrected[smallest] == pytest.approx(min(1, tested * plain[smallest]), rel=1e-5)
        assert f"for the {tested} rows" in (finished_run / "tables" / f"{name}.md").read_text()
