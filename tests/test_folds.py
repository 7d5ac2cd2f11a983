"""Subject-wise folds: the published rule, disjointness, and what is refused."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fersnet.errors import UserError
from fersnet.folds import (
    assign_folds,
    check_chosen,
    check_folds,
    fold_of_subjects,
    judged_subjects,
    listed_folds,
    read_fold_list,
    read_folds,
    split_subjects,
    write_folds,
)
from fersnet.project import CONFIG
from fersnet.settings.data import FoldsSettings

SCHEMES = ("strided", "blocks", "leave_one_subject_out")


def sequences(subjects: list[str], each: int = 2) -> pd.DataFrame:
    rows = [(f"{subject}_{number}", subject, "fear") for subject in subjects for number in range(each)]
    return pd.DataFrame(rows, columns=["sequence_id", "subject", "expression"])


def ckplus_subjects() -> list[str]:
    return [f"S{number:03d}" for number in range(118)]


def test_strided_is_every_nth_sorted_subject():
    subjects = ckplus_subjects()
    folds = assign_folds(sequences(subjects[::-1]), FoldsSettings())
    for fold in range(1, 11):
        assert set(folds["subject"][folds["fold"] == fold]) == set(sorted(subjects)[fold - 1 :: 10])
    sizes = folds.groupby("fold")["subject"].nunique().tolist()
    assert sizes == [12] * 8 + [11] * 2


def test_blocks_share_the_remainder():
    folds = assign_folds(sequences(ckplus_subjects()), FoldsSettings(scheme="blocks"))
    blocks = [sorted(set(folds["subject"][folds["fold"] == fold])) for fold in range(1, 11)]
    assert [subject for block in blocks for subject in block] == ckplus_subjects()
    assert [len(block) for block in blocks] == [12] * 8 + [11] * 2


def test_subjects_to_be_shown_are_those_of_the_judged_folds():
    folds = assign_folds(sequences(["a", "b", "c", "d"]), FoldsSettings(count=3))
    assert judged_subjects(folds, None) == {"a", "b", "c", "d"}
    assert judged_subjects(folds, (1, 3)) == {"a", "c", "d"}
    with pytest.raises(UserError, match=r"report\.chosen_subjects\.mmi: 'b' .* choose among a, c, d"):
        check_chosen("mmi", ["b"], judged_subjects(folds, (1, 3)))


def test_leave_one_subject_out_has_a_fold_per_subject():
    folds = assign_folds(sequences(["b", "a", "c"]), FoldsSettings(scheme="leave_one_subject_out"))
    assert folds.drop_duplicates("subject").set_index("subject")["fold"].to_dict() == {"a": 1, "b": 2, "c": 3}


@settings(max_examples=40)
@given(
    subjects=st.sets(st.text("abS0159é ", min_size=1).filter(str.strip), min_size=3, max_size=40),
    count=st.integers(3, 12),
    scheme=st.sampled_from(SCHEMES),
    order=st.randoms(use_true_random=False),
)
def test_folds_partition_the_subjects(subjects, count, scheme, order):
    count = min(count, len(subjects))
    table = sequences(sorted(subjects)).sample(frac=1, random_state=order.randint(0, 1000))
    folds = assign_folds(table, FoldsSettings(count=count, scheme=scheme))
    check_folds(folds)
    total = len(subjects) if scheme == "leave_one_subject_out" else count
    assert sorted(set(folds["fold"])) == list(range(1, total + 1))
    tested = []
    for fold in range(1, total + 1):
        for hold_out in (False, True):
            split = split_subjects(folds, fold, hold_out)
            assert split.test and split.train and split.validation
            assert not split.test & split.train and not split.test & split.validation
            assert split.train | split.validation | split.test == subjects
            assert (split.validation <= split.train) != hold_out and (
                not hold_out or not split.validation & split.train
            )
            assert split.validation == split_subjects(folds, fold % total + 1, False).test
        tested += sorted(split.test)
    assert sorted(tested) == sorted(subjects)
    sizes = folds.groupby("fold")["subject"].nunique()
    assert sizes.max() - sizes.min() <= 1
    assert assign_folds(sequences(sorted(subjects)), FoldsSettings(count=count, scheme=scheme)).equals(folds)


def test_blocks_of_ravdess_have_both_sexes_and_strides_have_not():
    actors = [f"{actor:02d}" for actor in range(1, 25)]

    def sexes(scheme, count):
        folds = fold_of_subjects(actors, FoldsSettings(scheme=scheme, count=count))
        return {fold: {int(actor) % 2 for actor in actors if folds[actor] == fold} for fold in folds.values()}

    assert all(len(found) == 1 for found in sexes("strided", 6).values())
    assert all(len(found) == 2 for found in sexes("blocks", 6).values())


@pytest.mark.parametrize(
    ("name", "subjects", "sizes"),
    [
        ("ravdess", [f"{actor:02d}" for actor in range(1, 25)], [5, 5, 5, 5, 4]),
        ("cremad", [str(actor) for actor in range(1001, 1092)], [18, 18, 18, 18, 19]),
    ],
)
def test_the_published_lists_name_everybody(name, subjects, sizes):
    listed = read_fold_list(CONFIG / f"{name}_folds.csv")
    assert sorted(listed) == subjects
    assert [list(listed.values()).count(fold) for fold in range(1, 6)] == sizes
    folds = assign_folds(sequences(subjects[::-1]), FoldsSettings(), listed)
    assert dict(zip(folds["subject"], folds["fold"], strict=True)) == listed


def test_what_a_list_of_folds_may_lack(tmp_path):
    listed = {"a": 1, "b": 2, "c": 3, "d": 3}
    assert listed_folds(["a", "b", "c"], listed) == {"a": 1, "b": 2, "c": 3}
    with pytest.raises(UserError, match="no fold for e, f; add them"):
        listed_folds(["a", "e", "f"], listed)
    with pytest.raises(UserError, match="nobody of fold 2"):
        listed_folds(["a", "c"], listed)
    path = tmp_path / "folds.csv"
    for content, message in [
        ("subject;fold\na;1\n", "columns subject and fold"),
        ("subject,fold\na,x\n", "columns subject and fold"),
        ("subject,fold\na,1\na,2\nb,3\n", "subject a is in two folds"),
        ("subject,fold\na,1\nb,2\n", r"its folds are \[1, 2\]"),
        ("subject,fold\na,1\nb,2\nc,4\n", r"its folds are \[1, 2, 4\]"),
    ]:
        path.write_text(content)
        with pytest.raises(UserError, match=message):
            read_fold_list(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_fold_list(tmp_path / "none.csv")


def test_more_folds_than_subjects():
    with pytest.raises(UserError, match=r"folds\.count: 10 folds but only 4 labelled subjects; set it to 4 or less"):
        assign_folds(sequences(list("abcd")), FoldsSettings())
    with pytest.raises(UserError, match="at least two"):
        fold_of_subjects(["a", "a"], FoldsSettings(scheme="leave_one_subject_out"))


def test_two_folds_cannot_hold_out_validation():
    folds = assign_folds(sequences(list("ab")), FoldsSettings(scheme="leave_one_subject_out"))
    assert split_subjects(folds, 1, False).train == {"b"}
    with pytest.raises(UserError, match="use at least 3"):
        split_subjects(folds, 1, True)
    with pytest.raises(UserError, match="there are folds 1 to 2"):
        split_subjects(folds, 3, False)


def broken(change) -> pd.DataFrame:
    folds = assign_folds(sequences(list("abcd")), FoldsSettings(count=3))
    return change(folds.copy())


def with_value(row: int, column: str, value: object):
    def change(folds: pd.DataFrame) -> pd.DataFrame:
        folds[column] = folds[column].astype(object)
        folds.at[row, column] = value
        return folds

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_value(0, "fold", 3), "subject a lies in 2 folds"),
        (with_value(1, "sequence_id", "a_0"), "sequence a_0 occurs twice"),
        (with_value(3, "subject", " "), "empty subject in row 4"),
        (with_value(3, "subject", None), "empty subject in row 4"),
        (lambda folds: folds.assign(fold=folds["fold"] + 1), "are not 1 to n"),
        (lambda folds: folds.assign(fold=1), "are not 1 to n"),
        (lambda folds: folds.drop(columns="fold"), "no column fold"),
        (lambda folds: folds.iloc[:0], "are not 1 to n"),
    ],
)
def test_the_check_fails_on(change, message):
    with pytest.raises(UserError, match=message):
        check_folds(broken(change))


def test_b1_other_folds_than_planned_are_told():
    folds = assign_folds(sequences(list("abcd")), FoldsSettings(scheme="leave_one_subject_out"))
    check_folds(folds, 4)
    with pytest.raises(UserError, match="4 folds, 3 were planned"):
        check_folds(folds, 3)


def test_csv_keeps_names_as_text(tmp_path):
    folds = assign_folds(sequences(["005", "010", "NA", "é, x"]), FoldsSettings(count=3))
    write_folds(folds, tmp_path / "folds.csv")
    assert read_folds(tmp_path / "folds.csv").equals(folds)
    assert (tmp_path / "folds.csv").read_text().splitlines()[0] == "sequence_id,subject,expression,fold"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "sequence_id,subject,expression,fold\na,b,fear,one\n"])
def test_unreadable_csv(tmp_path, text):
    (tmp_path / "folds.csv").write_text(text)
    with pytest.raises(UserError, match=r"folds\.csv"):
        read_folds(tmp_path / "folds.csv")


def test_missing_csv(tmp_path):
    with pytest.raises(UserError, match="missing; run the folds stage"):
        read_folds(tmp_path / "folds.csv")
