"""Chats as the browser keeps them: the same when they come back, and nothing else than chats."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_engine import HOSTILE, FakeEngine, fake_articles
from hypothesis import given
from hypothesis import strategies as st
from test_page_marks import Reader

from index.errors import UserError
from index.settings import Settings
from qa.answer import LLMUse, Statement
from qa.page.chat import Session, Turn, render_chat
from qa.page.drawer import render_record
from qa.page.feedback import Rating, judge, ratings_file
from qa.page.markdown import as_markdown, plain
from qa.page.opening import Status
from qa.page.stored import as_stored, from_stored
from qa.page.words import words

ENGINE = FakeEngine(Settings(), fake_articles())
READY = Status("ready")


def talked() -> Session:
    """A chat with a question of every fate, one of which still waits."""
    session = Session()
    for question in ("What gifts?", "hostile <b>", "Who?"):
        session.finish(session.begin(question), ENGINE.ask(question))
    session.rate(session.turns[0], Rating("right", "kept"))
    session.fail(session.begin("x" * 9), "the question is too long")
    session.begin("Stopped?", alone=True)
    session.stop()
    session.begin("Waiting?")
    return session


def stored() -> dict[str, Any]:
    return dict(json.loads(json.dumps(as_stored(talked()))))


def test_chat_comes_back_as_it_was() -> None:
    session, other = talked(), Session()
    kept = json.loads(json.dumps(as_stored(session)))
    other.restore(*from_stored(kept))
    assert other.chat == session.chat != ""
    rounded = [
        replace(turn, answer=turn.answer and _rounded(turn)) for turn in session.turns if turn.state != "waiting"
    ]
    assert other.turns == rounded
    assert as_stored(other) == kept
    html = render_chat(other, READY, examples=False, articles=ENGINE.articles)
    assert html.count("pc-is-answered") == 2
    assert html.count("pc-is-failed") == html.count("pc-is-stopped") == html.count("pc-is-declined") == 1
    assert "pc-stale" not in html


def test_what_a_model_wrote_comes_back_with_its_marks() -> None:
    session, other = Session(), Session()
    quotes = ENGINE.ask("What gifts?")
    statements = (Statement("A car.", (1,), True), Statement("Nine dogs <b>.", (1, 2), False, "number"))
    written = replace(
        quotes, citations=(replace(quotes.citations[0], page=3), *quotes.citations[1:]), statements=statements,
        llm=LLMUse("a model", "written"), rewritten="What gifts did he give?",
    )  # fmt: skip
    session.finish(session.begin("What gifts?"), written)
    other.restore(*from_stored(json.loads(json.dumps(as_stored(session)))))
    answer = other.turns[0].answer
    assert answer and answer.statements == statements and answer.llm == LLMUse("a model", "written")
    assert answer.rewritten == "What gifts did he give?" and answer.citations[0].page == 3
    assert "Nine dogs &lt;b&gt;." in render_chat(other, READY, examples=False, articles=ENGINE.articles)


def _rounded(turn: Turn) -> Any:
    assert turn.answer
    cited = tuple(replace(citation, score=round(citation.score, 4)) for citation in turn.answer.citations)
    return replace(turn.answer, citations=cited)


def test_questions_of_a_restored_chat_get_numbers_of_their_own() -> None:
    session = Session()
    session.begin("Before")
    session.restore(*from_stored(stored()))
    assert [turn.key for turn in session.turns] == [2, 3, 4, 5, 6]
    assert session.history(session.begin("After")) == ["What gifts?", "hostile <b>", "Who?"]


def test_citations_that_hold_no_more_are_said_so_and_mark_nothing() -> None:
    session = Session()
    session.restore(*from_stored(stored()))
    name = "004_d3aeb010e0d73a70.txt"
    changed = {**ENGINE.articles, name: replace(ENGINE.articles[name], text="Another text.")}
    del changed[HOSTILE]
    html = render_chat(session, READY, examples=False, articles=changed)
    assert html.count(words("en").say("stale")) == 3
    assert html.count('data-end="0"') == 3


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", 2), ("id", "../../x"), ("id", 3), ("turns", {}), ("turns", [3]), ("turns.0.question", None),
        ("turns.0.question", "x" * 30_000), ("turns.0.state", "waiting"), ("turns.0.state", ["answered"]),
        ("turns.0.answer", None), ("turns.0.asked", "<b>"), ("turns.0.rating", 1), ("turns.0.rating.judged", "best"),
        ("turns.0.answer.language", "<x>"), ("turns.0.answer.confidence", "0.5"),
        ("turns.0.answer.confidence", float("nan")), ("turns.0.answer.citations.0.n", 7),
        ("turns.0.answer.citations.0.n", True), ("turns.0.answer.citations.0.start", -1),
        ("turns.0.answer.citations.0.end", 10**40), ("turns.0.answer.citations.0.date", "yesterday"),
        ("turns.0.answer.citations.0.highlight", [1]), ("turns.0.answer.citations.0.highlight", "ab"),
        ("turns.0.answer.citations.0.language", None), ("turns.0.answer.citations", [{}] * 6),
    ],
)  # fmt: skip
def test_what_is_no_chat_is_refused(path: str, value: object) -> None:
    chat = stored()
    *way, last = path.split(".")
    found: Any = chat
    for step in way:
        found = found[int(step) if step.isdigit() else step]
    found[last] = value
    with pytest.raises(UserError) as refused:
        from_stored(chat)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", ["", "{", "[" * 100_000, "null", "[]", 3, None, '{"version": 1}'])
def test_anything_else_is_refused_too(value: object) -> None:
    with pytest.raises(UserError):
        from_stored(value)


@given(st.text(max_size=60), st.text(max_size=60))
def test_tampered_words_stay_text(question: str, title: str) -> None:
    chat = stored()
    spite = "<img src=x onerror=alert(1)>"
    chat["turns"] = chat["turns"][:1]
    chat["turns"][0]["question"] = spite + question
    chat["turns"][0]["answer"]["citations"][0] |= {"title": spite + title, "article": f'"{spite}', "text": spite}
    session = Session()
    session.restore(*from_stored(chat))
    html = render_chat(session, READY, examples=False) + render_record(session)
    assert "img" not in Reader(html).tags


def test_markdown_has_every_quote_with_its_source() -> None:
    _, turns = from_stored(stored())
    shown = as_markdown(turns, words("en"))
    for turn in turns:
        assert f"## {plain(turn.question)}" in shown
        for citation in turn.answer.citations if turn.answer else ():
            assert f"{plain(citation.article)}, {citation.start}–{citation.end}" in shown
    assert "> Dhuratat e Putinit" in shown
    assert "një set çaji. [1]" in shown
    assert "**Dhuratat e Putinit për liderin" in shown
    assert "**The articles do not answer this.**" in shown
    assert "### Nearest passages" in shown
    assert "the question is too long" in shown


def test_markdown_shows_hostile_text_as_text() -> None:
    from markdown_it import MarkdownIt

    _, turns = from_stored(stored())
    spite = "# no\n- no <b>x</b> ![y](http://z) [a](javascript:b) `c` *d* 1. e &amp; ~~f~~ | g"
    html = MarkdownIt("commonmark").render(as_markdown([replace(turns[0], question=spite), *turns], words("en")))
    reader = Reader(html)
    assert not {"a", "img", "b", "code", "em"} & set(reader.tags)
    assert " ".join(spite.split()) in reader.text
    assert "The <img src=x" in reader.text


def test_thumbs_are_appended_to_a_file(tmp_path: Path) -> None:
    token = {"polycite_browser": "0" * 32}
    file = ratings_file(Settings(data=tmp_path), token)
    assert file
    assert ratings_file(Settings(data=tmp_path), {}) is None
    for judged in ("right", ""):
        judge(file, ENGINE.ask("What gifts?"), Rating(judged))
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["judged"] for line in lines] == ["right", ""]
    assert lines[0]["question"] == "What gifts?"
    assert len(lines[0]["citations"]) == 4
