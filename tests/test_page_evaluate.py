"""The Evaluate tab and the making of test questions, over the HTTP interface with a scripted engine."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fake_engine import HOSTILE, FakeEngine, fake_articles, opener
from starlette.testclient import TestClient
from test_page_marks import Reader

from index.settings import Settings
from qa.evaluation import CAUSES, read_questions
from qa.page.browsers import COOKIE, fresh_cookie, shelf_name
from qa.page.chat import Session
from qa.page.evaluate_api import SEED_QUESTIONS
from qa.page.feedback import Rating, as_test_question, keep, render_rating
from qa.page.opening import Opening
from qa.page.runs import MOST_BYTES, Shelf
from qa.page.server import create_app
from qa.page.words import LANGUAGES, words

GIFTS = "004_d3aeb010e0d73a70.txt"
SPITE = '<img src=x onerror="window.__pwned=1">${1+1}{{2}}'
ROWS: list[dict[str, Any]] = [
    {"id": "won", "question": "What gifts?", "language": "en", "articles": [GIFTS], "answers": ["çaji"]},
    {"id": "refused", "question": SPITE, "language": "en", "articles": [HOSTILE], "answers": ["Before."]},
    {"id": "failed", "question": "explode", "articles": [GIFTS], "answers": [SPITE]},
    {"id": "none", "question": "Who?", "articles": [], "answers": []},
]
ENGINE = FakeEngine(Settings(), fake_articles())


def lines(*rows: Any) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@dataclass
class Site:
    """The application, and clients of it that are browsers of their own."""

    opening: Opening
    engines: list[FakeEngine]
    client: TestClient

    def browser(self) -> TestClient:
        client = TestClient(self.client.app)
        client.get("/")
        return client


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    engines: list[FakeEngine] = []
    opening = Opening(Settings(), opener(engines))
    opening.start()
    with TestClient(create_app(opening)) as client:
        while client.get("/healthz").json() != {"status": "ready"}:
            time.sleep(0.02)
        client.get("/")
        yield Site(opening, engines, client)


@pytest.fixture(autouse=True)
def _no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes long, and is tested elsewhere."""
    monkeypatch.setattr("qa.evaluation.report.draw_plots", lambda *given: {})
    monkeypatch.setattr("qa.page.results.draw_plots", lambda *given: {"Calibration": "<svg></svg>"})


def start(browser: TestClient, content: bytes = b"", **query: str) -> str:
    """Begins a run; its key."""
    begun = browser.post("/page/evaluate/start", params=query, content=content)
    assert begun.status_code == 200, begun.text
    return str(begun.json()["run"])


def wait(browser: TestClient, state: str = "done") -> dict[str, Any]:
    end = time.monotonic() + 20
    while (progress := browser.get("/page/evaluate/progress").json())["state"] == "running":
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    assert progress["state"] == state, progress
    return dict(progress)


def run(browser: TestClient, content: bytes, name: str = "my.jsonl") -> str:
    key = start(browser, content, name=name)
    wait(browser)
    return key


def tab(browser: TestClient, **query: str) -> str:
    shown = browser.get("/page/evaluate", params={"ui": "en", **query})
    assert shown.status_code == 200
    return shown.text


def test_uploaded_questions_are_run_and_shown(site: Site) -> None:
    browser = site.browser()
    assert 'data-source="seeds"' in tab(browser)
    key = run(browser, lines(*ROWS))
    assert wait(browser) == {"run": key, "state": "done", "done": 4, "total": 4, "error": ""}
    html = tab(browser, run=key)
    text = " ".join(Reader(html).text.split())
    assert "50.0 %" in text and "Questions: 4" in text and "my.jsonl" in text
    assert "Declined though there is an answer" in text and "RuntimeError: as asked" in text
    assert "What gifts?" not in text, "what was dealt with rightly is no failure"
    assert "<svg></svg>" in html


def test_hostile_texts_stay_text(site: Site) -> None:
    browser = site.browser()
    name = f"{SPITE}.jsonl"
    html = tab(browser, run=run(browser, lines(*ROWS), name))
    assert "<img" not in html
    assert SPITE in Reader(html).text
    refused = browser.post("/page/evaluate/start", params={"name": name}, content=b"{")
    assert refused.json()["error"].startswith(f"{SPITE}.jsonl, line 1: not JSON")
    assert tab(browser).count("<li>") == 1, "nothing is kept of a faulty file"


def test_report_and_answers_are_downloaded(site: Site) -> None:
    browser = site.browser()
    key = run(browser, lines(*ROWS))
    report = browser.get(f"/page/evaluate/runs/{key}/report.html")
    assert report.headers["content-disposition"].startswith("attachment")
    assert "<h1>Polycite evaluation</h1>" in report.text
    answers = [
        json.loads(line) for line in browser.get(f"/page/evaluate/runs/{key}/predictions.jsonl").text.split("\n")[:-1]
    ]
    assert [answer["id"] for answer in answers] == [row["id"] for row in ROWS]
    for path in (f"{key}/about.json", f"{key}/..%2fabout.json", "..%2f..%2f/report.html", "x/report.html"):
        assert browser.get(f"/page/evaluate/runs/{path}").status_code == 404, path


