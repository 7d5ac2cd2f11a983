"""The readers of sets that anybody may have, on trees of tiny files in every shape that downloads have."""

from pathlib import Path

import pytest

from fersnet.datasets.index import look_at, read_dataset
from fersnet.datasets.readers import cremad, enterface05, kdef, london, ravdess
from fersnet.datasets.sequences import labelled
from fersnet.errors import UserError
from fersnet.settings.data import DatasetSettings

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 325\n"


def touch(root: Path, *paths: str) -> Path:
    """Makes files of a few bytes; readers look at names only."""
    for path in paths:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"content")
    return root


def reasons(index) -> dict[str, str]:
    return dict(zip(index.rejected["frame"], index.rejected["reason"], strict=True))


def told(index) -> list[str]:
    """What is said of a set as a whole."""
    return index.rejected["reason"][index.rejected["frame"] == ""].tolist()


@pytest.mark.parametrize(
    ("neutral", "smiling", "info"),
    [
        ("inst/neutral_front", "inst/smiling_front", "data-raw"),
        ("neutral_front", "smiling_front", "."),
        ("webmorphR.stim-main/inst/neutral_front", "webmorphR.stim-main/inst/smiling_front", "webmorphR.stim-main"),
        (".", ".", "."),
    ],
)
def test_london(tmp_path, put_text, neutral, smiling, info):
    touch(
        tmp_path, f"{neutral}/001_03.jpg", f"{neutral}/001_03.tem", f"{neutral}/._001_03.jpg", f"{neutral}/173_03.jpg"
    )
    touch(tmp_path, f"{smiling}/001_08.jpg", f"{smiling}/173_08.JPG", f"{smiling}/Thumbs.db", f"{smiling}/007_08.jpg")
    touch(tmp_path, "inst/3dsk/001_03.jpg", f"{smiling}/001_01.jpg")
    table = "face_id,face_age,face_gender,face_eth\n001,24,female,white\n173,,male,east_asian/white\n"
    put_text(tmp_path / info / "london_info.csv", table)
    index = london.read_index(tmp_path)
    rows = index.sequences.set_index("sequence_id")
    assert list(rows.index) == ["001_03", "001_08", "007_08", "173_03", "173_08"]
    assert rows["expression"].tolist() == ["neutral", "happiness", "happiness", "neutral", "happiness"]
    assert rows["apex"].tolist() == [[0]] * 5 and rows["neutral"].tolist() == [0, -1, -1, 0, -1]
    assert rows.loc["001_03", ["subject", "sex", "age", "ethnicity"]].tolist() == ["001", "female", 24, "white"]
    assert rows.loc["173_08", "sex"] == "male" and rows["age"].isna()[["173_08", "007_08"]].all()
    assert told(index) == ["a part of a person's files is missing; 1 of 2 of 007"]
    assert [path for path in reasons(index) if path] == [f"{smiling}/001_01.jpg".removeprefix("./")]


def test_london_without_or_with_a_broken_table(tmp_path, put_text):
    touch(tmp_path, "neutral_front/001_03.jpg", "smiling_front/001_08.jpg")
    assert "sex" not in london.read_index(tmp_path).sequences
    put_text(tmp_path / "london_info.csv", POINTER)
    assert "not a CSV file with the columns face_id" in reasons(london.read_index(tmp_path))["london_info.csv"]


