"""The MMI reader: sessions as downloaded, views, apex rules, and hostile XML and video files."""

import shutil

import pytest

from fersnet.datasets.mmi_xml import XmlError, apex_intervals, parse
from fersnet.datasets.readers.mmi import read_index
from fersnet.errors import UserError

DATED = "mmi-facial-expression-database_download_2013-05-02_10_20_30"
BUMP = [60] * 4 + [80, 100, 120, 140] + [150] * 5 + [120, 90] + [60] * 5


@pytest.fixture
def session(tmp_path, put_text, put_video):
    """Adds a session and returns its folder."""

    def add(name, emotion="1", view="0", number=1729, root=DATED, levels=BUMP, oao=None, suffix=".avi"):
        folder = tmp_path / root / "Sessions" / str(number)
        tag = "" if emotion is None else f'<Metatag Name="Emotion" Value="{emotion}"/>'
        put_text(folder / f"{name}.xml", f'<Recording><Metatag Name="Age" Value="3"/>{tag}</Recording>')
        if view is not None:
            track = f'<track view="{view}" filename="{name}{suffix}"/>'
            put_text(folder / "session.xml", f'<session><track view="9" filename="other.avi"/>{track}</session>')
        if oao is not None:
            put_text(folder / f"{name}-oao_aucs.xml", oao)
        if levels:
            put_video(folder / f"{name}.avi", levels).rename(folder / f"{name}{suffix}")
        return folder

    return add


def reasons(index):
    return dict(zip(index.rejected.sequence_id, index.rejected.reason, strict=True))


def test_labels_views_and_frames(tmp_path, session):
    session("S035-004", "6", "0", 12)
    session("S035-005", "4", "2", 13)
    session("S035-006", "1", "1", 14)
    session("S036-001", "7", "0", 15)
    session("S036-002", None, "0", 16)
    session("S036-003", "2", None, 17)
    session("S036-004", "3", "0", 18, root="another_download_2014-01-01_00_00_00", suffix=".MPG")
    index = read_index(tmp_path)
    rows = index.sequences.set_index("sequence_id")
    assert list(rows.index) == ["S035-004", "S035-005", "S036-003", "S036-004"]
    assert list(rows["view"]) == ["frontal", "dual", "unknown", "frontal"]
    assert list(rows.expression) == ["surprise", "happiness", "disgust", "fear"]
    assert list(rows.subject) == ["S035", "S035", "S036", "S036"]
    first = rows.loc["S035-004"]
    assert first.n_frames == 20 and first.neutral == 0
    assert first.frames[19] == f"{DATED}/Sessions/12/S035-004.avi#19"
    assert reasons(index) == {
        "S035-006": "profile view",
        "S036-001": "unlabelled: emotion code 7 is not among 1 to 6",
        "S036-002": "unlabelled: no emotion is given",
    }


def test_distance_rule_finds_the_plateau(tmp_path, session):
    session("S001-001")
    apex = read_index(tmp_path).sequences.apex[0]
    assert len(apex) == 3 and set(apex) <= set(range(8, 13))


def test_markers_win_over_distance(tmp_path, session):
    unit = '<ActionUnit Number="{}"><Marker Frame="1" Type="0"/><Marker Frame="2" Type="1"/>'
    one = unit.format(1) + '<Marker Frame="4" Type="2"/><Marker Frame="9" Type="3"/></ActionUnit>'
    two = unit.format(2) + '<Marker Frame="5" Type="2"/><Marker Frame="8" Type="3"/></ActionUnit>'
    session("S001-001", oao=f"<a>{one}{two}</a>")
    # Both are at their apex in frames 5 to 7 (1-based), that is 4 to 6.
    assert read_index(tmp_path).sequences.apex[0] == [4, 5, 6]


def test_markers_beyond_the_video_fall_back(tmp_path, session):
    session("S001-001", oao='<a><ActionUnit Number="1"><Marker Frame="400" Type="2"/></ActionUnit></a>')
    index = read_index(tmp_path)
    assert set(index.sequences.apex[0]) <= set(range(8, 13))
    assert "outside the video" in reasons(index)["S001-001"]


def test_flat_video_takes_the_middle(tmp_path, session):
    session("S001-001", levels=[90] * 21)
    assert read_index(tmp_path).sequences.apex[0] == [9, 10, 11]


