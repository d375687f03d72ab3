"""The HTTP interface: health, questions, articles, and the files and fragments that the page itself loads."""

import logging
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from index.articles import Article
from index.errors import UserError
from qa.page.articles import render_article
from qa.page.opening import NotOpenedError, Opening
from qa.page.requests import parse_ask, parse_place
from qa.page.words import words

_LONGEST_BODY = 100_000  # bytes
_LOG = logging.getLogger(__name__)
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def add_routes(app: FastAPI, opening: Opening) -> None:
    """Adds the routes to an application."""
    routes = Routes(opening)
    app.add_api_route("/healthz", routes.health, methods=["GET"], response_model=None)
    app.add_api_route("/api/ask", routes.ask, methods=["POST"], response_model=None)
    app.add_api_route("/api/articles/{name:path}", routes.article, methods=["GET"], response_model=None)
    app.add_api_route("/page/article/{name:path}", routes.panel, methods=["GET"], response_model=None)
    app.add_api_route("/page/{name}", routes.asset, methods=["GET"], response_model=None, include_in_schema=False)
    app.add_api_route("/favicon.ico", routes.icon, methods=["GET"], response_model=None, include_in_schema=False)


class Routes:
    """The handlers of the routes."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    async def health(self) -> Response:
        """Whether questions are answered at once (ready) or have to wait (starting)."""
        status = self._opening.status
        if status.state == "failed":
            return _json({"status": "failed", "error": _one_line(status.reason)}, 503)
        return _json({"status": status.state})

    async def ask(self, request: Request) -> Response:
        """One answer, in the JSON of ``polycite ask --json``; while the articles are being opened, it waits."""
        try:
            asked = parse_ask(await _body(request))
            answer = await self._opening.ask(asked.question, **asked.options)
        except UserError as error:
            return _refusal(error)
        except Exception:  # noqa: BLE001 - the log keeps it, the client gets one line
            _LOG.exception("a question could not be answered")
            return _json({"error": "the question could not be answered: the log of the server says why"}, 500)
        return _json(answer.as_json())

    async def article(self, name: str) -> Response:
        """Text and metadata of an article; the offsets of citations count characters of this text."""
        try:
            found = await self._find(name)
        except UserError as error:
            return _refusal(error)
        if found is None:
            return _json({"error": f"there is no article {name!r}"}, 404)
        return _json(
            {
                "article": found.name, "title": found.title, "date": found.date, "language": found.language,
                "text": found.text,
            }
        )  # fmt: skip

    async def panel(self, name: str, request: Request) -> Response:
        """An article as HTML for the reading panel, with the excerpt and the sentence of the query set off."""
        try:
            place = parse_place(request.query_params)
            found = await self._find(name)
        except UserError as error:
            return _refusal(error)
        if found is None:
            return _json({"error": f"there is no article {name!r}"}, 404)
        here = words(request.query_params.get("ui", ""))
        return HTMLResponse(render_article(found, place, here), headers={"Cache-Control": "no-store"})

    async def asset(self, name: str) -> Response:
        """A style sheet, script or picture of the page."""
        kind = _TYPES.get(Path(name).suffix)
        found = next((each for each in files("qa.page").joinpath("assets").iterdir() if each.name == name), None)
        if kind is None or found is None:
            return _json({"error": f"there is no file {name!r}"}, 404)
        return Response(found.read_bytes(), media_type=kind, headers={"Cache-Control": "no-cache"})

    async def icon(self) -> Response:
        """The picture in the browser's tab."""
        return await self.asset("icon.svg")

    async def _find(self, name: str) -> Article | None:
        return (await self._opening.ready()).articles.get(name)


def _refusal(error: UserError) -> Response:
    """400 for a wrong request; 503 where it is the articles that could not be opened."""
    return _json({"error": _one_line(str(error))}, 503 if isinstance(error, NotOpenedError) else 400)


async def _body(request: Request) -> bytes:
    """The body of a request. Raises UserError where it is longer than any question."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            raise UserError(f"the body is longer than {_LONGEST_BODY} bytes: ask a shorter question")
    return body


def _json(value: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(value, status)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