@pytest.mark.parametrize(
    "shape", ["{0}/{1}", "KDEF_and_AKDEF/KDEF_and_AKDEF/KDEF/{0}/{1}", "KDEF/{0}/{1}", "all pictures/{1}"]
)
def test_kdef(tmp_path, shape):
    names = ("AF01ANS.JPG", "AF01NES.JPG", "BF01ANS.jpg", "AM31SUS.JPG", "AF01ANFL.JPG", "AM31H.JPG", "bm35afs.jpg")
    touch(tmp_path, *(shape.format(name[:4], name) for name in names))
    touch(tmp_path, "KDEF_and_AKDEF/AKDEF/AFANS.JPG", "KDEF/AF01/Thumbs.db", "KDEF/AF01/._AF01ANS.JPG")
    index = kdef.read_index(tmp_path)
    rows = index.sequences.set_index("sequence_id")
    assert dict(rows["subject"]) == {
        "AF01ANS": "F01",
        "AF01NES": "F01",
        "AM31SUS": "M31",
        "BF01ANS": "F01",
        "BM35AFS": "M35",
    }
    assert dict(rows["expression"])["BM35AFS"] == "fear" and rows.loc["AF01NES", "neutral"] == 0
    assert rows["sex"].tolist() == ["female", "female", "male", "female", "male"]
    said = reasons(index)
    assert said[shape.format("AF01", "AF01ANFL.JPG")] == "seen from the side; view FL"
    if "{0}" in shape:
        assert "not like AF01ANS.JPG" in said[shape.format("AM31", "AM31H.JPG")]
    assert told(index)[0].startswith("67 of 70 people are missing; F02, F03")
    assert "a part of a person's files is missing; 3 of 14 of F01" in told(index)


def test_neutral_pictures_are_a_class_or_neutral_faces(tmp_path):
    touch(tmp_path, "KDEF/AF01/AF01ANS.JPG", "KDEF/AF01/AF01NES.JPG", "KDEF/AM02/AM02HAS.JPG")
    settings = DatasetSettings(reader="kdef", root=str(tmp_path))
    rows = read_dataset(settings, tmp_path).sequences
    assert dict(zip(rows["sequence_id"], rows["apex"], strict=True)) == {"AF01ANS": [0], "AF01NES": [], "AM02HAS": [0]}
    assert len(labelled(rows)) == 2
    seven = settings.model_copy(update={"expressions": ("anger", "happiness", "neutral")})
    assert len(labelled(read_dataset(seven, tmp_path).sequences)) == 3


@pytest.mark.parametrize(
    "folder", ["Actor_{0}", "Video_Speech_Actor_{0}/Actor_{0}", "RAVDESS/Video_Speech_Actor_{0}", "."]
)
def test_ravdess(tmp_path, folder):
    def clip(modality, code, actor="01", channel="01", repetition="01"):
        return f"{folder.format(actor)}/{modality}-{channel}-{code}-01-02-{repetition}-{actor}.mp4"

    touch(tmp_path, *(clip(modality, code) for modality in ("01", "02", "03") for code in ("01", "02", "03", "08")))
    touch(tmp_path, clip("01", "05", "02"), clip("02", "04", "02", channel="02"), clip("03", "06", "02"))
    touch(tmp_path, "copy/02-01-08-01-02-01-01.mp4", "Actor_01/._02-01-08-01-02-01-01.mp4", "notes/readme.txt")
    index = ravdess.read_index(tmp_path)
    rows = index.sequences.set_index("sequence_id")
    assert dict(rows["expression"]) == {
        "01-01-01-02-01-01": "neutral",
        "01-03-01-02-01-01": "happiness",
        "01-05-01-02-01-02": "anger",
        "01-08-01-02-01-01": "surprise",
    }
    assert rows["sex"].tolist() == ["male", "male", "female", "male"]
    assert rows["subject"].tolist() == ["01", "01", "02", "01"]
    assert [frames[0].rpartition("/")[2][:2] for frames in rows["frames"]] == ["02", "02", "01", "02"]
    said = list(reasons(index).values())
    assert "calm is no basic expression" in said and "sung, not spoken" in said
    assert sum(reason.startswith("second copy of a take") for reason in said) == 1
    assert told(index)[0].startswith("22 of 24 people are missing; 03, 04")
    assert "a part of a person's files is missing; 4 of 60 of 01" in told(index)


