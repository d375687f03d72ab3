"""Runs the page: one FastAPI application with the HTTP interface, and Gradio's Blocks at its root."""

import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from index.errors import UserError
from index.settings import Settings
from qa.page.opening import Answerer, Opening, Progress

if TYPE_CHECKING:
    from fastapi import FastAPI

    from qa.doors.doors import Doors

_LAST_PORT = 65_535
_FONTS = ["ui-sans-serif", "system-ui", "sans-serif"]


def create_app(opening: Opening, doors: "Doors | None" = None, *, mcp: bool = False) -> "FastAPI":
    """The application. Without ``doors`` it lets everybody in, and answers to every name."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr
    from fastapi import FastAPI

    from qa.doors.install import add_doors
    from qa.page.api import add_routes
    from qa.page.blocks import build_page
    from qa.page.chat_api import add_chat_routes
    from qa.page.corpus_api import add_corpus_routes
    from qa.page.delivery import Delivery
    from qa.page.evaluate_api import add_evaluate_routes

    app = FastAPI(title="Polycite", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    blocks = build_page(opening)
    known = add_doors(app, doors, opening.settings, set(blocks.fns))
    app.add_middleware(Delivery)
    add_evaluate_routes(app, opening)
    add_corpus_routes(app, opening)
    add_chat_routes(app, opening)
    add_routes(app, opening)
    if mcp:
        from qa.mcp_server import add_mcp

        add_mcp(app, opening)
    theme = gr.themes.Base(font=_FONTS, font_mono=["ui-monospace", "monospace"])
    gr.mount_gradio_app(
        app, blocks, path="/", theme=theme, footer_links=[], run_history=False, enable_monitoring=False,
        ssr_mode=False, mcp_server=False, pwa=False, max_file_size="1mb", show_error=False, auth_dependency=known,
    )  # fmt: skip
    return app


def run(
    settings: Settings, open_engine: Callable[[Settings, Progress], Answerer], host: str, port: int,
    doors: "Doors | None" = None, *, mcp: bool = False,
) -> None:  # fmt: skip
    """Serves until it is interrupted, for whoever ``doors`` let in: by default everybody on this machine.

    Raises UserError where the address cannot be had or the articles cannot be opened.
    """
    from qa.doors.doors import open_doors

    if not settings.corpus.is_dir():
        raise UserError(f"there is no folder {str(settings.corpus)!r}: give --corpus a folder of articles")
    doors = doors or open_doors(host)
    listening = listen(host, port)
    opening = Opening(settings, open_engine)
    with listening:
        _serve(opening, listening, host, doors, mcp)
    if opening.error:
        raise opening.error


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises UserError where the address cannot be had."""
    if not 0 <= port <= _LAST_PORT:
        raise UserError(f"there is no port {port}: give --port a number from 0 to {_LAST_PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _bound(socket.socket(family, kind, protocol), address)
    except OSError as error:
        raise UserError(_why_not(host, port, error)) from None


def _bound(fresh: socket.socket, address: tuple[Any, ...]) -> socket.socket:
    try:
        if os.name == "posix":
            fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        fresh.bind(address)
        fresh.listen(128)
    except OSError:
        fresh.close()
        raise
    return fresh


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use: stop the program that uses it, or give --port another number"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} may not be used by this account: give --port a number above 1023"
    return f"{host!r} is no address of this machine ({error}): give --host 127.0.0.1 or another of its addresses"


def _serve(opening: Opening, listening: socket.socket, host: str, doors: "Doors", mcp: bool) -> None:
    import uvicorn

    # Pages that are open hold a connection, which would keep the server from ending.
    app = create_app(opening, doors, mcp=mcp)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, server_header=False)
    server = uvicorn.Server(config)

    def give_up() -> None:
        server.should_exit = True

    opening.start(failed=give_up)
    shown = f"[{host}]" if ":" in host else host
    sys.stderr.write(f"Polycite is on http://{shown}:{listening.getsockname()[1]} (Ctrl+C stops it)\n")
    server.run(sockets=[listening])