def test_duplicates_stills_and_missing_videos(tmp_path, session, put_picture):
    session("S001-001", number=1)
    session("S001-001", number=2, root="later")
    stills = session("S002-001", number=3, levels=None)
    put_picture(stills / "S002-001.jpg")
    session("S002-002", number=4, levels=None)
    index = read_index(tmp_path)
    assert list(index.sequences.sequence_id) == ["S001-001"]
    assert reasons(index)["S001-001"].startswith("session occurs twice")
    assert reasons(index)["S002-001"] == "still images, not a sequence"
    assert reasons(index)["S002-002"] == "video is missing"


BOMB = '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;&x;">]><a><Metatag Name="Emotion" Value="&z;"/></a>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><Metatag Name="Emotion" Value="1"/>&x;</a>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "broken"),
        ("<Recording><Metatag", "broken"),
        (BOMB, "entities"),
        (OUTSIDE, "entities"),
        ("<a>" + " " * 4_000_001 + "</a>", "larger than 4 MB"),
        ('<?xml version="1.0" encoding="no-such-encoding"?><a/>', "broken"),
        ('<a><Metatag Name="Emotion" Value="joy"/></a>', "not a number"),
        ('<a><Metatag Name="Emotion" Value="1"/><Metatag Name="Emotion" Value="2"/></a>', "contradict"),
    ],
)
def test_hostile_xml_costs_one_session(tmp_path, session, put_text, content, reason):
    session("S001-001", number=1)
    put_text(session("S001-002", number=2) / "S001-002.xml", content)
    index = read_index(tmp_path)
    assert list(index.sequences.sequence_id) == ["S001-001"]
    assert reason in reasons(index)["S001-002"]


def test_broken_helpers_cost_only_their_information(tmp_path, session, put_text):
    folder = session("S001-001", oao="<broken")
    put_text(folder / "session.xml", BOMB)
    index = read_index(tmp_path)
    assert index.sequences["view"][0] == "unknown"
    assert sorted(index.rejected.reason.str.split(";").str[-1]) == [
        " the distance rule finds the peak",
        " the view counts as unknown",
    ]


def test_namespaces_utf16_and_harmless_doctype(tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a xmlns="urn:x"><ActionUnit Number="1">'
        '<Marker Frame="7" Type="2"/></ActionUnit></a>'.encode("utf-16")
    )
    assert apex_intervals(parse(path)) == [(7, None)]
    with pytest.raises(XmlError, match="cannot be read"):
        parse(tmp_path / "none.xml")


def test_half_a_video_is_used_as_far_as_it_decodes(tmp_path, session):
    video = session("S001-001") / "S001-001.avi"
    data = video.read_bytes()
    video.write_bytes(data[: len(data) // 2])
    index = read_index(tmp_path)
    row = index.sequences.iloc[0]
    assert 4 <= row.n_frames < 20 and len(row.frames) == row.n_frames and max(row.apex) < row.n_frames


def test_header_counts_are_not_trusted(tmp_path, session):
    video = session("S001-001") / "S001-001.avi"
    data = bytearray(video.read_bytes())
    at = data.find(b"strh") + 8 + 32
    data[at : at + 4] = (5000).to_bytes(4, "little")
    at = data.find(b"avih") + 8 + 16
    data[at : at + 4] = (5000).to_bytes(4, "little")
    video.write_bytes(data)
    assert read_index(tmp_path).sequences.n_frames[0] == 20


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"#EXTM3U\n/etc/passwd\n" + b"x" * 64, "foreign content"),
        (b"RIFF" + b"\x00" * 200, "video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "foreign content"),
    ],
)
def test_what_is_no_video_is_rejected(tmp_path, session, content, reason):
    session("S001-001", number=1)
    (session("S001-002", number=2) / "S001-002.avi").write_bytes(content)
    index = read_index(tmp_path)
    assert list(index.sequences.sequence_id) == ["S001-001"]
    assert reason in reasons(index)["S001-002"]


def test_nothing_found_is_one_line(tmp_path, session):
    with pytest.raises(UserError, match=r"S035-004\.avi"):
        read_index(tmp_path)
    folder = session("S001-001")
    shutil.move(folder / "S001-001.avi", tmp_path / "elsewhere.avi")
    with pytest.raises(UserError, match="no MMI sessions"):
        read_index(tmp_path)


@pytest.mark.parametrize("content", [None, "session\nS001-001\n", "\xff"])
def test_a_selection_that_cannot_be_read_is_named(tmp_path, session, content):
    session("S001-001")
    path = tmp_path / "selection.csv"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=r"options\.selection: .*selection\.csv"):
        read_index(tmp_path, selection=str(path))