@pytest.mark.parametrize("folder", ["VideoFlash", "crema-d-mirror-main/VideoFlash", "."])
def test_cremad(tmp_path, put_text, folder):
    clips = ("1001_DFA_ANG_XX", "1001_IEO_HAP_LO", "1001_WSI_NEU_XX", "1002_IEO_SAD_HI", "1076_MTI_SAD_XX")
    touch(
        tmp_path,
        *(f"{folder}/{clip}.flv" for clip in clips),
        f"{folder}/1001_TAI_NEU_XX.mp4",
        "AudioWAV/1001_DFA_ANG_XX.wav",
    )
    people = "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n1002,21,Female,Unknown,Hispanic\n"
    put_text(tmp_path / "VideoDemographics.csv", people)
    index = cremad.read_index(tmp_path)
    rows = index.sequences.set_index("sequence_id")
    assert list(rows.index) == [
        "1001_DFA_ANG_XX",
        "1001_IEO_HAP_LO",
        "1001_TAI_NEU_XX",
        "1001_WSI_NEU_XX",
        "1002_IEO_SAD_HI",
    ]
    assert rows["expression"].tolist() == ["anger", "happiness", "neutral", "neutral", "sadness"]
    person = rows[["sex", "age", "ethnicity"]]
    assert person.loc["1001_DFA_ANG_XX"].tolist() == ["male", 51, "Caucasian"]
    assert person.loc["1002_IEO_SAD_HI"].tolist() == ["female", 21, "Hispanic"]
    assert "known to be unusable" in reasons(index).values()
    assert told(index)[0].startswith("88 of 91 people are missing")


def test_cremad_as_seen_by_raters(tmp_path, put_text):
    touch(
        tmp_path, *(f"VideoFlash/1001_{clip}.flv" for clip in ("DFA_ANG_XX", "IEO_HAP_LO", "ITS_SAD_XX", "TIE_FEA_XX"))
    )
    with pytest.raises(UserError, match=r"options.agreed: .*summaryTable.csv is missing"):
        cremad.read_index(tmp_path, agreed=True)
    votes = "FileName,VoiceVote,FaceVote\n1001_DFA_ANG_XX,A,A\n1001_IEO_HAP_LO,H,A:H\n1001_ITS_SAD_XX,S,N\n"
    put_text(tmp_path / "processedResults/summaryTable.csv", votes)
    index = cremad.read_index(tmp_path, agreed=True)
    assert index.sequences["sequence_id"].tolist() == ["1001_DFA_ANG_XX"]
    assert reasons(index)["VideoFlash/1001_ITS_SAD_XX.flv"] == "not agreed on; seen: N"
    assert len(cremad.read_index(tmp_path).sequences) == 4
    wrong = DatasetSettings(reader="cremad", root=str(tmp_path), options={"agreed": "yes"})
    assert "options.agreed: 'yes' is neither true nor false" in str(look_at(wrong, tmp_path))


