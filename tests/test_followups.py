"""What is suggested after an answer stands in the articles, was not shown yet, and is found when asked for."""

from dataclasses import replace

from fake_engine import LONG, FakeEngine, fake_articles

from index.settings import Settings
from qa.answer import Answer
from qa.followups import MOST, Place, follow_ups
from qa.page.chat import Session

ENGINE = FakeEngine(Settings(), fake_articles())
SHOWN = [Place(c.article, c.start, c.end) for c in ENGINE.ask("What gifts?").citations]


def test_suggestions_are_sentences_of_the_articles_that_were_not_shown() -> None:
    found = follow_ups(SHOWN, ENGINE.articles, ENGINE.ask)
    assert 0 < len(found) <= MOST
    assert len({each.text for each in found}) == len(found)
    for each in found:
        answer = ENGINE.ask(each.text)
        assert answer.answered
        best = answer.citations[0]
        article = ENGINE.articles[best.article]
        assert each.language == article.language
        assert " ".join(article.text[slice(*best.highlight)].split()) == each.text
        for place in SHOWN:
            assert place.article != article.name or best.highlight[1] <= place.start or best.highlight[0] >= place.end


def test_the_readers_language_comes_first_and_then_names_and_numbers() -> None:
    for language in ("sl", "sq"):
        found = follow_ups(SHOWN, ENGINE.articles, ENGINE.ask, language)
        assert found[0].language == language
    assert any(character.isupper() for character in found[0].text[1:])
    assert all(each.text.count('"') % 2 == 0 for each in found), "no piece of a quotation"


def test_what_the_engine_does_not_find_is_not_suggested() -> None:
    asked: list[str] = []

    def elsewhere(question: str) -> Answer:
        asked.append(question)
        return replace(ENGINE.ask("What gifts?"), question=question)

    assert follow_ups(SHOWN, ENGINE.articles, lambda question: ENGINE.ask("Who?")) == ()
    assert follow_ups(SHOWN, ENGINE.articles, elsewhere) == ()
    assert 0 < len(asked) <= 6


def test_nothing_is_suggested_out_of_nothing() -> None:
    assert follow_ups([], ENGINE.articles, ENGINE.ask) == ()
    assert follow_ups([Place("gone.txt", 0, 5)], ENGINE.articles, ENGINE.ask) == ()
    whole = [Place(name, 0, len(article.text)) for name, article in ENGINE.articles.items()]
    assert follow_ups(whole[:1], ENGINE.articles, ENGINE.ask) == ()
    assert follow_ups([Place(LONG, 10**9, 10**9 + 5)], ENGINE.articles, ENGINE.ask) == follow_ups(
        [Place(LONG, 10**8, 10**8 + 5)], ENGINE.articles, ENGINE.ask
    )


def test_editing_an_earlier_question_begins_another_chat() -> None:
    session = Session()
    for question in ("one", "two", "three"):
        session.finish(session.begin(question), ENGINE.ask(question))
    first = session.chat
    last = session.edit(session.turns[-1].key, "THREE")
    assert last
    assert session.chat == first, "the last question is replaced where it is"
    session.finish(last, ENGINE.ask("THREE"))
    again = session.again(session.turns[0].key)
    assert again
    assert [turn.question for turn in session.turns] == ["one", "two", "THREE"]
    assert session.history(again) == []
    middle = session.edit(session.turns[1].key, "TWO")
    assert middle
    assert [turn.question for turn in session.turns] == ["one", "TWO"]
    assert session.chat not in ("", first)
    assert session.edit(99, "x") is session.again(99) is None
