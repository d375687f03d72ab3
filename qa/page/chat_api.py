"""What the page asks the server for beside its conversation: a chat as Markdown, and what could be asked next."""

import asyncio
import json
from functools import partial

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from index.errors import UserError
from qa.answer import MOST_CITATIONS
from qa.followups import Place, follow_ups
from qa.page.handlers import guarded, read_body
from qa.page.markdown import as_markdown
from qa.page.opening import Opening
from qa.page.stored import MOST_BYTES, from_stored
from qa.page.words import words

_LONGEST_NAME = 4096  # characters


def add_chat_routes(app: FastAPI, opening: Opening) -> None:
    """Adds the routes to an application; before those that would take their paths."""
    routes = ChatRoutes(opening)
    for path, handler in (("/page/chat.md", routes.markdown), ("/page/follow-ups", routes.suggest)):
        app.add_api_route(path, guarded(handler), methods=["POST"], response_model=None, include_in_schema=False)


class ChatRoutes:
    """The handlers of the routes."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    async def markdown(self, request: Request) -> Response:
        """The chat in the body, as the browser keeps it, as Markdown."""
        _, turns = from_stored((await _body(request, MOST_BYTES)).decode("utf-8", "replace"))
        text = as_markdown(turns, words(request.query_params.get("ui", "")))
        return Response(text, media_type="text/markdown", headers={"Cache-Control": "no-store"})

    async def suggest(self, request: Request) -> Response:
        """What else could be asked about the excerpts in the body: sentences that the engine finds."""
        shown = parse_places(await _body(request, 100_000))
        engine = await self._opening.ready()
        ask = partial(self._opening.ask_from_thread, plain=True)  # sentences of articles are to be found
        language = request.query_params.get("ui", "")
        found = await asyncio.to_thread(follow_ups, shown, dict(engine.articles), ask, language)
        return JSONResponse({"followUps": [vars(each) for each in found]})


def parse_places(body: bytes) -> list[Place]:
    """The excerpts in a body. Raises UserError where they are none."""
    try:
        found = json.loads(body)
        places = [Place(str(article), int(start), int(end)) for article, start, end in found]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise UserError('the body holds no excerpts: send a list such as [["a.txt", 0, 120]]') from None
    if not 0 < len(places) <= MOST_CITATIONS or any(len(place.article) > _LONGEST_NAME for place in places):
        raise UserError(f"send from 1 to {MOST_CITATIONS} excerpts")
    return places


async def _body(request: Request, most: int) -> bytes:
    return await read_body(request, most, UserError(f"the body is longer than {most:,} bytes"))
