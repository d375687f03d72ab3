"""What a turn of a chat is, and what is said where nothing is to be searched for."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from test_engine import check_citations, engine, texts_of
from toy_encoder import ToyEncoder

from index.encoder import Encoder
from index.settings import PROJECT
from qa import turns
from qa.answer import Answer
from qa.cldr import date_name, language_name, named_languages
from qa.engine import Engine
from qa.turns import KINDS, TurnKind, load_model, take_apart
from training.pairs import read_rows

__all__ = ["engine"]  # a fixture

_TURNS = PROJECT / "tests" / "turns.jsonl"


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> ToyEncoder:
    """An encoder for which "hi" and "thanks" are small talk, and all else questions."""

    def tell(texts: Sequence[str], encoder: Encoder) -> list[TurnKind]:
        said: dict[str, TurnKind] = {"hi": "greeting", "thanks": "thanks", "bye": "farewell"}
        return [said.get(text.strip(" .!").lower(), "question") for text in texts]

    monkeypatch.setattr(turns, "tell", tell)
    return ToyEncoder()


PASTED = "Two men came down to the river that morning. They sat on a bench, and nobody saw them before the evening."


@pytest.mark.parametrize(
    ("typed", "kind", "text", "given"),
    [
        ("Hi!", "greeting", "Hi!", ""),
        ("Hi! Thanks. Bye.", "greeting", "Hi! Thanks. Bye.", ""),
        ("Hi! Who came? Thanks!", "question", "Who came?", ""),
        ("Who came?", "question", "Who came?", ""),
        ("Who came? Who left?", "question", "Who came? Who left?", ""),
        ("Hi. Two men came. They sat down. Who left?", "question", "Who left?", "Two men came. They sat down."),
        ("Two men came. They sat down.", "question", "Two men came. They sat down.", ""),
        (f"{PASTED}\n\nwho left", "question", "who left", PASTED),
        (f"Hi!\n{PASTED}\n\nwho left\nthanks", "question", "who left", PASTED),
        (f"Who left?\n{PASTED}", "question", "Who left?", PASTED),
        ("Who left,\nand when?", "question", "Who left,\nand when?", ""),
    ],
)
def test_a_turn_is_taken_apart(scripted: ToyEncoder, typed: str, kind: str, text: str, given: str) -> None:
    found = take_apart(typed, scripted)
    assert (found.kind, found.text, found.given) == (kind, text, given)


def test_with_an_encoder_that_nothing_was_fitted_for_all_turns_are_questions() -> None:
    assert load_model("toy") is None
    assert take_apart("Hello!", ToyEncoder()).kind == "question"


def test_training_and_test_turns_are_not_the_same() -> None:
    rows = read_rows(PROJECT / "benchmarks" / "training" / "turns" / "turns.jsonl")
    assert {row["kind"] for row in rows} == set(KINDS)
    assert len({row["language"] for row in rows}) >= 40
    held = {row["question"].lower() for row in read_rows(_TURNS)}
    assert not {row["text"].lower() for row in rows} & held


def test_names_are_in_the_readers_language() -> None:
    assert language_name("sl", "sq") == "sllovenisht"
    assert language_name("zxx-no-such", "sq") == "zxx-no-such"
    assert date_name("2023-07", "sq") == "korrik 2023"
    assert date_name("2024-06-18", "de") == "18. Juni 2024"
    assert date_name("2024", "en") == "2024"
    assert date_name("2024-13", "en") == "2024-13"
    assert date_name("soon", "en") == "soon"


@pytest.mark.parametrize(
    ("text", "spoken", "named"),
    [
        ("how many are in Albanian?", "en", ["sq"]),
        ("povzemi slovenski članek", "sl", ["sl"]),
        ("gibt es etwas auf Französisch?", "de", ["fr"]),
        ("有德语的文章吗？", "zh", ["de"]),
        ("هل لديك شيء بالألمانية؟", "ar", ["de"]),
        ("which articles do you have?", "en", []),
    ],
)
def test_languages_that_a_text_names(text: str, spoken: str, named: list[str]) -> None:
    assert named_languages(text, [spoken], ["de", "fr", "sl", "sq", "sr"]) == named


@pytest.mark.slow
def test_turns_get_the_kind_of_answer_that_is_due(engine: Engine) -> None:
    """On turns that nothing was trained on, in the languages of the file."""
    told: dict[str, list[bool]] = defaultdict(list)
    articles: list[bool] = []
    for row in read_rows(_TURNS):
        answer = engine.ask(row["question"], history=row.get("history", ()))
        check_citations(answer, texts_of(engine))
        told[row["kind"]].append(answer.kind == row["kind"])
        if row["kind"] == "summary" and answer.kind == "summary":
            articles.append(answer.citations[0].article in row["articles"])
        if answer.kind == "chat":
            assert not answer.citations and not answer.answered
    right = {kind: float(np.mean(found)) for kind, found in told.items()}
    assert np.mean([each for found in told.values() for each in found]) >= 0.93, right
    assert min(right.values()) >= 0.85, right
    assert np.mean(articles) >= 0.9


@pytest.mark.slow
def test_no_question_of_the_file_is_taken_for_talk(engine: Engine) -> None:
    rows = list(read_rows(_TURNS.with_name("questions.jsonl")))
    for dialogue in read_rows(_TURNS.with_name("dialogues.jsonl")):
        rows += dialogue["turns"]
    told = [take_apart(row["question"], engine.encoder).kind for row in rows]
    assert len(told) > 300 and told.count("question") >= 0.99 * len(told)


@pytest.mark.slow
def test_about_is_told_from_the_records(engine: Engine) -> None:
    answer = engine.ask("Koliko člankov je v albanščini?")
    assert (answer.kind, answer.answered, len(answer.citations)) == ("about", True, 4)
    assert answer.answer.startswith("Članki: 4 (albanščina: 4)\nNajnovejši: ")
    everything = engine.ask("which articles do you have?")
    assert "Articles: 5 (Albanian: 4, Slovenian: 1)" in everything.answer
    assert len({citation.article for citation in everything.citations}) == 5
    assert engine.ask("which articles do you have?", language="sl").answer.startswith("Articles: 1 (Slovenian: 1)")
    nothing = engine.ask("haben Sie etwas auf Französisch?")
    assert (nothing.answer, nothing.answered, nothing.kind) == ("Artikel: 0", False, "about")


@pytest.mark.slow
def test_summaries_are_the_articles_own_sentences(engine: Engine) -> None:
    def first(answer: Answer) -> set[str]:
        assert answer.kind == "summary"
        return {citation.article[:3] for citation in answer.citations}

    one = engine.ask("summarise the article about Shoigu")
    assert first(one) == {"002"} and 3 <= len(one.citations) <= 5
    starts = [citation.start for citation in one.citations]
    assert starts == sorted(starts), "told in the article's order"
    for line, citation in zip(one.answer.splitlines(), one.citations, strict=True):
        assert line == f"{' '.join(citation.text.split())} [{citation.n}]"
    assert first(engine.ask("what happened in July 2023?")) == {"002"}
    assert first(engine.ask("povzemi slovenski članek")) == {"001"}
    assert first(engine.ask("summarise everything", language="sl")) == {"001"}
    assert len(first(engine.ask("give me an overview of everything"))) >= 4
    nothing = engine.ask("summarise the article about Shoigu", since="2031-01")
    assert (nothing.kind, nothing.answered, nothing.citations) == ("summary", False, ())


@pytest.mark.slow
def test_thanks_in_between_do_not_cut_the_thread(engine: Engine) -> None:
    before = "What gifts did Putin give to Kim?"
    answer = engine.ask("And what did he get in return?", history=[before, "thank you!", "which articles do you have?"])
    assert answer.context == (before,)
    fresh = "Which summer camp hosted the children of Russian soldiers killed in Ukraine?"
    assert engine.ask(fresh, history=[before]).context == ()


@pytest.mark.slow
def test_what_is_to_be_searched_for_is_searched_for(engine: Engine) -> None:
    assert engine.ask("hello").kind == "chat"
    assert engine.ask("hello", plain=True).kind in ("answer", "declined")


@pytest.mark.slow
def test_dates_decide_where_there_are_articles_of_that_time(engine: Engine) -> None:
    question = "What did the Russian minister do in {}?"
    july, january = (engine.ask(question.format(month)) for month in ("July 2023", "January 2024"))
    assert {citation.article[:3] for citation in july.citations} == {"002"}
    assert {citation.article[:3] for citation in january.citations} == {"003"}
    assert len({citation.article for citation in engine.ask(question.format("March 1999")).citations}) > 1