def test_the_seeds_own_questions_can_be_run(site: Site) -> None:
    browser = site.browser()
    total = len(SEED_QUESTIONS.read_text("utf-8").splitlines())
    start(browser, source="seeds")
    assert wait(browser)["done"] == total
    assert f"Questions: {total}" in tab(browser)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b"", "a.jsonl: holds no question"),
        ("a.jsonl", b'{"id": "1"}\n', 'a.jsonl, line 1: "question" is missing'),
        ("a.jsonl", b"\xff\xfe\n", "a.jsonl, line 1: byte 1 is not UTF-8"),
        ("a.jsonl", b"x" * 2_000_000, "a.jsonl, line 1: longer than 1,000,000 bytes"),
        ("a.jsonl", b"x" * (MOST_BYTES + 1), "the question file: larger than 10,000,000 bytes"),
        ("a.jsonl", lines(*ROWS, ROWS[0]), "a.jsonl, line 5: id 'won' stands already in line 1"),
        ("a.jsonl", lines({**ROWS[0], "articles": ["nothing.txt"]}), "the corpus holds no article 'nothing.txt'"),
        ("a.jsonl", lines({**ROWS[0], "answers": 3}), 'a.jsonl, line 1: "answers" is a number'),
        ("a.jsonl", lines(*({**ROWS[3], "id": str(i)} for i in range(10_001))), "10,001 questions, more than 10,000"),
        ("a.csv", b"question,answers\n", 'a.csv, line 1: there is no column "articles"'),
        ("a.json", b"[" * 50_000, "a.json: JSON that cannot be read"),
        ("a.exe", b"MZ", "a.exe: is no question file"),
        ("../../x", b"", "x: is no question file"),
        ("", b"", "questions.jsonl: holds no question"),
        ("a" * 300 + ".jsonl", b"", "aaa.jsonl: holds no question"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_one_clear_line(site: Site, name: str, content: bytes, said: str) -> None:
    refused = site.client.post("/page/evaluate/start", params={"name": name}, content=content)
    assert refused.status_code == 400
    line = refused.json()["error"]
    assert said in line and "\n" not in line and len(line) < 400
    assert str(site.opening.settings.data_folder) not in line
    assert site.client.get("/page/evaluate/progress").json() is None
    assert "pc-ev-runs" not in tab(site.client)


def test_a_run_is_cancelled_and_gone_on_with(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, engine = site.browser(), site.engines[0]
    monkeypatch.setattr(engine, "delay", 0.03)
    rows = [{**ROWS[3], "id": str(i), "question": f"Who is {i}?"} for i in range(40)]
    key = start(browser, lines(*rows), name="many.jsonl")
    while browser.get("/page/evaluate/progress").json()["done"] < 3:
        time.sleep(0.01)
    assert 'class="pc-busy"' in tab(browser) and "of 40" in tab(browser)
    again = browser.post("/page/evaluate/start", params={"source": "seeds"})
    assert again.json() == {"error": "an evaluation is under way: wait for it or cancel it"}
    browser.post("/page/evaluate/cancel")
    done = wait(browser, "cancelled")["done"]
    assert 3 <= done < 40 and f"{done} of 40" in tab(browser)
    before = len(engine.asked)
    monkeypatch.setattr(engine, "delay", 0.0)
    assert start(browser, run=key) == key
    assert wait(browser)["done"] == 40
    assert len(engine.asked) - before == 40 - done, "finished answers are not asked again"
    assert browser.post("/page/evaluate/start", params={"run": key}).status_code == 400


def test_a_chat_question_waits_for_one_evaluation_question_at_most(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, engine = site.browser(), site.engines[0]
    monkeypatch.setattr(engine, "delay", 0.1)
    start(browser, lines(*({**ROWS[3], "id": str(i)} for i in range(50))), name="many.jsonl")
    while browser.get("/page/evaluate/progress").json()["done"] < 1:
        time.sleep(0.01)
    for _ in range(3):
        before = len(engine.asked)
        browser.post("/api/ask", json={"question": "What gifts, now?"})
        asked = [question for question, _ in engine.asked[before:]]
        assert asked.index("What gifts, now?") <= 2, "the one that was being asked, and one that began meanwhile"
    browser.post("/page/evaluate/cancel")
    wait(browser, "cancelled")


def test_two_runs_are_compared(site: Site) -> None:
    browser = site.browser()
    first = run(browser, lines(*ROWS[:3]))
    site.engines[0].asked.clear()
    second = run(browser, lines(*ROWS))
    html = tab(browser, before=first, after=second)
    text = " ".join(Reader(html).text.split())
    assert "Comparison" in text and "Questions: 3" in text and "Dealt with rightly".lower() in text.lower()
    lone = run(browser, lines({**ROWS[3], "id": "other"}))
    said = tab(browser, before=first, after=lone)
    assert "my.jsonl and my.jsonl: have no question in common" in said
    assert str(site.opening.settings.data_folder) not in said


def test_browsers_do_not_see_each_other(site: Site) -> None:
    one, two = site.browser(), site.browser()
    key = run(one, lines(*ROWS))
    assert key in tab(one) and key not in tab(two, run=key)
    assert two.get("/page/evaluate/progress").json() is None
    assert two.get(f"/page/evaluate/runs/{key}/report.html").status_code == 404
    bare = TestClient(site.client.app)
    for refused in (bare.get("/page/evaluate"), bare.post("/page/evaluate/start", params={"source": "seeds"})):
        assert refused.status_code == 400 and "cookie" in refused.json()["error"]


def test_the_cookie_is_random_and_kept() -> None:
    given = fresh_cookie({})
    assert given is not None and "HttpOnly" in given and "SameSite=Lax" in given
    token = given.split("=")[1].split(";")[0]
    assert fresh_cookie({COOKIE: token}) is None
    shelf = shelf_name({COOKIE: token}, Settings())
    assert shelf and token not in shelf
    assert shelf != shelf_name({COOKIE: token}, Settings(corpus=Path("elsewhere")))
    assert shelf_name({COOKIE: "../../x"}, Settings()) is None


def test_damaged_runs_are_left_out(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    kept = shelf.add("a.jsonl", lines(*ROWS), ENGINE.articles)
    (tmp_path / "20260101-000000-abcdef").mkdir()
    (tmp_path / "20260101-000000-abcdee").mkdir()
    (tmp_path / "20260101-000000-abcdee" / "about.json").write_text("[]")
    assert shelf.all() == [kept]
    assert shelf.find("../" + kept.key) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_and_metric_has_words(site: Site, language: str) -> None:
    here = words(language)
    assert all(here.say(f"ev_c_{cause.replace(' ', '_')}") for cause in CAUSES)
    assert here.say("ev_title") in Reader(tab(site.client, ui=language)).text


# From use to test.


@pytest.mark.parametrize(
    ("question", "citation"), [("What gifts?", 1), ("What gifts?", 3), ("hostile", 1), ("Who?", 0), ("Who?", 9)]
)
def test_a_rated_answer_is_a_valid_test_question(tmp_path: Path, question: str, citation: int) -> None:
    answer = ENGINE.ask(question)
    file = tmp_path / "sub" / "feedback.jsonl"
    keep(file, answer, citation)
    keep(file, replace(answer, language=""), citation)
    first, second = read_questions(file, ENGINE.articles)
    assert (first.question, first.language, second.language) == (question, "en", None)
    cited = [c for c in answer.citations if c.n == citation]
    assert first.articles == tuple(c.article for c in cited)
    for c in cited:
        assert first.answers == (ENGINE.articles[c.article].text[slice(*c.highlight)],)
        assert first.answers[0] in c.text


def test_an_empty_highlight_names_no_article() -> None:
    answer = ENGINE.ask("What gifts?")
    blank = replace(answer.citations[0], highlight=(answer.citations[0].start,) * 2)
    row = as_test_question(replace(answer, citations=(blank,)), 1)
    assert (row["articles"], row["answers"]) == ([], [])


def test_rating_offers_what_is_right() -> None:
    answer, here = ENGINE.ask("What gifts?"), words("en")
    assert "pc-keep-question" not in render_rating(answer, Rating(), here)
    assert 'data-right="1"' in render_rating(answer, Rating("right"), here)
    wrong = render_rating(answer, Rating("wrong"), here)
    assert '<option value="0" selected>' in wrong and wrong.count("<option") == 5
    declined = ENGINE.ask("Who?")
    assert 'data-right="0"' in render_rating(declined, Rating("right"), here)
    assert '<option value="1" selected>' in render_rating(declined, Rating("wrong"), here)
    assert "page/feedback.jsonl" in render_rating(answer, Rating("wrong", "kept"), here)
    assert "could not be kept" in render_rating(answer, Rating("wrong", "failed"), here)
    assert "<img" not in render_rating(ENGINE.ask("hostile"), Rating("wrong"), here)


def test_a_question_asked_alone_has_no_history() -> None:
    session = Session()
    session.finish(session.begin("first"), ENGINE.ask("first"))
    assert session.history(session.begin("second")) == ["first"]
    assert session.history(session.begin("third", alone=True)) == []


def test_kept_questions_are_downloaded_and_run(site: Site) -> None:
    browser = site.browser()
    assert browser.get("/page/feedback.jsonl").status_code == 404
    assert browser.post("/page/evaluate/start", params={"source": "kept"}).status_code == 400
    shelf = shelf_name(dict(browser.cookies), site.opening.settings)
    keep(site.opening.settings.data_folder / "feedback" / f"{shelf}.jsonl", ENGINE.ask("What gifts?"), 1)
    assert json.loads(browser.get("/page/feedback.jsonl").text)["articles"] == [GIFTS]
    assert "Run my questions from the chat (1)" in tab(browser)
    start(browser, source="kept")
    assert wait(browser)["total"] == 1


def test_threads_do_not_outlive_their_run(site: Site) -> None:
    browser = site.browser()
    run(browser, lines(*ROWS))
    end = time.monotonic() + 5
    while any(thread.name == "polycite-evaluate" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.02)
