"""The HTTP interface, and what the page itself carries."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fake_engine import HOSTILE, FakeEngine, opener
from starlette.testclient import TestClient

from index.articles import Article
from index.errors import UserError
from index.settings import Settings
from qa.page.opening import Answerer, Opening, Progress
from qa.page.server import create_app

ENGINES: list[FakeEngine] = []


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    opening = Opening(Settings(), opener(ENGINES))
    opening.start()
    with TestClient(create_app(opening)) as client:
        while client.get("/healthz").json() != {"status": "ready"}:
            time.sleep(0.05)
        yield client


def test_answer_is_the_json_of_the_command_line(client: TestClient) -> None:
    answered = client.post("/api/ask", json={"question": "What gifts?", "top": 2})
    assert answered.status_code == 200
    assert answered.json() == ENGINES[0].ask("What gifts?", top=2).as_json()
    for citation in answered.json()["citations"]:
        text = client.get(f"/api/articles/{citation['article']}").json()["text"]
        assert text[citation["start"] : citation["end"]] == citation["text"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "JSON"), (b"[]", "object"), (b"{}", "question"), (b'{"question": " "}', "empty"),
        (b'{"question": 3}', "string"), (b'{"question": "x", "top": 9}', "top"), (b"\xff\xfe{", "JSON"),
        (b'{"question": "x", "top": true}', "top"), (b'{"question": "x", "top": "3"}', "top"),
        (b'{"question": "x", "from": "June"}', "from"), (b'{"question": "x", "to": "2024-13"}', "to"),
        (b'{"question": "x", "language": "Slovene"}', "language"), (b'{"question": "x", "since": "2024"}', "since"),
        (json.dumps({"question": "x" * 2001}).encode(), "long"), (b'{"question": "x", "history": ["y", 3]}', "history"),
        (json.dumps({"question": "x" * 2001}).encode(), "2000"), (b'{"question": "x", "history": "y"}', "history"),
        (json.dumps({"question": "x", "history": ["y"] * 21}).encode(), "20"), (b'{"question": "x"', "JSON"),
        (b"[" * 50_000, "JSON"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_line(client: TestClient, body: bytes, word: str) -> None:
    answered = client.post("/api/ask", content=body)
    assert answered.status_code == 400
    assert list(answered.json()) == ["error"]
    assert word in answered.json()["error"]
    assert "\n" not in answered.json()["error"]


def test_a_body_that_is_too_long_is_refused(client: TestClient) -> None:
    answered = client.post("/api/ask", content=b'{"question": "' + b"x" * 1_100_000)
    assert answered.status_code == 413
    assert "1,000,000 bytes" in answered.json()["error"]


def test_a_question_may_come_with_the_dialogue_before_it(client: TestClient) -> None:
    assert client.post("/api/ask", json={"question": "And?", "history": ["What gifts?", " Why? "]}).status_code == 200
    assert ENGINES[0].asked[-1] == ("And?", ("What gifts?", "Why?"))


def test_half_a_surrogate_pair_does_no_harm(client: TestClient) -> None:
    assert client.post("/api/ask", content=b'{"question": "gifts \\ud83d"}').json()["answered"]


def test_a_failure_inside_is_said_without_details(client: TestClient) -> None:
    answered = client.post("/api/ask", json={"question": "explode"})
    assert answered.status_code == 500
    assert "as asked" not in answered.text


def test_article_has_text_and_metadata(client: TestClient) -> None:
    found = client.get("/api/articles/001_1977e9eac9134f9c.txt").json()
    article = ENGINES[0].articles["001_1977e9eac9134f9c.txt"]
    assert found == {
        "article": article.name, "title": article.title, "date": "2024-06", "language": "sl", "text": article.text,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["nothing.txt", "../pyproject.toml", "%2e%2e/ui.py", "..%2f..%2fetc%2fpasswd"])
@pytest.mark.parametrize("route", ["/api/articles/", "/page/article/"])
def test_only_articles_are_served(client: TestClient, route: str, name: str) -> None:
    answered = client.get(route + name)
    assert answered.status_code == 404
    assert "polycite" not in answered.text


def test_panel_is_html_without_markup_of_the_article(client: TestClient) -> None:
    answered = client.get(f"/page/article/{HOSTILE}", params={"start": 0, "end": 40, "from": 0, "to": 10, "ui": "sl"})
    assert answered.headers["content-type"].startswith("text/html")
    assert "<script" not in answered.text
    assert "<img" not in answered.text
    assert "brez datuma" in answered.text
    assert client.get(f"/page/article/{HOSTILE}", params={"start": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/page/page.css", "text/css"), ("/page/page.js", "text/javascript"), ("/favicon.ico", "image/svg+xml")],
)
def test_assets_come_with_their_type(client: TestClient, path: str, kind: str) -> None:
    answered = client.get(path)
    assert answered.status_code == 200
    assert answered.headers["content-type"].startswith(kind)
    assert client.get("/page/words.py").status_code == 404


def test_page_has_its_language_and_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/", headers={"accept-language": "ar-EG,en;q=0.5"})
    assert '<html lang="ar" dir="rtl">' in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "huggingface" not in page.text
    assert "githubusercontent" not in page.text
    client.cookies.set("polycite_language", "sl")
    assert '<html lang="sl" dir="ltr">' in client.get("/", headers={"accept-language": "ar"}).text
    client.cookies.clear()


def test_own_part_of_the_first_page_is_small(client: TestClient) -> None:
    assert sum(len(client.get(path).content) for path in ("/", "/page/page.css", "/page/page.js")) < 300_000


def test_gradio_offers_the_page_and_ask(client: TestClient) -> None:
    assert list(client.get("/gradio_api/info").json()["named_endpoints"]) == ["/ask"]
    assert client.get("/monitoring").status_code in (403, 404)


def test_articles_that_do_not_open_are_reported(tmp_path: Path) -> None:
    def fail(settings: Settings, progress: Progress) -> Answerer:
        raise UserError("the model\n'x' is unknown")

    opening = Opening(Settings(corpus=tmp_path), fail)
    opening.start()
    with TestClient(create_app(opening)) as client:
        while client.get("/healthz").json() == {"status": "starting"}:
            time.sleep(0.02)
        assert client.get("/healthz").json() == {"status": "failed", "error": "the model 'x' is unknown"}
        answered = client.post("/api/ask", json={"question": "x"})
        assert answered.status_code == 503
        assert "the model 'x' is unknown" in answered.json()["error"]


@pytest.mark.parametrize("name", ["a folder/ü?# 5% &.txt", "two\nlines.txt", "not utf-8 \udcff.txt"])
def test_article_names_may_hold_folders_and_odd_characters(tmp_path: Path, name: str) -> None:
    article = Article(name, "Some text.", "0", None, "Some text.", "en", 0)
    opening = Opening(Settings(corpus=tmp_path), lambda settings, progress: FakeEngine(settings, {name: article}))
    opening.start()
    with TestClient(create_app(opening)) as client:
        assert client.get("/api/articles").json()["articles"][0]["article"] == name
        asked = quote(name, errors="surrogateescape")
        found = client.get(f"/api/articles/{asked}")
        if "\udcff" in name:  # HTTP cannot name it
            assert found.status_code == 404
        else:
            assert found.json()["article"] == name
            assert client.get(f"/page/article/{asked}").status_code == 200


def test_what_is_not_there_is_said_in_the_same_way(client: TestClient) -> None:
    missing, wrong = client.get("/api/questions"), client.delete("/api/articles/x.txt")
    assert (missing.status_code, wrong.status_code, wrong.headers["allow"]) == (404, 405, "GET")
    assert list(missing.json()) == list(wrong.json()) == ["error"]


def test_articles_are_listed_by_name(client: TestClient) -> None:
    names = sorted(ENGINES[0].articles)
    found = client.get("/api/articles", params={"offset": 1, "limit": 2}).json()
    assert found["total"] == len(names)
    assert [each["article"] for each in found["articles"]] == names[1:3]
    assert found["articles"][0]["characters"] == len(ENGINES[0].articles[names[1]].text)
    assert client.get("/api/articles", params={"limit": 0}).status_code == 400
    assert client.get("/api/articles", params={"offset": "-1"}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"[[1]]", b'[["a", 1, 2]]x', b'[["a", "b", 3]]', b"[" * 20_000, b'[["a", 1e999, 2]]',
        b'[["a", 0, 1]' + b', ["a", 0, 1]' * 9 + b"]", b"x" * 200_000,
    ],
)  # fmt: skip
def test_what_are_no_excerpts_is_refused_in_one_line(client: TestClient, body: bytes) -> None:
    answered = client.post("/page/follow-ups", content=body)
    assert answered.status_code == 400
    assert "\n" not in answered.json()["error"]


def test_follow_ups_come_as_text_with_their_language(client: TestClient) -> None:
    cited = ENGINES[0].ask("What gifts?").citations
    body = json.dumps([[c.article, c.start, c.end] for c in cited])
    found = client.post("/page/follow-ups?ui=sl", content=body).json()["followUps"]
    assert 0 < len(found) <= 3
    assert found[0]["language"] == "sl"
    assert set(found[0]) == {"text", "language"}
    assert client.post("/page/follow-ups", content=b'[["gone.txt", 0, 9]]').json() == {"followUps": []}


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[" * 20_000, b'{"version": 1, "id": "x", "turns": []}'])
def test_what_is_no_chat_is_not_made_markdown(client: TestClient, body: bytes) -> None:
    answered = client.post("/page/chat.md", content=body)
    assert answered.status_code == 400
    assert "\n" not in answered.json()["error"]


def test_scripts_of_the_page_carry_a_number_of_their_own(client: TestClient) -> None:
    numbers = set()
    for _ in range(2):
        page = client.get("/")
        number = page.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
        assert page.text.count("<script") == page.text.count(f'<script nonce="{number}"') > 5
        numbers.add(number)
    assert len(numbers) == 2
    assert "unsafe-inline" not in client.get("/healthz").headers["content-security-policy"].split("style-src")[0]
