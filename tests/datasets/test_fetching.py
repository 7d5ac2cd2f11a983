"""Fetching the open sets, from a host on this machine's loopback that behaves as badly as hosts do."""

import csv
import hashlib
import io
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.datasets.fetching import downloader, files, sources
from fersnet.datasets.fetching.fetch import fetch
from fersnet.datasets.fetching.folder import fetched_stamp, receipt_of, write_receipt
from fersnet.datasets.fetching.meter import Meter
from fersnet.datasets.fetching.sources import ByHand, PinnedFiles, ZenodoArchives, chosen_parts, open_sets
from fersnet.datasets.fetching.unpack import unpack
from fersnet.datasets.presence import find_problems
from fersnet.datasets.stamp import data_stamp
from fersnet.errors import UserError
from fersnet.methods.find import find_known
from fersnet.project import PROJECT
from fersnet.settings.data import DatasetSettings

CONTENT = {f"inst/neutral_front/{number:03}_03.jpg": bytes([number]) * (200_000 + number) for number in (1, 2, 3)}
BREAK = f"break {2 * downloader.CHUNK}"
CHUNK = downloader.CHUNK
LONDON, RAVDESS = open_sets()["london"], open_sets()["ravdess"]


class Host:
    """A host with some files; `behave` changes its answers for a path, one after the other."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.behaviour: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str | None]] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                host.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def behave(self, path: str, *behaviour: str) -> None:
        self.behaviour[path] = list(behaviour)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path, asked = request.path.lstrip("/"), request.headers.get("Range")
        self.asked.append((path, asked))
        waiting = self.behaviour.get(path, [])
        how = waiting.pop(0) if waiting else ""
        content = self.files.get(path)
        status, headers = 200, {}
        if how.isdigit():
            status, content = int(how), b"no"
        elif how == "moved":
            status, content, headers = 302, b"", {"Location": f"/{path}"}
        elif how == "garbled" and content is not None:
            content = content[:-1] + b"?"
        elif content is None:
            status, content = 404, b"nothing here"
        if asked and status == 200 and "ignore range" not in how:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            status, content = 206, content[start:]
        request.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            request.send_header(name, value)
        request.end_headers()
        if "break" in how:
            request.wfile.write(content[: int(how.split()[-1])])
            request.close_connection = True
        else:
            request.wfile.write(content)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloader, "sleep", lambda seconds: None)
    host = Host()
    yield host
    host.server.shutdown()
    host.server.server_close()


@pytest.fixture
def london(host: Host, tmp_path: Path) -> sources.OpenSet:
    """The London Set as a set of three files on the host; their table lies beside the test's other files."""
    host.files = dict(CONTENT)
    table = tmp_path / "table.tsv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["path", "bytes", "sha256"])
        writer.writerows([name, len(data), hashlib.sha256(data).hexdigest()] for name, data in CONTENT.items())
    return replace(LONDON, source=PinnedFiles(address=host.address, table=str(table)))


