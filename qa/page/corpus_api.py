"""What the Corpus tab asks the server for: HTML to show, files to take in, to delete and to put back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from index.errors import UserError
from index.formats.extracted import MOST_BYTES
from qa.page.browsers import is_known
from qa.page.corpus import summarise
from qa.page.corpus_view import Wish, render_body, render_tab, rows_of
from qa.page.handlers import Handler, guarded, read_body
from qa.page.library import Library
from qa.page.narrowing import parse_narrowing
from qa.page.opening import Opening
from qa.page.uploads import file_name, too_large
from qa.page.words import Words, words

_MOST_UPLOADS = 2  # that are received at once: each is held in memory
_LONGEST_SEARCH = 200


def add_corpus_routes(app: FastAPI, opening: Opening) -> None:
    """Adds the routes to an application; before those that would take their paths."""
    routes = CorpusRoutes(opening)
    table: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/page/corpus", routes.tab),
        ("GET", "/page/corpus/list", routes.body),
        ("GET", "/page/corpus/state", routes.state),
        ("POST", "/page/corpus/upload", _changing(routes.upload)),
        ("POST", "/page/corpus/delete", _changing(routes.delete)),
        ("POST", "/page/corpus/restore", _changing(routes.restore)),
    )
    for method, path, handler in table:
        app.add_api_route(path, guarded(handler), methods=[method], response_model=None, include_in_schema=False)


def _changing(handler: Callable[[Request], Awaitable[dict[str, Any]]]) -> Handler:
    """A handler that changes the folder, for the page alone. A refusal is an outcome, and no failed request."""

    async def changing(request: Request) -> Response:
        _check_browser(request)
        try:
            return JSONResponse(await handler(request))
        except UserError as error:
            return _said(error, 200)

    return changing


def _said(error: UserError, status: int) -> Response:
    return JSONResponse({"error": " ".join(str(error).split())}, status)


class CorpusRoutes:
    """The handlers of the routes."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._library = Library(opening)
        self._library.start()
        self._uploads = asyncio.Semaphore(_MOST_UPLOADS)

    async def tab(self, request: Request) -> Response:
        """The whole tab."""
        return await self._html(request, whole=True)

    async def body(self, request: Request) -> Response:
        """What changes of it: by what is done to the folder, and by what the reader wants to see."""
        return await self._html(request, whole=False)

    async def state(self, request: Request) -> Response:
        """How far the collection has followed the folder."""
        ready = {"ready": self._opening.engine is not None}
        return JSONResponse(self._library.status.as_json() | ready, headers={"Cache-Control": "no-store"})

    async def upload(self, request: Request) -> dict[str, Any]:
        """Takes the body in as the file ``name``."""
        name = file_name(request.query_params.get("name", ""))
        async with self._uploads:
            content = await _received(request, name)
            kept = await asyncio.to_thread(self._library.save, name, content)
        undo = kept.replaced.key if kept.replaced else ""
        return {"name": kept.name, "same": kept.same, "replaced": undo, "version": self._library.status.version}

    async def delete(self, request: Request) -> dict[str, Any]:
        """Moves the article ``name`` to the trash."""
        deleted = await asyncio.to_thread(self._library.delete, request.query_params.get("name", ""))
        return {"name": deleted.name, "key": deleted.key, "version": self._library.status.version}

    async def restore(self, request: Request) -> dict[str, Any]:
        """Puts the deleted article ``key`` back."""
        restored = await asyncio.to_thread(self._library.restore, request.query_params.get("key", ""))
        return {"name": restored.name, "version": self._library.status.version}

    async def _html(self, request: Request, *, whole: bool) -> Response:
        html = await asyncio.to_thread(self._render, request.query_params, whole)
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    def _render(self, query: QueryParams, whole: bool) -> str:
        here: Words = words(query.get("ui", ""))
        library, engine = self._library, self._opening.engine
        articles = engine.articles if engine else {}
        rows = rows_of(articles, library.sentence_counts, library.left_out, library.present)
        body = render_body(rows, _wish(query), library.status, library.trash.all(), here)
        return render_tab(summarise(articles.values()).languages, body, here) if whole else body


def _check_browser(request: Request) -> None:
    """Raises UserError where no page of ours sends the request: foreign ones cannot send our cookie along."""
    if not is_known(request.cookies):
        raise UserError("the browser has sent no cookie: allow cookies for this page and load it again")


def _wish(query: QueryParams) -> Wish:
    """What is to be seen of the table; whatever is not as it should be is left open."""
    page = query.get("page", "")
    return Wish(
        text=query.get("text", "")[:_LONGEST_SEARCH],
        narrowing=parse_narrowing(dict(query)),
        sort=query.get("sort", "") or "date",
        down=query.get("down", "1") == "1",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 0,
    )


async def _received(request: Request, name: str) -> bytes:
    """An upload. Raises UserError where it is larger than any may be."""
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared) > MOST_BYTES:
        raise too_large(name)
    return await read_body(request, MOST_BYTES, too_large(name))
