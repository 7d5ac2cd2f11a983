"""The page's server: one page, a list of models, and an answer to a picture. Nothing is stored."""

import logging
import secrets
import threading
from pathlib import Path

import numpy as np
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from fersnet import __version__
from fersnet.demo.answer import Find, answer
from fersnet.demo.guard import LARGEST_FILE, Rate, is_own_host, is_own_page
from fersnet.demo.models import Models
from fersnet.errors import UserError
from fersnet.faces.find import find_faces

logger = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page.html.j2"

WAITING = 4
"""Pictures that may wait for their turn; they are answered one after the other."""


def make_app(models: Models, host: str = "127.0.0.1", find: Find = find_faces) -> Starlette:
    """The page for some models.

    Args:
        models: What it offers.
        host: What it is going to listen on.
        find: What looks for faces; it is asked one picture at a time.
    """
    page = Environment(autoescape=True).from_string(PAGE.read_text(encoding="utf-8"))
    rate, turn, places = Rate(), threading.Lock(), threading.BoundedSemaphore(WAITING + 1)

    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        host_header = request.headers.get("host", "")
        if not is_own_host(host_header, host):
            response: Response = JSONResponse({"error": "this page is asked by its own address only"}, 403)
        elif not is_own_page(request.headers.get("origin"), host_header):
            response = JSONResponse({"error": "other pages may not ask this one"}, 403)
        else:
            response = await call_next(request)
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
        return response

    async def show(_: Request) -> HTMLResponse:
        nonce = secrets.token_urlsafe(16)
        text = page.render(nonce=nonce, models=list(models.places), limit=LARGEST_FILE, version=__version__)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return HTMLResponse(text, headers={"Content-Security-Policy": policy})

    async def look(request: Request) -> JSONResponse:
        if not rate.allows(request.client.host if request.client else ""):
            return JSONResponse({"error": "too many pictures within a minute; wait a little"}, 429)
        content = await _body(request)
        if content is None:
            return JSONResponse({"error": f"the file is larger than {LARGEST_FILE >> 20} MB; give a smaller one"}, 413)
        if not places.acquire(blocking=False):
            return JSONResponse({"error": "busy with other pictures; try again in a moment"}, 503)
        try:
            name = request.query_params.get("model", "")
            return await run_in_threadpool(_answer, models, name, content, find, turn)
        finally:
            places.release()

    return Starlette(
        routes=[Route("/", show), Route("/look", look, methods=["POST"])],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=guard)],
    )


async def _body(request: Request) -> bytes | None:
    """The request's content; None where it is too large, of which no more than that is read."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST_FILE:
        return None
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_FILE:
            return None
    return bytes(content)


def _answer(models: Models, name: str, content: bytes, find: Find, turn: threading.Lock) -> JSONResponse:
    try:
        with turn:
            model = models.get(name)
            if model is None:
                return JSONResponse({"error": f"no model {name!r} here; reload the page"}, 404)
            return JSONResponse(answer(model, content, find))
    except UserError as error:
        return JSONResponse({"error": str(error)}, 422)
    except Exception:
        # The one who asks learns nothing of this machine; the one who runs it does.
        logger.exception("a picture of %d bytes could not be answered", len(content))
        return JSONResponse({"error": "this picture could not be answered; see the terminal of the page"}, 500)


def serve(models: Models, find: Find, host: str, port: int) -> None:
    """Serve the page until the user ends it (Ctrl-C).

    Args:
        models: What it offers.
        find: What looks for faces.
        host: What it listens on.
        port: The same; 0 takes a free one.

    Raises:
        UserError: if the first model or its landmark backend cannot be used, or the address is not to be had.
    """
    import socket

    import uvicorn

    first = models.get(next(iter(models.places)))
    if first is not None:
        find(np.zeros((100, 100, 3), dtype=np.uint8), first.faces)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UserError(f"{host}:{port}: {error.strerror or error}; give another --port or --host") from None
    shown = f"[{host}]" if ":" in host else host
    print(f"http://{shown}:{listening.getsockname()[1]}  (Ctrl-C ends it)", flush=True)
    config = uvicorn.Config(make_app(models, host, find), log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])
