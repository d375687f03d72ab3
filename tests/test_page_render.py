"""What answers, articles, corpus and chat look like as HTML."""

from dataclasses import replace

import pytest
from fake_engine import HOSTILE, FakeEngine, fake_articles
from test_page_marks import Reader

from index.settings import Settings
from qa.answer import Answer
from qa.page.answers import render_answer
from qa.page.articles import Place, render_article
from qa.page.chat import EXAMPLES, Session, render_chat
from qa.page.corpus import render_corpus, summarise
from qa.page.facts import date_shown, language_name
from qa.page.opening import Status
from qa.page.words import words

ENGINE = FakeEngine(Settings(), fake_articles())
READY = Status("ready")


def _ask(question: str) -> Answer:
    return ENGINE.ask(question)


def test_quote_carries_its_number_and_language() -> None:
    html = render_answer(_ask("What gifts?"), words("en"))
    assert '<p class="pc-quote" dir="auto" lang="sq">Dhuratat e Putinit' in html
    assert html.count('class="pc-chip"') == 2
    assert "[1]" not in html
    assert "87 % sure" in html


def test_a_quote_that_ends_in_a_number_in_brackets_keeps_it() -> None:
    answer = _ask("What gifts?")
    cited = replace(answer.citations[0], text="He wrote a book [2] and left [1].", start=0, end=33, highlight=(0, 33))
    html = render_answer(
        replace(answer, answer="He wrote a book [2] and left [1]. [1]", citations=(cited,)), words("en")
    )
    assert Reader(html).text.startswith("He wrote a book [2] and left [1].1")


def test_prose_carries_numbers_where_it_names_them() -> None:
    answer = replace(_ask("What gifts?"), answer="He gave a knife [1]. And a car [2], it says [9].")
    html = render_answer(answer, words("en"))
    assert '<p class="pc-prose" dir="auto">He gave a knife<button' in html
    assert "</button>, it says [9].</p>" in html


def test_answer_without_numbers_still_leads_to_its_citations() -> None:
    quoted = _ask("What gifts?").citations[0].text[20:60]
    html = render_answer(replace(_ask("What gifts?"), answer=f"“{quoted}”"), words("en"))
    assert html.count('class="pc-chip"') == 1
    html = render_answer(replace(_ask("What gifts?"), answer="Something else."), words("en"))
    assert html.count('class="pc-chip"') == 4


def test_first_source_is_open_and_the_others_are_folded() -> None:
    html = render_answer(_ask("What gifts?"), words("en"))
    assert html.count('class="pc-card"') == 1
    assert html.count('class="pc-card pc-folded"') == 3


def test_declined_answer_says_so_in_the_questions_language() -> None:
    html = render_answer(_ask("Wer ist das?"), words("en"))
    assert "Die Artikel beantworten das nicht." in html
    assert "Nächstliegende Stellen" in html
    assert html.count("pc-folded") == 2
    assert "pc-quote" not in html


def test_declined_answer_without_any_passage_is_still_whole() -> None:
    answer = replace(_ask("nothing"), citations=(), answer="No article matches the chosen dates or language.")
    text = Reader(render_answer(answer, words("en"))).text
    assert "The articles do not answer this." in text
    assert "No article matches" in text


def test_talk_and_what_is_there_are_no_quotes_and_nothing_to_be_sure_of() -> None:
    talk = replace(_ask("Who?"), kind="chat", answer="Hello!", citations=())
    html = render_answer(talk, words("en"))
    assert "Hello!" in html and "pc-card" not in html and "pc-confidence" not in html and "pc-declined" not in html
    about = replace(_ask("What gifts?"), kind="about", answer="Articles: 1\nNewest: A title [1]")
    html = render_answer(about, words("en"))
    assert html.count('data-cite="1"') == 1 and "pc-quote" not in html and "pc-confidence" not in html
    session = Session()
    session.finish(session.begin("Hello"), talk)
    shown = render_chat(session, Status("ready"), examples=False)
    assert "pc-is-answered" in shown and "pc-rate" not in shown


def test_a_summary_is_quotes_without_a_probability() -> None:
    html = render_answer(replace(_ask("What gifts?"), kind="summary"), words("en"))
    assert "pc-quote" in html and "pc-confidence" not in html


def test_a_leaning_question_says_what_it_was_taken_for() -> None:
    html = render_answer(replace(_ask("What gifts?"), context=("Who <b>came</b>?",)), words("en"))
    assert "Who &lt;b&gt;came&lt;/b&gt;?" in html and "pc-alone" in html
    assert "pc-alone" not in render_answer(_ask("What gifts?"), words("en"))


