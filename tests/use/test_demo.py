"""The page to try a model on: what it answers, whom it answers, and what it looks like in a browser."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from PIL import Image
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.demo import server as server_module
from fersnet.demo.guard import PER_MINUTE, Rate, is_own_host, is_own_page
from fersnet.demo.models import Models
from fersnet.demo.server import make_app
from fersnet.errors import UserError
from fersnet.expressions import SIX
from tests.use.conftest import write_checkpoint

Ask = Callable[..., tuple[int, dict, str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two models, and a checkpoint of something else."""
    results = tmp_path_factory.mktemp("results")
    for place, changes in {
        "mmi/fersnet/fold2": {"trained_on": "rendered"},
        "ckplus/fersnet_without_mtl/fold1": {"network": {"sharing": "none"}},
        "ckplus/stargan/fold1": {"kind": "stargan"},
    }.items():
        path = results / "models" / place / "checkpoint.pt"
        path.parent.mkdir(parents=True)
        write_checkpoint(path, **changes)
    return results


@pytest.fixture(scope="module")
def address(run: Path) -> Iterator[str]:
    """Where the page is served."""
    models = Models(str(run), results=run, backend=None, landmark_models=None)
    listening = socket.create_server(("127.0.0.1", 0))
    served = uvicorn.Server(uvicorn.Config(make_app(models), log_level="error", access_log=False))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"127.0.0.1:{listening.getsockname()[1]}"
    served.should_exit = True
    thread.join(10)


def ask(address: str, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict, str]:
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    content = response.read().decode()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


@pytest.fixture(autouse=True)
def without_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rate, "allows", lambda *_: True)


def test_the_models_of_a_run_are_found_the_main_method_first(run: Path, tmp_path: Path) -> None:
    found = Models(str(run), results=run, backend=None, landmark_models=None)
    assert list(found.places) == ["mmi · fersnet · fold 2", "ckplus · fersnet_without_mtl · fold 1"]
    assert found.get("nothere") is None
    (tmp_path / "models").mkdir()
    with pytest.raises(UserError, match="no trained FERSNet"):
        Models(str(tmp_path), results=run, backend=None, landmark_models=None)


def test_only_this_machine_is_answered(address: str) -> None:
    """Another site's name that leads here, and another site's page, get nothing; no foreign content is allowed."""
    status, headers, _ = ask(address, "GET", "/")
    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
    assert ask(address, "GET", "/", Host="evil.example")[0] == 403
    assert ask(address, "POST", "/look?model=x", b"", Origin="http://evil.example")[0] == 403
    assert ask(address, "GET", "/docs")[0] == ask(address, "GET", "/openapi.json")[0] == 404