@pytest.mark.parametrize("root", [".", "enterface database", "download/enterface database"])
def test_enterface(tmp_path, root):
    clips = ("subject 1/anger/sentence 1/s1_an_1.avi", "subject 11/disgust/sentence 2/s12_di_2.avi",
             "subject 16/surprise/sentence 3/s16_su_3avi.avi", "subject 6/fear/s6_fe_1.avi",
             "subject 6/fear/s6_fe_2.avi",
             "subject 3/happiness/sentence 1/s_3_ha_1.avi", "subject 1/Sadness/sentence 1/s1_sa_1.AVI")  # fmt: skip
    touch(tmp_path, *(f"{root}/{clip}" for clip in clips))
    touch(
        tmp_path,
        f"{root}/subject 1/anger/sentence 1/Thumbs.db",
        f"{root}/subject 1/anger/read me.txt",
        f"{root}/Thumbs.db",
    )
    touch(tmp_path, f"{root}/subject 1/other/s1_x_1.avi", f"{root}/copy/subject 1/anger/sentence 1/s1_an_1.avi")
    index = enterface05.read_index(tmp_path)
    rows = index.sequences.set_index("sequence_id")
    assert dict(rows["subject"]) == {
        "s01_anger_s1_an_1": "s01",
        "s01_sadness_s1_sa_1": "s01",
        "s03_happiness_s_3_ha_1": "s03",
        "s06_fear_s6_fe_1": "s06",
        "s06_fear_s6_fe_2": "s06",
        "s11_disgust_s12_di_2": "s11",
        "s16_surprise_s16_su_3avi": "s16",
    }
    assert rows.loc["s11_disgust_s12_di_2", "expression"] == "disgust"
    assert "an uneven number of clips, which are used; 2 of s06" in told(index)
    assert sum("second copy of a subject" in reason for reason in reasons(index).values()) == 1
    assert "not an emotion's folder" in reasons(index).values()


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        (london, "neutral_front/001_03.jpg"),
        (kdef, "KDEF/AF01/AF01ANS.JPG"),
        (ravdess, "Actor_01/02-01-06-01-02-01-01.mp4"),
        (cremad, "VideoFlash/1001_DFA_ANG_XX.flv"),
        (enterface05, "subject 1/anger/sentence 1/s1_an_1.avi"),
    ],
)
def test_pointers_and_half_downloads_are_no_pictures(tmp_path, put_text, reader, name):
    settings = DatasetSettings(reader=reader.__name__.rpartition(".")[2], root=str(tmp_path))
    put_text(tmp_path / name, POINTER)
    said = look_at(settings, tmp_path)
    assert said.endswith("; Git-LFS pointers stand in the place of files (1): fetch the files with `git lfs pull`")
    assert "\n" not in said
    touch(tmp_path, name)
    assert look_at(settings, tmp_path) is None
    number = "7" if reader is not kdef else "2"
    put_text(tmp_path / f"{name}".replace("1", number), POINTER)
    touch(tmp_path, f"{name}.crdownload")
    index = reader.read_index(tmp_path)
    assert len(index.sequences) == 1
    assert reasons(index)[f"{name}.crdownload"] == "half a download; fetch the file again"
    assert "Git-LFS pointer" in reasons(index)[name.replace("1", number)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Rafd090_01_Caucasian_female_angry_frontal.jpg", "this looks like RaFD, which is handed out under a signed"),
        ("jaffe/KA.AN1.39.tiff", "this looks like JAFFE"),
        ("subjects3/001/anger/take000/001_an_001_0001.jpg", "this looks like MUG"),
        ("01F_AN_C.BMP", "this looks like NimStim"),
        ("fer2013/fer2013.csv", "this looks like FER2013, which does not say who is in which picture"),
        ("Video_Speech_Actor_01.zip", "there are archives, such as Video_Speech_Actor_01.zip (1): unpack them first"),
        (
            "._001_03.jpg",
            "there is what macOS puts beside pictures, such as ._001_03.jpg (1): copy the pictures themselves",
        ),
        ("a/Thumbs.db", "there is what Windows keeps of pictures, such as Thumbs.db (1): copy the pictures themselves"),
        ("clip.mp4.part", "there are half downloads, such as clip.mp4.part (1): fetch them again"),
    ],
)
@pytest.mark.parametrize("reader", ["ravdess", "folder"])
def test_what_is_there_instead_is_told(tmp_path, name, said, reader):
    touch(tmp_path, name)
    line = look_at(DatasetSettings(reader=reader, root=str(tmp_path)), tmp_path)
    assert f"; {said}" in line and "\n" not in line


def test_names_of_subjects_have_nothing_to_do_with_archives(tmp_path):
    touch(tmp_path, "train/happy/1.png", "test/happy/1.png", "faces.zip")
    line = look_at(DatasetSettings(reader="folder", root=str(tmp_path)), tmp_path)
    assert "look like ready-made splits" in line and "archive" not in line


def test_an_archive_in_the_place_of_a_folder(tmp_path):
    archive = touch(tmp_path, "KDEF_and_AKDEF.zip") / "KDEF_and_AKDEF.zip"
    assert look_at(DatasetSettings(reader="kdef", root=str(archive)), archive).endswith(
        "it is an archive: unpack it first"
    )
