"""Property tests: whatever comes in, the answer is right or one clear line, and nothing breaks.

The short form of each is in every run, over a thousand inputs together; the long one has the marker ``long``.
"""

import itertools
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_engine import HOSTILE, opener
from hostile_inputs import ENCODABLE, JSON, LANGUAGES, TEXTS, bodies, objects
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.testclient import TestClient
from toy_encoder import ToyEncoder

from index.articles import Article, parse_article
from index.errors import UserError
from index.passages import group_passages
from index.sentences import split_blocks, split_sentences
from index.settings import Settings
from index.sync import sync
from qa.answer import LONGEST_EXCERPT, LONGEST_QUESTION, MOST_CITATIONS
from qa.dates import periods
from qa.doors.messages import check_message, named_session
from qa.engine import Engine
from qa.evaluation import read_questions
from qa.page.answers import render_answer
from qa.page.articles import Place, render_article
from qa.page.delivery import cookies, page_language
from qa.page.opening import Opening
from qa.page.requests import clean, parse_ask, parse_place
from qa.page.schema import MOST_HISTORY
from qa.page.server import create_app
from qa.page.words import LANGUAGES as PAGE_LANGUAGES
from qa.page.words import words

TRIED: Counter[str] = Counter()
SHORT, LONG = 1, 20  # how many times as many inputs
TIMES = [
    pytest.param(SHORT, id="short"),
    pytest.param(LONG, id="long", marks=[pytest.mark.long, pytest.mark.timeout(1200)]),
]
ENCODER = ToyEncoder()
QUERY = st.integers(-5, 2000).map(str) | st.text(max_size=6) | st.sampled_from(("a.txt", "b.md", "../x.txt", "1e9"))
MANY = st.lists(st.sampled_from((b"&", b"&&&&", b"a=b&", b"session_hash=x", b"%ff=")), max_size=40).map(b"".join)
NAMES = st.lists(TEXTS, max_size=2)


def tried(test: Callable[..., None], times: int, examples: int, **inputs: st.SearchStrategy[Any]) -> None:
    """Runs ``test`` on many inputs and keeps count of them."""

    def counting(**given_inputs: Any) -> None:
        TRIED[test.__qualname__.split(".")[0]] += 1
        test(**given_inputs)

    quiet = settings(max_examples=examples * times, deadline=None, suppress_health_check=list(HealthCheck))
    quiet(given(**inputs)(counting))()


def one_line(error: UserError) -> None:
    said = str(error)
    assert said.strip() and len(said) < 500 and not set(said) & set("\r\n\u2028\x85\x0b\x0c"), repr(said)
    said.encode()


@pytest.mark.parametrize("times", TIMES)
def test_sentences_hold_every_character_once(times: int) -> None:
    def check(text: str, language: str, share: float) -> None:
        start = int(share * len(text))
        spans = split_sentences(text, language, start)
        assert all(start <= span.start < span.end <= len(text) for span in spans)
        assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
        held = {at for span in spans for at in range(span.start, span.end)}
        assert all(at in held for at in range(start, len(text)) if not text[at].isspace())
        blocks = split_blocks(text, start)
        passages = group_passages(spans, blocks)
        assert [at for passage in passages for at in range(passage.first, passage.last)] == list(range(len(spans)))

    tried(check, times, 200, text=TEXTS, language=LANGUAGES, share=st.sampled_from((0.0, 0.0, 0.3, 1.0)))


@pytest.mark.parametrize("times", TIMES)
def test_dates_are_months_that_there_are(times: int) -> None:
    def check(text: str, languages: list[str], newest: int) -> None:
        found = periods(text, languages, newest)
        for period in found:
            assert period.since <= period.until
            for month in (period.since, period.until):
                assert 1 <= month % 100 <= 12 and -1 <= month // 100 <= 2100
        assert found == sorted(set(found))

    tried(
        check, times, 150, text=TEXTS, languages=st.lists(LANGUAGES, max_size=2),
        newest=st.sampled_from((0, 202406, 199912)),
    )  # fmt: skip