@pytest.mark.parametrize(
    ("header", "host", "own"),
    [
        ("localhost:8765", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("[::1]:80", "::1", True),
        ("192.168.1.7:8765", "0.0.0.0", True),
        ("Lab.example:80", "lab.example", True),
        ("evil.example", "127.0.0.1", False),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
        ("localhost.evil.example", "127.0.0.1", False),
        ("evil.example", "0.0.0.0", False),
        ("", "127.0.0.1", False),
        ("[::1", "127.0.0.1", False),
    ],
)
def test_host_names_that_are_this_machines(header: str, host: str, own: bool) -> None:
    assert is_own_host(header, host) == own


def test_pages_that_are_this_one() -> None:
    assert is_own_page(None, "localhost:1") and is_own_page("http://localhost:1", "localhost:1")
    assert not is_own_page("http://localhost:2", "localhost:1") and not is_own_page("null", "localhost:1")


def test_an_address_may_ask_so_often_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    now = [0.0]
    rate = Rate(lambda: now[0])
    assert all(rate.allows("a") for _ in range(PER_MINUTE))
    assert not rate.allows("a") and rate.allows("b")
    now[0] = 61.0
    assert rate.allows("a")


@pytest.mark.parametrize(
    ("content", "model", "status", "reason"),
    [
        (b"a text", "mmi · fersnet · fold 2", 422, "not an image file"),
        (b"", "mmi · fersnet · fold 2", 422, "not an image file"),
        (b"a text", "another", 404, "no model"),
        (b"0" * 2000, "mmi · fersnet · fold 2", 413, "larger than"),
    ],
)
def test_what_cannot_be_answered_is_told(
    address: str, monkeypatch: pytest.MonkeyPatch, content: bytes, model: str, status: int, reason: str
) -> None:
    from urllib.parse import quote

    monkeypatch.setattr(server_module, "LARGEST_FILE", 1000)
    found, _, text = ask(address, "POST", f"/look?model={quote(model)}", content)
    assert found == status and reason in text and "Traceback" not in text


def test_a_port_that_is_taken_and_a_run_that_is_none_are_told(run: Path, address: str, tmp_path: Path) -> None:
    port = address.split(":")[1]
    done = CliRunner().invoke(app, ["demo", "--model", str(run), "--port", port])
    assert done.exit_code == 1 and f"127.0.0.1:{port}: " in done.stderr and "--port" in done.stderr
    done = CliRunner().invoke(app, ["demo", "--model", str(tmp_path / "nothere.pt")])
    assert done.exit_code == 1 and "no such file" in done.stderr and done.stderr.count("\n") == 1


def test_a_face_its_bars_its_expressions_and_its_gates(address: str, portrait: Path, browser_page) -> None:
    browser_page.goto(f"http://{address}/")
    browser_page.set_input_files("#file", portrait)
    browser_page.wait_for_selector("#result:not([hidden])")
    assert browser_page.inner_text("#say") == "One face found."
    assert browser_page.locator("#bars dt").all_inner_texts() == [name.capitalize() for name in SIX]
    widths = [bar.evaluate("bar => parseFloat(bar.style.width)") for bar in browser_page.locator(".track div").all()]
    assert sum(widths) == pytest.approx(100, abs=0.1)
    alts = [image.get_attribute("alt") for image in browser_page.locator("#tiles img").all()]
    assert len(alts) == 7 and all(alts)
    assert browser_page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    # By the keyboard alone.
    browser_page.focus("summary")
    browser_page.keyboard.press("Enter")
    assert browser_page.locator("#gates img").first.is_visible()
    assert browser_page.locator("#gates img").count() == 12
    # A rendered face, which says so, needs no warning.
    assert browser_page.locator("#notice").is_hidden()
    # Another model of the run answers at once, and cannot draw.
    browser_page.select_option("#model", "ckplus · fersnet_without_mtl · fold 1")
    browser_page.wait_for_selector("text=cannot synthesise")
    assert browser_page.locator("#tiles img").count() == 1 and browser_page.locator("#gates-card").is_hidden()


def test_several_faces_can_be_chosen_and_pixels_of_unknown_origin_bring_a_notice(
    address: str, tmp_path: Path, portrait: Path, browser_page
) -> None:
    face = np.asarray(Image.open(portrait).convert("RGB"))
    Image.fromarray(np.hstack([face, face])).save(tmp_path / "two.png")
    browser_page.goto(f"http://{address}/")
    browser_page.set_input_files("#file", tmp_path / "two.png")
    browser_page.wait_for_selector("text=2 faces found")
    assert "rendered faces" in browser_page.inner_text("#notice")
    browser_page.locator(".box").nth(1).press("Enter")
    assert browser_page.inner_text("#quality").startswith("Face 2")
    assert [box.get_attribute("aria-pressed") for box in browser_page.locator(".box").all()] == ["false", "true"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("no face", "No face found"),
        ("text", "Not an image file"),
        ("huge", "too large for this page: 10000x10000"),
        ("heavy", "larger than 25 MB"),
    ],
)
def test_a_picture_that_cannot_be_used_is_told_in_the_page(
    address: str, tmp_path: Path, browser, kind: str, said: str
) -> None:
    path = tmp_path / "picture.png"
    if kind == "no face":
        Image.new("RGB", (200, 200), (90, 90, 90)).save(path)
    elif kind == "huge":
        Image.new("1", (10_000, 10_000)).save(path)
    else:
        path.write_bytes(b"a text" if kind == "text" else bytes(26 * 2**20))
    page = browser.new_page()
    page.goto(f"http://{address}/")
    page.set_input_files("#file", path)
    page.wait_for_selector("#say.bad")
    assert said in page.inner_text("#say")
    assert page.locator("#result").is_hidden()
    page.close()
