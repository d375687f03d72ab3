"""The HTTP interface: that for programs (``programs.py``), and the files and fragments that the page itself loads."""

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from index.articles import Article
from index.errors import UserError
from qa.page.articles import render_article
from qa.page.description import add_programs
from qa.page.opening import Opening
from qa.page.programs import fault, refusal
from qa.page.requests import parse_place
from qa.page.words import words

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def add_routes(app: FastAPI, opening: Opening) -> None:
    """Adds the routes to an application."""
    routes = Routes(opening)
    add_programs(app, opening)
    app.add_api_route(
        "/page/article/{name:whole}", routes.panel, methods=["GET"], response_model=None, include_in_schema=False
    )
    app.add_api_route("/page/{name}", routes.asset, methods=["GET"], response_model=None, include_in_schema=False)
    app.add_api_route("/favicon.ico", routes.icon, methods=["GET"], response_model=None, include_in_schema=False)


class Routes:
    """The handlers of the routes."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    async def panel(self, name: str, request: Request) -> Response:
        """An article as HTML for the reading panel, with the excerpt and the sentence of the query set off."""
        try:
            place = parse_place(request.query_params)
            found = await self._find(name)
        except UserError as error:
            return refusal(error)
        if found is None:
            return fault(f"there is no article {name!r}", 404)
        here = words(request.query_params.get("ui", ""))
        return HTMLResponse(render_article(found, place, here), headers={"Cache-Control": "no-store"})

    async def asset(self, name: str) -> Response:
        """A style sheet, script or picture of the page."""
        kind = _TYPES.get(Path(name).suffix)
        found = next((each for each in files("qa.page").joinpath("assets").iterdir() if each.name == name), None)
        if kind is None or found is None:
            return fault(f"there is no file {name!r}", 404)
        return Response(found.read_bytes(), media_type=kind, headers={"Cache-Control": "no-cache"})

    async def icon(self) -> Response:
        """The picture in the browser's tab."""
        return await self.asset("icon.svg")

    async def _find(self, name: str) -> Article | None:
        return (await self._opening.ready()).articles.get(name)