@pytest.mark.parametrize("times", TIMES)
def test_a_request_is_taken_whole_or_refused_in_one_line(times: int) -> None:
    def check(body: bytes) -> None:
        try:
            asked = parse_ask(body)
        except UserError as error:
            one_line(error)
            return
        options = asked.options
        for question in (asked.question, *options["history"]):
            assert 1 <= len(question) <= LONGEST_QUESTION and question == clean(question)
            question.encode()
        assert len(options["history"]) <= MOST_HISTORY and 1 <= options["top"] <= MOST_CITATIONS

    known = objects("question", "history", "language", "from", "to", "top")
    likely = st.fixed_dictionaries(
        {"question": TEXTS},
        optional={
            "history": st.lists(TEXTS, max_size=22), "language": st.sampled_from(("sq", "SQ", "", "slv")) | TEXTS,
            "from": st.sampled_from(("2024-06", "2024-13", "२०२४-०६", "2024-06\n")) | TEXTS, "top": JSON,
        },
    )  # fmt: skip
    tried(check, times, 250, body=bodies(likely) | bodies(known) | bodies(JSON))


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("kind", [".jsonl", ".json", ".csv", ".tsv"])
def test_a_question_file_is_read_whole_or_refused_in_one_line(kind: str, times: int) -> None:
    def check(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"questions{kind}"
            file.write_bytes(content)
            try:
                questions = read_questions(file)
            except UserError as error:
                one_line(error)
                return
        assert questions and len({question.id for question in questions}) == len(questions)
        for question in questions:
            json.dumps(question.as_json(), ensure_ascii=False).encode()
            assert question.question.strip() and bool(question.answers) == bool(question.articles)

    row = st.fixed_dictionaries(
        {"id": TEXTS, "question": TEXTS, "articles": NAMES, "answers": NAMES},
        optional={"language": TEXTS | st.sampled_from(("en", "zh-CN")), "pool": JSON},
    )  # fmt: skip
    lines = st.lists(bodies(row | JSON), max_size=4).map(b"\n".join)
    cell = ENCODABLE.map(lambda text: '"' + text.replace('"', '""') + '"') | TEXTS
    head = st.just("id,question,articles,answers") | TEXTS
    table = st.tuples(head, st.lists(st.lists(cell, max_size=6).map(",".join), max_size=4)).map(
        lambda given: "\n".join([given[0], *given[1]]).encode("utf-8", "surrogatepass")
    )
    squad = bodies(
        st.fixed_dictionaries({"data": st.lists(objects("title", "paragraphs", "qas", "context"), max_size=2)})
    )
    inputs = {".jsonl": lines, ".json": squad | lines, ".csv": table | lines, ".tsv": table.map(_with_tabs) | lines}
    tried(check, times, 40, content=inputs[kind])


def _with_tabs(content: bytes) -> bytes:
    return content.replace(b",", b"\t")


@pytest.mark.parametrize("times", TIMES)
def test_a_file_is_an_article_or_is_left_out(times: int) -> None:
    def check(content: bytes) -> None:
        found = parse_article("x.txt", content, lambda text: "en")
        if isinstance(found, Article):
            assert 0 <= found.body < len(found.text) and found.title.strip() and "\n" not in found.title
            found.text.encode()
        else:
            assert found.reason and "\n" not in found.reason

    written = st.tuples(ENCODABLE, st.sampled_from(("utf-8", "utf-16", "utf-8-sig", "latin-1", "cp1251"))).map(
        lambda given: given[0].encode(given[1], "replace")
    )
    tried(check, times, 60, content=written | st.binary(max_size=300))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The whole path over articles of hostile text, with a stand-in for the encoder."""
    folder = tmp_path_factory.mktemp("articles")
    mixed = ("Putin gave a car to Kim", "<b>${x}</b>", "مرحبا", "No. 5", "中文。", "\u202eabc", "a" * 900)
    short = "\n\n".join("x y z" for _ in range(80))
    hostile = [".".join(mixed) * 3, "date 2024-06\n\nOne. Two! Three? " * 40, short, "สวัสดี" * 300]
    for number, text in enumerate(hostile):
        (folder / f"{number} ü <i>.txt").write_text(text, encoding="utf-8")
    place = Settings(corpus=folder, store=str(tmp_path_factory.mktemp("store")))
    report, collection = sync(place, ENCODER)
    return Engine(place, ENCODER, collection, report)


@pytest.mark.parametrize("times", TIMES)
def test_any_question_is_answered_by_exact_quotes_or_refused_in_one_line(engine: Engine, times: int) -> None:
    def check(question: str, history: list[str], language: str | None, since: str | None, top: int) -> None:
        try:
            answer = engine.ask(question, history=history, language=language, since=since, top=top)
        except UserError as error:
            one_line(error)
            return
        assert 0 <= answer.confidence <= 1 and len(answer.citations) <= top
        for citation in answer.citations:
            text = engine.articles[citation.article].text
            assert citation.text == text[citation.start : citation.end] and 0 < len(citation.text) <= LONGEST_EXCERPT
            assert citation.start <= citation.highlight[0] < citation.highlight[1] <= citation.end
        json.dumps(answer.as_json(), allow_nan=False)
        _shows_nothing_but_text(render_answer(answer, words("ar")))

    tried(
        check, times, 100, question=ENCODABLE, history=st.lists(ENCODABLE, max_size=3),
        language=st.none() | LANGUAGES, since=st.sampled_from((None, "2024-06", "2024-6", "June", "")),
        top=st.integers(0, 6),
    )  # fmt: skip


@pytest.mark.parametrize("times", TIMES)
def test_no_article_and_no_place_in_it_becomes_markup(times: int) -> None:
    def check(text: str, title: str, query: dict[str, str], language: str) -> None:
        try:
            place = parse_place(query)
        except UserError as error:
            one_line(error)
            place = Place((5, 3), (10**11, 0))
        article = Article("<i>'\".txt", text, "0", None, title, language, 0)
        _shows_nothing_but_text(render_article(article, place, words(language)))

    names = st.sampled_from(("start", "end", "from", "to", "ui"))
    offsets = st.integers(0, 400).map(str) | TEXTS
    queries = st.dictionaries(names, offsets, max_size=5)
    tried(check, times, 100, text=TEXTS, title=TEXTS, query=queries, language=LANGUAGES)


def _shows_nothing_but_text(html: str) -> None:
    """No element, attribute or address in the HTML but those of ours."""
    from html.parser import HTMLParser

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "img", "svg", "iframe", "object", "embed", "link", "style", "base", "meta"), (
                tag
            )
            for name, value in attrs:
                assert not name.startswith("on"), name
                assert name not in ("href", "src") or not (value or "").strip().lower().startswith(
                    ("javascript", "data")
                )

    Parser(convert_charrefs=True).feed(html)


@pytest.mark.parametrize("times", TIMES)
def test_a_message_to_gradio_is_clean_or_refused_in_one_line(times: int) -> None:
    def check(body: bytes, path: str, query: bytes) -> None:
        try:
            passed, session = check_message(body, {0, 1, 2})
            found = json.loads(passed)
            assert isinstance(found, dict) and found.get("fn_index") in (None, 0, 1, 2)
            assert session == (found.get("session_hash") or "")
        except UserError as error:
            one_line(error)
        try:
            assert len(named_session(path, query)) <= 64
        except UserError as error:
            one_line(error)

    message = objects("data", "fn_index", "session_hash", "event_id", "trigger_id", "event_data")
    paths = st.sampled_from(("/gradio_api/queue/data", "/gradio_api/heartbeat/x", "/")) | st.text(max_size=20)
    tried(check, times, 150, body=bodies(message), path=paths, query=st.binary(max_size=60) | MANY)


@pytest.mark.parametrize("times", TIMES)
def test_headers_of_any_kind_are_read(times: int) -> None:
    def check(cookie: str, accepted: str) -> None:
        headers = Headers({"cookie": cookie, "accept-language": accepted})
        assert page_language(headers) in PAGE_LANGUAGES
        assert isinstance(cookies(headers), dict)

    latin = st.text(alphabet=st.characters(codec="latin-1"), max_size=80)
    wishes = st.lists(st.sampled_from(("sl", "ar;q=0.5", "*", "de-AT;q=1e9", ";q=", "fr;q=.", "en;q=-1")) | latin).map(
        ",".join
    )
    tried(check, times, 80, cookie=latin, accepted=wishes)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("shared")  # in which requests may put files
    (folder / "a.txt").write_text("An article.")
    opening = Opening(Settings(corpus=folder, data=tmp_path_factory.mktemp("data")), opener([]))
    opening.start()
    with TestClient(create_app(opening, mcp=True), raise_server_exceptions=False) as client:
        while client.get("/healthz").json() != {"status": "ready"}:
            pass
        yield client


@pytest.mark.parametrize("times", TIMES)
def test_no_request_makes_the_server_fail(client: TestClient, times: int) -> None:
    """Any method, path, query and body: never a status of 500, and security headers always."""

    def check(method: str, path: str, query: bytes, body: bytes, kind: str) -> None:
        headers = {"content-type": kind, "accept": "application/json, text/event-stream"}
        answered = client.request(method, path, params=query.decode("latin-1"), content=body, headers=headers)
        assert answered.status_code < 500, (method, path, query, body, answered.text)
        assert answered.headers["x-content-type-options"] == "nosniff"

    beginnings = (
        "/", "/api/ask", "/api/articles", "/api/articles/", "/page/article/" + HOSTILE, "/page/evaluate", "/healthz",
        "/page/evaluate/start", "/page/evaluate/progress", "/page/evaluate/runs/x/report.html", "/mcp", "/config",
        "/page/feedback.jsonl", "/gradio_api/queue/join", "/gradio_api/cancel", "/gradio_api/reset", "/theme.css",
        "/page/corpus", "/page/corpus/list", "/page/corpus/state", "/page/corpus/upload", "/page/corpus/delete",
        "/page/corpus/restore", "/gradio_api/info", "/static/", "/assets/", "/page/", "/gradio_api/upload",
    )  # fmt: skip
    tails = st.just("") | st.sampled_from(("/", "/..", "%00", "%2e%2e%2f", "%ff", "x" * 300, "?a=b", "%0a", "//"))
    message = objects("data", "fn_index", "session_hash", "event_id", "question", "jsonrpc", "method", "params", "id")
    likely = st.fixed_dictionaries(
        {"jsonrpc": st.just("2.0"), "id": JSON, "method": st.sampled_from(("tools/call", "initialize", "tools/list")),
         "params": JSON, "data": st.lists(JSON, max_size=6), "fn_index": st.integers(0, 20),
         "session_hash": st.just("x")}
    )  # fmt: skip
    names = st.sampled_from(("offset", "limit", "start", "run", "name", "source", "ui", "q", "session_hash", "key"))
    queries = st.dictionaries(names, QUERY, max_size=3).map(_query)
    tried(
        check, times, 250,
        method=st.sampled_from(("GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW")),
        path=st.tuples(st.sampled_from(beginnings), tails).map("".join), query=queries | st.binary(max_size=30),
        body=bodies(message | likely),
        kind=st.sampled_from(("application/json", "text/plain", "multipart/form-data", "application/x-ndjson")),
    )  # fmt: skip


def _query(fields: dict[str, str]) -> bytes:
    from urllib.parse import urlencode

    return urlencode(fields, errors="surrogatepass").encode()


def test_a_thousand_inputs_have_been_tried() -> None:
    """Comes last: the sum of the others."""
    if len(TRIED) < 10:
        pytest.skip("not all of this file has been run")
    assert sum(TRIED.values()) >= 1000, TRIED
