"""The HTTP interface for programs: health, questions, articles. ``description.py`` describes it."""

import json
import logging
import re
from itertools import islice
from typing import Any

from fastapi import FastAPI
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from index.articles import Article
from index.errors import UserError
from qa.page.handlers import read_body
from qa.page.opening import NotOpenedError, Opening
from qa.page.requests import parse_ask, whole_number

MOST_LISTED = 1000  # articles in one response
_LONGEST_BODY = 1_000_000  # bytes
_TOO_LONG = f"the body is longer than {_LONGEST_BODY:,} bytes: ask a shorter question"
_LOG = logging.getLogger(__name__)


class _WholeConvertor(PathConvertor):
    """The rest of a path, also where the name of a file holds a line break."""

    regex = r"[\s\S]*"


register_url_convertor("whole", _WholeConvertor())


class ApiRoutes:
    """The handlers of the routes."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    async def health(self, request: Request) -> Response:
        """Whether questions are answered at once (ready) or have to wait (starting)."""
        status = self._opening.status
        if status.state != "failed":
            return answer_json({"status": status.state})
        # What went wrong may name folders: it is for those who have been let in.
        reason = {} if request.scope.get("polycite.outside") else {"error": one_line(status.reason)}
        return answer_json({"status": "failed", **reason}, 503)

    async def ask(self, request: Request) -> Response:
        """One answer, in the JSON of ``polycite ask --json``; while the articles are being opened, it waits."""
        try:
            asked = parse_ask(await read_body(request, _LONGEST_BODY, TooLongError(_TOO_LONG)))
            answer = await self._opening.ask(asked.question, **asked.options)
        except UserError as error:
            return refusal(error)
        except Exception:  # noqa: BLE001 - the log keeps it, the client gets one line
            _LOG.exception("a question could not be answered")
            return fault("the question could not be answered: the log of the server says why", 500)
        return answer_json(answer.as_json())

    async def articles(self, request: Request) -> Response:
        """The articles without their texts, in the order of their names."""
        try:
            offset = whole_number(request.query_params, "offset", 0)
            limit = whole_number(request.query_params, "limit", 100)
            if not 1 <= limit <= MOST_LISTED:
                raise UserError(f'"limit" must be a whole number from 1 to {MOST_LISTED}')
            known = (await self._opening.ready()).articles
        except UserError as error:
            return refusal(error)
        listed = islice(sorted(known), offset, offset + limit)
        return answer_json({"total": len(known), "articles": [_head(known[name]) for name in listed]})

    async def article(self, name: str) -> Response:
        """Text and metadata of an article; the offsets of citations count characters of this text."""
        try:
            found = (await self._opening.ready()).articles.get(name)
        except UserError as error:
            return refusal(error)
        if found is None:
            return fault(f"there is no article {name!r}", 404)
        head = _head(found)
        head.pop("characters")
        return answer_json(head | {"text": found.text})

    async def nothing(self, request: Request) -> Response:
        """What is asked for under ``/api/`` and is not there."""
        allowed = _methods_of(request.app, request.url.path)
        if allowed:
            wrong = f"{request.method} is not understood here: send {' or '.join(allowed)}"
            return fault(wrong, 405, {"Allow": ", ".join(allowed)})
        return fault(f"there is no {request.url.path!r}: /api/openapi.json says what there is", 404)


def answer_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response of JSON, whatever characters file names hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        body = text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: the name of a file that is not UTF-8
        body = json.dumps(value).encode()
    return Response(body, status, headers, media_type="application/json")


def fault(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """A response that says in one line what is wrong."""
    return answer_json({"error": one_line(text)}, status, headers)


def refusal(error: UserError) -> Response:
    """400 for a wrong request, 413 for one too long; 503 where it is the articles that could not be opened."""
    status = {NotOpenedError: 503, TooLongError: 413}.get(type(error), 400)
    return fault(str(error), status)


def one_line(text: str) -> str:
    """A text without line breaks and other runs of white space."""
    return re.sub(r"\s+", " ", text).strip()


def _head(article: Article) -> dict[str, Any]:
    return {
        "article": article.name, "title": article.title, "date": article.date, "language": article.language,
        "characters": len(article.text),
    }  # fmt: skip


def _methods_of(app: FastAPI, path: str) -> list[str]:
    """The methods that a path understands; none for one that is not there."""
    described: dict[str, dict[str, Any]] = app.openapi()["paths"]
    for pattern, methods in described.items():
        if re.fullmatch(re.sub(r"\{.*?\}", ".+", pattern), path, re.DOTALL):
            return sorted(method.upper() for method in methods)
    return []


class TooLongError(UserError):
    """A body that is longer than any request may be."""
