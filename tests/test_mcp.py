"""The tools, called by the official client: over HTTP, and over the standard streams of ``polycite mcp``."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine, opener
from mcp import Client, StdioServerParameters
from serving import serving

from index.settings import PROJECT, SEEDS, Settings
from qa.mcp_server import MOST_READ
from qa.page.opening import Opening
from qa.page.server import create_app

ENGINES: list[FakeEngine] = []
GIFTS = "What gifts did Putin give to Kim?"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    opening = Opening(Settings(), opener(ENGINES))
    opening.start()
    with serving(create_app(opening, mcp=True)) as address:
        yield f"{address}/mcp"


def call(server: str | StdioServerParameters, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """The tools of a server, and the results of calls, all in one session."""

    async def session() -> list[Any]:
        async with Client(server, read_timeout_seconds=120) as client:
            listed = await client.list_tools()
            return [listed.tools] + [await client.call_tool(name, given) for name, given in calls]

    return asyncio.run(session())


def test_tools_are_described(address: str) -> None:
    (tools,) = call(address)
    assert [tool.name for tool in tools] == ["search", "ask", "read_article"]
    for tool in tools:
        assert tool.annotations.read_only_hint and tool.description and tool.output_schema
        assert all("description" in field for field in tool.input_schema["properties"].values())


def test_ask_answers_as_the_command_line_does(address: str) -> None:
    _, answered, declined = call(address, ("ask", {"question": GIFTS, "top": 2}), ("ask", {"question": "Why?"}))
    assert answered.structured_content == ENGINES[0].ask(GIFTS, top=2).as_json()
    assert json.loads(answered.content[0].text) == answered.structured_content
    assert declined.structured_content["answered"] is False


def test_search_finds_passages_also_where_they_do_not_answer(address: str) -> None:
    _, found = call(address, ("search", {"query": "Why?"}))
    passages = found.structured_content["passages"]
    assert passages == ENGINES[0].ask("Why?").as_json()["citations"]


def test_an_article_is_read_in_parts(address: str) -> None:
    name = "zz_long.txt"
    text = ENGINES[0].articles[name].text
    _, first, last = call(
        address, ("read_article", {"article": name}), ("read_article", {"article": name, "start": len(text) - 5})
    )
    assert first.structured_content["text"] == text[:MOST_READ]
    assert (first.structured_content["end"], first.structured_content["characters"]) == (MOST_READ, len(text))
    assert last.structured_content["text"] == text[-5:]


@pytest.mark.parametrize(
    ("tool", "given", "word"),
    [
        ("ask", {"question": " "}, "empty"),
        ("ask", {"question": "x" * 2001}, "2000"),
        ("ask", {"question": "x", "top": 6}, '"top"'),
        ("ask", {"question": "x", "since": "June"}, '"since"'),
        ("search", {"query": ["x"]}, "query"),
        ("read_article", {"article": "../ui.py"}, "no article"),
        ("read_article", {"article": "x", "length": 10**9}, "length"),
        ("shell", {"command": "id"}, "shell"),
    ],
)
def test_wrong_calls_are_refused(address: str, tool: str, given: dict[str, Any], word: str) -> None:
    _, refused = call(address, (tool, given))
    assert refused.is_error
    assert word in refused.content[0].text


def test_failures_inside_are_said_without_details(address: str) -> None:
    _, failed = call(address, ("ask", {"question": "explode"}))
    assert failed.is_error
    assert "as asked" not in failed.content[0].text


@pytest.mark.slow
def test_standard_streams(tmp_path: Path, data_folder: Path) -> None:
    """A real session with ``polycite mcp``: real encoder, nothing but the protocol on its standard output."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "qa.cli", "mcp"], cwd=tmp_path,
        env=dict(os.environ) | {"PYTHONPATH": str(PROJECT), "POLYCITE_STORE": str(tmp_path / "store")},
    )  # fmt: skip
    tools, answered = call(server, ("ask", {"question": GIFTS}))
    assert len(tools) == 3
    citation = answered.structured_content["citations"][0]
    text = (SEEDS / citation["article"]).read_text(encoding="utf-8")
    assert text[citation["start"] : citation["end"]] == citation["text"]