def archive(actor: int, **members: bytes) -> bytes:
    """A zip as the record has them: stored, with a folder's entry."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        content.writestr(f"Actor_{actor:02}/", "")
        for name, data in (members or {f"02-01-0{code}-01-01-01": b"%d" % code * 3000 for code in (1, 3)}).items():
            content.writestr(f"Actor_{actor:02}/{name}-{actor:02}.mp4", data)
    return buffer.getvalue()


def record(host: Host, archives: dict[str, bytes]) -> None:
    """Let the host have these archives, and a record that lists them."""
    host.files |= archives
    entries = [
        {"key": name, "size": len(data), "checksum": f"md5:{hashlib.md5(data).hexdigest()}",
         "links": {"self": host.address + name}}
        for name, data in archives.items()
    ]  # fmt: skip
    host.files["api/records/1"] = json.dumps({"files": [*entries, {"key": "Audio.zip"}]}).encode()


@pytest.fixture
def ravdess(host: Host) -> sources.OpenSet:
    record(host, {f"Video_Speech_Actor_{actor:02}.zip": archive(actor) for actor in (1, 2)})
    source = ZenodoArchives(f"{host.address}api/records/1", "Video_Speech_Actor_{part:02d}.zip", 24, "actor")
    return replace(RAVDESS, source=source)


def got(one: sources.OpenSet, folder: Path, parts: tuple[int, ...] = (), said: list[str] | None = None) -> int:
    with Meter((said if said is not None else []).append) as meter:
        return fetch(one, folder, parts, meter.announce)


def present(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".fetched" not in path.parts and path.suffix != ".txt"
    }


def leftovers(folder: Path) -> set[str]:
    return {path.name for path in (folder / ".fetched").iterdir()} - {"lock.json"}


def test_all_files_come_once_and_are_left_alone_then(london, host, tmp_path):
    said: list[str] = []
    assert got(london, tmp_path / "data", said=said) == 3
    assert present(tmp_path / "data") == CONTENT and leftovers(tmp_path / "data") == set()
    assert said[-1].endswith("100 % of 1 MB") and len(said) == 11
    text = (tmp_path / "data" / "LICENCE_AND_CITATION.txt").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text and "10.6084/m9.figshare.5047666.v5" in text
    host.asked.clear()
    assert got(london, tmp_path / "data") == 0 and host.asked == []
    (tmp_path / "data" / "inst/neutral_front/002_03.jpg").write_bytes(b"altered")
    assert got(london, tmp_path / "data") == 1 and present(tmp_path / "data") == CONTENT


def test_a_broken_download_goes_on_where_it_broke(london, host, tmp_path):
    name = "inst/neutral_front/002_03.jpg"
    host.behave(name, f"break {2 * CHUNK}", f"break {CHUNK + 9}")
    assert got(london, tmp_path / "data") == 3 and present(tmp_path / "data") == CONTENT
    ranges = [asked for path, asked in host.asked if path == name]
    assert ranges == [None, f"bytes={2 * CHUNK}-", f"bytes={3 * CHUNK}-"]


def test_a_later_call_takes_up_what_an_earlier_one_left(london, host, tmp_path):
    name = "inst/neutral_front/001_03.jpg"
    host.behave(name, BREAK, *["break 0"] * downloader.TRIES)
    with pytest.raises(UserError, match=r"001_03\.jpg: .*run again to continue"):
        got(london, tmp_path / "data")
    assert present(tmp_path / "data") == {} and len(leftovers(tmp_path / "data")) == 1
    host.asked.clear()
    host.behave(name)
    said: list[str] = []
    assert got(london, tmp_path / "data", said=said) == 3 and present(tmp_path / "data") == CONTENT
    assert host.asked[0] == (name, f"bytes={2 * CHUNK}-") and said[-1].endswith("100 % of 1 MB")


def test_a_host_that_ignores_ranges_or_refuses_them_is_asked_for_the_whole_file(london, host, tmp_path):
    first, second, third = CONTENT
    host.behave(first, BREAK, "ignore range")
    host.behave(second, BREAK, "416")
    host.behave(third, BREAK, "503", "429")
    assert got(london, tmp_path / "data") == 3 and present(tmp_path / "data") == CONTENT
    assert [asked for path, asked in host.asked if path == second] == [None, f"bytes={2 * CHUNK}-", None]
    for behaviour in ([BREAK, "416"] * 50, [BREAK, *[f"ignore range, {BREAK}"] * 50]):
        host.behave(first, *behaviour)
        (tmp_path / "data" / first).unlink(missing_ok=True)
        with pytest.raises(UserError, match="run again to continue"):
            got(london, tmp_path / "data")
        assert host.behaviour[first], "it has given up before the host did"


def test_a_wrong_checksum_is_tried_once_more_and_never_kept(london, host, tmp_path):
    name = "inst/neutral_front/003_03.jpg"
    host.behave(name, "garbled")
    assert got(london, tmp_path / "data") == 3 and present(tmp_path / "data") == CONTENT
    (tmp_path / "data" / name).unlink()
    host.behave(name, "garbled", "garbled")
    with pytest.raises(UserError, match=r"003_03\.jpg: came twice with another checksum"):
        got(london, tmp_path / "data")
    assert name not in present(tmp_path / "data") and leftovers(tmp_path / "data") == set()


def test_a_stale_beginning_is_found_out_and_fetched_anew(london, host, tmp_path):
    name = "inst/neutral_front/001_03.jpg"
    host.behave(name, BREAK, *["404"])
    with pytest.raises(UserError, match="404 Not Found; the file may have moved"):
        got(london, tmp_path / "data")
    (part,) = (tmp_path / "data" / ".fetched").glob("*.part")
    part.write_bytes(b"x" * 20_000)
    assert got(london, tmp_path / "data") == 3 and present(tmp_path / "data") == CONTENT
    part.write_bytes(b"x" * 900_000)  # longer than the file: the table was another one
    (tmp_path / "data" / name).unlink()
    assert got(london, tmp_path / "data") == 1 and present(tmp_path / "data") == CONTENT


def test_redirects_are_followed_but_not_for_ever(london, host, tmp_path):
    name = "inst/neutral_front/001_03.jpg"
    host.behave(name, "moved", "moved")
    assert got(london, tmp_path / "data") == 3
    (tmp_path / "data" / name).unlink()
    host.behave(name, *["moved"] * 100)
    with pytest.raises(UserError, match="without end"):
        got(london, tmp_path / "data")


def test_a_longer_file_and_a_host_that_is_gone_are_one_line(london, host, tmp_path):
    name = "inst/neutral_front/001_03.jpg"
    host.files[name] += b"more"
    with pytest.raises(UserError, match="longer than the 200001 bytes"):
        got(london, tmp_path / "data")
    gone = replace(london, source=replace(london.source, address="http://127.0.0.1:9/"))
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9.*the connection broke .*refused") as error:
        got(gone, tmp_path / "data")
    assert "\n" not in str(error.value)


def test_a_full_disk_is_said_before_and_leaves_what_has_come(london, host, tmp_path, monkeypatch):
    data = tmp_path / "data"
    with monkeypatch.context() as patch:
        usage = shutil.disk_usage(tmp_path)
        patch.setattr("shutil.disk_usage", lambda path: usage._replace(free=1000))
        with pytest.raises(UserError, match=r"GB are needed and .* free"):
            got(london, data)
    name = "inst/neutral_front/001_03.jpg"
    part = downloader.ResumingDownloader(data / ".fetched", {}, print).part(host.address + name)
    part.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        got(london, data)
    part.unlink()
    assert got(london, data) == 3 and present(data) == CONTENT


def test_archives_are_unpacked_checked_and_deleted(ravdess, host, tmp_path):
    data = tmp_path / "data"
    assert got(ravdess, data, (1, 2)) == 2
    assert sorted(present(data)) == [
        f"Actor_0{actor}/02-01-0{code}-01-01-01-0{actor}.mp4" for actor in (1, 2) for code in (1, 3)
    ]
    assert leftovers(data) == set() and "CC BY-NC-SA 4.0" in (data / "LICENCE_AND_CITATION.txt").read_text()
    host.asked.clear()
    assert got(ravdess, data, (1, 2)) == 0 and host.asked == [], "the lock knows what was unpacked"
    next(iter((data / "Actor_02").iterdir())).unlink()
    assert got(ravdess, data, (1, 2)) == 1 and len(present(data)) == 4


def test_a_record_that_says_something_else_than_at_first_is_refused(ravdess, host, tmp_path):
    assert got(ravdess, tmp_path / "data", (1,)) == 1
    record(host, {f"Video_Speech_Actor_{actor:02}.zip": archive(actor, other=b"x" * 9000) for actor in (1, 2)})
    assert got(ravdess, tmp_path / "data", (1, 2)) == 1, "what is unpacked is not asked for"
    next(iter((tmp_path / "data" / "Actor_01").iterdir())).unlink()
    with pytest.raises(UserError, match=r"Video_Speech_Actor_01\.zip is another file .* than when the set was first"):
        got(ravdess, tmp_path / "data", (1,))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>", "no list of files"),
        (b"[]", "no list of files"),
        (b'{"files": []}', "lists no Video_Speech_Actor_01.zip"),
        (b'{"files": [{"key": "Video_Speech_Actor_01.zip", "size": 3}]}', "no size, checksum or address"),
        (
            b'{"files": [{"key": "Video_Speech_Actor_01.zip", "size": 3, "checksum": "", "links": {"self": "x"}}]}',
            "no usable size and MD5",
        ),
        (None, "404 Not Found"),
    ],
)
def test_a_record_that_cannot_be_used_is_one_line(ravdess, host, tmp_path, answer, words):
    host.files.pop("api/records/1")
    host.files |= {} if answer is None else {"api/records/1": answer}
    with pytest.raises(UserError, match=words):
        got(ravdess, tmp_path / "data", (1,))


def zipped(path: Path, members: list[tuple[zipfile.ZipInfo | str, bytes]], kind: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as content:
        for info, data in members:
            content.writestr(info, data, kind)
    return path


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("../out.mp4", b"x")], "stays in"),
        ([("/etc/out.mp4", b"x")], "stays in"),
        ([("a/../../out.mp4", b"x")], "stays in"),
        ([("a\\..\\out.mp4", b"x")], "stays in"),
        ([("C:out.mp4", b"x")], "stays in"),
        ([("fine.mp4", b"x"), (link("a"), b"/etc")], "is a link"),
        ([("door/out.mp4", b"x")], "leads out of"),
        ([("a.mp4", b"x"), ("A.mp4", b"y")], "a name twice"),
        ([("a", b"x"), ("a/b", b"y")], "a name twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_reaches_out_is_not_unpacked(tmp_path, members, words):
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / "door").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=words):
        unpack(zipped(tmp_path / "a.zip", members), folder, folder / ".fetched")
    assert {path.name for path in folder.iterdir()} == {"door"}
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "data", "elsewhere"}
    assert not any((tmp_path / "elsewhere").iterdir())


def test_an_archive_that_grows_or_is_damaged_is_not_unpacked(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    bomb = zipped(tmp_path / "a.zip", [("a.mp4", bytes(1_000_000))], zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match="would grow to 1000000 bytes"):
        unpack(bomb, folder, tmp_path / "work")
    good = zipped(tmp_path / "b.zip", [("a.mp4", b"abc" * 500), ("b.mp4", b"x")]).read_bytes()
    (tmp_path / "b.zip").write_bytes(good.replace(b"abcabc", b"abcabd", 1))
    with pytest.raises(UserError, match=r"b\.zip: a damaged archive \(Bad CRC"):
        unpack(tmp_path / "b.zip", folder, tmp_path / "work")
    (tmp_path / "b.zip").write_bytes(good[:-30])
    with pytest.raises(UserError, match="a damaged archive"):
        unpack(tmp_path / "b.zip", folder, tmp_path / "work")
    assert not folder.exists() and not (tmp_path / "work").exists()
    (tmp_path / "b.zip").write_bytes(good)
    monkeypatch.setattr("fersnet.datasets.fetching.unpack.MOST_FILES", 1)
    with pytest.raises(UserError, match="holds 2 files"):
        unpack(tmp_path / "b.zip", folder, tmp_path / "work")


@given(st.sets(st.integers(1, 24), min_size=1))
def test_any_choice_of_actors_can_be_written(chosen):
    assert chosen_parts(RAVDESS, ",".join(map(str, chosen))) == tuple(sorted(chosen))
    assert chosen_parts(RAVDESS, f"{min(chosen)} - {max(chosen)}") == tuple(range(min(chosen), max(chosen) + 1))


@pytest.mark.parametrize("text", ["", "0", "25", "4-1", "1-", "-3", "a", "1,,2", "1.5", "²"])
def test_another_choice_is_refused(text):
    with pytest.raises(UserError):
        chosen_parts(RAVDESS, text)


def test_the_table_of_the_london_set_is_whole():
    listed = files.pinned_files(LONDON.source)
    pictures = [file for file in listed if file.name.endswith(".jpg")]
    assert len(listed) == 307 and len({file.name for file in listed}) == 307 and len(pictures) == 204
    assert sum(file.bytes for file in listed) == 95_522_604
    assert all(len(file.checksum) == 71 and not Path(file.name).name.startswith("._") for file in listed)


def test_each_open_set_says_what_it_is():
    assert list(open_sets()) == ["cremad", "enterface05", "kdef", "london", "ravdess"]
    for one in open_sets().values():
        assert one.terms.url and one.terms.people and one.terms.known_bias and one.reference.year
        assert bool(one.terms.credit) == (one.terms.shown == "everybody")
        assert isinstance(one.source, ByHand) or one.source.address.startswith("https://")


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["fetch", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_asks_first_and_keeps_out_of_the_project(london, host, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "open_sets", lambda: open_sets() | {"london": london})
    status, said = run("london", "--to", tmp_path / "data")
    assert status == 1 and "CC BY 4.0" in said and "say --accept" in said and not (tmp_path / "data").exists()
    for folder in (PROJECT / "data", PROJECT / "results" / "x" / ".." / "y"):
        status, said = run("london", "--to", folder, "--accept")
        assert status == 1 and "give a folder outside of it" in said
    (tmp_path / "door").symlink_to(PROJECT)
    assert run("london", "--to", tmp_path / "door" / "data", "--accept")[0] == 1
    (tmp_path / "file").touch()
    assert run("london", "--to", tmp_path / "file", "--accept")[0] == 1
    assert host.asked == []
    status, said = run("london", "--to", tmp_path / "data", "--accept")
    assert status == 0 and "complete; 3 had to be fetched" in said and present(tmp_path / "data") == CONTENT


def test_the_command_says_what_to_do_where_it_does_not_fetch():
    status, said = run("kdef")
    assert status == 1 and "https://kdef.se" in said and "written consent" in " ".join(said.split())
    assert "git lfs pull" in run("cremad")[1]
    status, said = run("jaffe")
    assert status == 1 and "london, ravdess" in said and len(said.splitlines()) == 1


def test_the_fetching_itself_changes_no_stamp_but_a_change_of_the_tree_does(tmp_path):
    dataset = DatasetSettings(reader="london", root=str(tmp_path), fetch=True)
    picture = tmp_path / "inst" / "001_03.jpg"

    def look() -> str:
        return data_stamp(dataset, tmp_path.with_name("memory"), "fersnet.datasets.readers.folder")

    def stamp() -> str:
        return fetched_stamp(dataset, look)

    planned = stamp()
    picture.parent.mkdir()
    picture.write_bytes(b"a")
    assert stamp() == planned, "all that lies there before the receipt is checked by the fetching"
    write_receipt(dataset, look())
    assert stamp() == planned and {path.name for path in tmp_path.iterdir()} == {"inst", ".fetched"}
    picture.write_bytes(b"b")
    assert stamp() != planned
    picture.write_bytes(b"a")
    assert stamp() == planned
    (tmp_path / "inst" / "002_03.jpg").write_bytes(b"a")
    assert stamp() != planned
    one, few = (DatasetSettings(reader="ravdess", root="r", fetch=parts) for parts in (True, "1 - 4"))
    assert receipt_of(one) != receipt_of(few) and fetched_stamp(one, str) != fetched_stamp(few, str)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reader": "mmi"}, "the mmi set is not fetched, only london and ravdess are; it needs a root of yours"),
        ({"reader": "kdef"}, "`fersnet fetch kdef` says how to get it"),
        ({"fetch": "1-4"}, "fetched as a whole"),
        ({"reader": "ravdess", "fetch": "1-40"}, "has actors 1 to 24"),
        ({"root": str(PROJECT / "data")}, "give a folder outside of it"),
        ({"root": None}, "a root is needed"),
    ],
)
def test_what_cannot_be_fetched_is_said_before_any_job(tmp_path, changes, words):
    dataset = DatasetSettings(**{"reader": "london", "root": str(tmp_path / "none"), "fetch": True} | changes)
    settings = SimpleNamespace(
        datasets={"own": dataset},
        known=SimpleNamespace(readers=dict.fromkeys((dataset.reader,), find_known({}).readers["folder"])),
        folds=SimpleNamespace(scheme="strided"),
    )
    (line,) = find_problems(settings)
    assert line.startswith("datasets.own.fetch: ") and words in line and "\n" not in line


def test_a_root_that_will_be_fetched_is_no_problem_unless_its_people_must_be_counted(tmp_path):
    dataset = DatasetSettings(reader="london", root=str(tmp_path / "none"), fetch=True)
    known = SimpleNamespace(readers={"london": find_known({}).readers["folder"]})
    settings = SimpleNamespace(datasets={"own": dataset}, known=known, folds=SimpleNamespace(scheme="strided"))
    assert find_problems(settings) == []
    settings.folds.scheme = "leave_one_subject_out"
    assert f"fersnet fetch london --to {tmp_path / 'none'}" in find_problems(settings)[0]


def test_a_reader_of_an_open_set_declares_the_terms_that_are_shown_before_it_is_fetched():
    readers = find_known({}).readers
    for key, one in open_sets().items():
        if key in readers:
            assert (readers[key].declared.terms, readers[key].declared.reference) == (one.terms, one.reference)
    for key, found in readers.items():
        assert (found.declared.terms is None) == (found.declared.reference is None), key
