"""The HTTP interface against its own description: schemathesis sends what it allows and what it forbids."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fake_engine import opener
from fastapi.openapi.models import OpenAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from serving import serving

from index.settings import Settings
from qa.answer import Answer, Citation
from qa.page.opening import Opening
from qa.page.server import create_app

POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


@pytest.fixture(scope="module")
def described() -> Iterator[schemathesis.BaseSchema]:
    """The description of a running server, and so the way to it."""
    opening = Opening(Settings(), opener([]))
    opening.start()
    with serving(create_app(opening)) as address:
        yield schemathesis.openapi.from_url(f"{address}/api/openapi.json")


def test_the_description_is_openapi(described: schemathesis.BaseSchema) -> None:
    found = OpenAPI.model_validate(described.raw_schema)
    assert found.openapi.startswith("3.1")
    assert set(found.paths or {}) == {"/healthz", "/api/ask", "/api/articles", "/api/articles/{name}"}
    assert "422" not in str(described.raw_schema)
    for shape in (Answer, Citation):
        properties = described.raw_schema["components"]["schemas"][shape.__name__]["properties"]
        assert set(properties) == {field.name for field in dataclasses.fields(shape)}
        assert [name for name, schema in properties.items() if not schema.get("description")] == []


@pytest.mark.parametrize(
    ("method", "path", "mode", "count"),
    [
        ("POST", "/api/ask", POSITIVE, 200),
        ("POST", "/api/ask", NEGATIVE, 200),
        ("GET", "/api/articles", POSITIVE, 60),
        ("GET", "/api/articles", NEGATIVE, 60),
        ("GET", "/api/articles/{name}", POSITIVE, 60),
        ("GET", "/healthz", POSITIVE, 1),
    ],
)
def test_every_response_is_as_described(
    described: schemathesis.BaseSchema, method: str, path: str, mode: GenerationMode, count: int
) -> None:
    """No server error; status, type and body as described; what is allowed is taken, what is not is refused."""
    operation = described[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def check(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate()

    check()