def test_nothing_of_a_hostile_article_becomes_markup() -> None:
    answer = _ask("hostile")
    assert answer.citations[0].article == HOSTILE
    own = {"div", "p", "span", "button", "h3", "ol", "li", "blockquote", "mark", "time"}
    read = Reader(render_answer(answer, words("en")))
    assert set(read.tags) <= own
    citation = answer.citations[0]
    assert read.mark == ENGINE.articles[HOSTILE].text[slice(*citation.highlight)]
    place = Place((citation.start, citation.end), citation.highlight)
    article = Reader(render_article(ENGINE.articles[HOSTILE], place, words("en")))
    assert set(article.tags) <= {"header", "h2", "p", "span", "div", "mark", "time"}
    assert article.text.endswith(ENGINE.articles[HOSTILE].text)


@pytest.mark.parametrize("question", ["What gifts?", "hostile", "long", "nothing of this"])
def test_article_is_whole_and_marked_as_cited(question: str) -> None:
    for citation in _ask(question).citations:
        article = ENGINE.articles[citation.article]
        read = Reader(render_article(article, Place((citation.start, citation.end), citation.highlight), words("sl")))
        assert read.text.endswith(article.text[article.body :])
        assert read.shade == citation.text
        assert read.mark == article.text[slice(*citation.highlight)]


def test_article_without_a_place_is_shown_plain() -> None:
    article = ENGINE.articles["000_bd85b523315c1be6.txt"]
    read = Reader(render_article(article, Place(), words("en")))
    assert (read.mark, read.shade) == ("", "")
    assert "date 2025-06" not in read.text
    assert "June 2025" in read.text


def test_corpus_in_one_line() -> None:
    seeds = [article for name, article in ENGINE.articles.items() if not name.startswith("zz_")]
    text = Reader(render_corpus(summarise(seeds), words("en"))).text
    assert text == "5 articles · Albanian (4), Slovenian (1) · July 2023 – June 2025"
    assert Reader(render_corpus(summarise([]), words("en"))).text == "0 articles"
    assert "June 2024" in Reader(render_corpus(summarise(seeds[1:2]), words("en"))).text


@pytest.mark.parametrize(
    ("language", "date", "shown"),
    [
        ("en", "2024-06", "June 2024"),
        ("en", "2024-06-18", "June 18, 2024"),
        ("sq", "2023-07", "korrik 2023"),
        ("sl", "2024-06-18", "18. junij 2024"),
        ("zh", "2024-06", "2024年6月"),
        ("ar", "2024-06", "يونيو 2024"),
        ("en", "2024", "2024"),
        ("en", "2024-13", "2024-13"),
        ("en", "x-y", "x-y"),
    ],
)
def test_dates_are_named_in_the_readers_language(language: str, date: str, shown: str) -> None:
    assert Reader(date_shown(date, words(language))).text == shown


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "Slovenian"), ("sq", "sllovenisht"), ("sl", "slovenščina"), ("ja", "スロベニア語")]
)
def test_languages_are_named_in_the_readers_language(language: str, shown: str) -> None:
    assert language_name("sl", words(language)) == shown


def test_numbers_are_written_as_in_the_readers_language() -> None:
    assert words("de").number(1234.5, 2) == "1.234,50" and words("en").number(1234.5, 2) == "1,234.50"


def test_examples_are_offered_for_the_seeds_only() -> None:
    assert render_chat(Session(), READY, examples=True).count("pc-example") - 1 == len(EXAMPLES)
    assert "pc-example" not in render_chat(Session(), READY, examples=False)


def test_chat_keeps_history_of_answered_questions_only() -> None:
    session = Session()
    first = session.begin("one")
    session.finish(first, _ask("What gifts?"))
    stopped = session.begin("two")
    third = session.begin("three")
    assert [turn.state for turn in session.turns] == ["answered", "stopped", "waiting"]
    assert session.history(third) == ["one"]
    session.finish(stopped, _ask("What gifts?"))
    assert session.turns[1].answer is None
    session.clear()
    assert not session.waits(third)
    assert session.begin("four").key == 4


def test_waiting_question_says_what_it_waits_for() -> None:
    session = Session(language="sl")
    session.begin("one <b>")
    text = Reader(render_chat(session, Status("starting", "indexing", 3, 5), examples=True)).text
    assert "Indeksiranje člankov … 3 od 5" in text
    assert "one <b>" in text
    session.fail(session.turns[0], "the question is <too> long")
    assert "the question is <too> long" in Reader(render_chat(session, READY, examples=True)).text
