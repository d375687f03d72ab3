"""The OpenAPI description of the HTTP interface, made of the models in ``schema.py``, and the routes it describes."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from qa.page.opening import Opening
from qa.page.programs import MOST_LISTED, ApiRoutes
from qa.page.schema import ANSWER, ArticleList, ArticleText, Asked, Fault, Health

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]
_ABOUT = """Answers questions, asked in any language, about a folder of articles, by exact quotes.

Whatever goes wrong is said in one line, `{"error": "..."}`. Where the server asks for a password or a token, send
`Authorization: Basic ...` or `Authorization: Bearer ...`."""
_SAID = {
    400: "The request is wrong: the error says where, and how to mend it.",
    401: "The server wants a password or a token.",
    404: "There is no such article.",
    413: "The request is too long.",
    429: "Too many requests: wait as many seconds as `Retry-After` says.",
    500: "Something failed: the log of the server says what.",
    503: "The articles could not be opened.",
}
_ENDED = ("ValidationError", "HTTPValidationError")  # FastAPI's own, which nothing sends here


def add_programs(app: FastAPI, opening: Opening) -> None:
    """Adds the routes of the interface, and its description at ``/api/openapi.json``."""
    routes = ApiRoutes(opening)
    app.add_api_route(
        "/healthz", routes.health, methods=["GET"], response_model=Health, operation_id="health",
        responses={503: {"model": Health, "description": _SAID[503]}}, summary="State of the server",
    )  # fmt: skip
    app.add_api_route(
        "/api/ask", routes.ask, methods=["POST"], response_model=ANSWER, operation_id="ask", summary="Ask a question",
        responses=_faults(400, 413, 500, 503), openapi_extra={"requestBody": _body("Asked")},
    )  # fmt: skip
    app.add_api_route(
        "/api/articles", routes.articles, methods=["GET"], response_model=ArticleList, operation_id="articles",
        summary="List the articles", responses=_faults(400, 503),
        openapi_extra={"parameters": [_number("offset", 0, 10**12 - 1, 0), _number("limit", 1, MOST_LISTED, 100)]},
    )  # fmt: skip
    app.add_api_route(
        "/api/articles/{name:whole}", routes.article, methods=["GET"], response_model=ArticleText,
        operation_id="article", summary="Read an article", responses=_faults(404, 503),
    )  # fmt: skip
    app.add_api_route(
        "/api/{rest:whole}", routes.nothing, methods=METHODS, response_model=None, include_in_schema=False
    )
    app.openapi = _describer(app)  # type: ignore[method-assign]


def _describer(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The function that describes an application, once it has all its routes."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    return describe


def _describe(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title="Polycite", version=_version(), description=_ABOUT, routes=app.routes)
    for operations in found["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"] = dict(sorted(operation["responses"].items()))
    _, bodies = models_json_schema([(Asked, "validation")], ref_template="#/components/schemas/{model}")
    kept = {name: model for name, model in found["components"]["schemas"].items() if name not in _ENDED}
    found["components"]["schemas"] = dict(sorted((kept | bodies["$defs"]).items()))
    found["components"]["securitySchemes"] = {
        "password": {"type": "http", "scheme": "basic"}, "token": {"type": "http", "scheme": "bearer"},
    }  # fmt: skip
    found["security"] = [{}, {"password": []}, {"token": []}]
    return found


def _faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ways in which an operation may fail; where there is a door, it may also be shut."""
    return {status: {"model": Fault, "description": _SAID[status]} for status in (*statuses, 401, 429)}


def _body(name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _number(name: str, least: int, most: int, default: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("polycite")
    except PackageNotFoundError:  # run from a folder in which it was never installed
        return "0"
