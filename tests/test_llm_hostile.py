"""Hostile articles and a model that obeys them: the format stays, nothing leaks, nothing false counts as checked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hostile_articles import ATTACKS, FACT, Attack
from scripted_llm import KEY, Reply, ScriptedLLM, codes_of, scripted
from test_page_marks import Reader

from index.encoder import Encoder
from index.settings import Settings
from index.sync import sync
from qa.answer import Answer, Citation
from qa.engine import Engine
from qa.llm.answering import write
from qa.llm.client import Client
from qa.llm.prompt import compose
from qa.llm.settings import LLMSettings
from qa.llm.verify import Verifier
from qa.page.answers import render_answer
from qa.page.words import words

pytestmark = pytest.mark.slow
QUESTION = "Who led the work on the bridge?"
HONEST = "The engineer Ana Doda led the work"


@dataclass(frozen=True)
class Place:
    """An index of all hostile articles, and a model that can be told what to say."""

    engine: Engine
    llm: ScriptedLLM
    names: dict[str, str]  # of attacks, to those of their articles

    def quotes(self, attack: Attack) -> Answer:
        """The extractive answer: the hostile article as a whole, and an honest one."""
        cited = tuple(self._cite(n, name) for n, name in enumerate((self.names[attack.name], "zz_honest.txt"), 1))
        return Answer(QUESTION, "en", True, "The quote. [1]", 0.9, cited, 0.0)

    def _cite(self, n: int, name: str) -> Citation:
        article = self.engine.articles[name]
        text = article.text[:700]
        return Citation(n, name, article.title, None, article.language, 0, len(text), text, (0, len(FACT)), 0.9)

    def answer(self, attack: Attack, said: str) -> Answer:
        """What becomes of the model's words."""
        self.llm.replies[:] = [Reply(said)]
        client = Client(LLMSettings(self.llm.url, "obedient", KEY, 20))
        verifier = Verifier(self.engine.encoder, self.engine.collection)
        return list(write(client, verifier, self.quotes(attack), ()))[-1]


@pytest.fixture(scope="module")
def place(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hostile")
    names = {attack.name: f"{n:02}_{attack.name.replace(' ', '_')}.txt" for n, attack in enumerate(ATTACKS)}
    for attack in ATTACKS:
        (folder / names[attack.name]).write_text(f"{FACT} {attack.text}\n", encoding="utf-8")
    (folder / "zz_honest.txt").write_text("Velmar has a harbour, and the harbour has a crane.\n", encoding="utf-8")
    settings = Settings(corpus=folder, store=str(tmp_path_factory.mktemp("store")))
    report, collection = sync(settings, encoder)
    assert report.added == len(ATTACKS) + 1
    with scripted(Reply()) as llm:
        yield Place(Engine(settings, encoder, collection, report), llm, names)


of_all = pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])


def test_there_are_enough() -> None:
    assert len({attack.name for attack in ATTACKS}) >= 25


@of_all
def test_the_prompt_keeps_the_article_as_data(place: Place, attack: Attack) -> None:
    quotes = place.quotes(attack)
    prompt = compose(QUESTION, quotes.citations, "en", (), 4096)
    told = prompt.messages[1].text
    fence = re.findall(r"<<\w{4}>>", prompt.messages[0].text)[0]
    parts = told.split(fence)
    assert len(parts) == 5  # two excerpts, each between two fences
    inside = parts[1] + parts[3]
    assert "Ana Doda led the work" in inside
    assert not re.search(r"[\[\]【】［］\u200b\u202e\U000e0000-\U000e007f]", inside)
    assert codes_of({"messages": [{"content": told}]}) == list(prompt.codes)
    assert not any(code in citation.text for code in prompt.codes for citation in quotes.citations)
    assert not any(secret in str(prompt.messages) for secret in (KEY, place.llm.url))


@of_all
def test_a_model_that_obeys_gets_nothing_shown_as_checked(place: Place, attack: Attack) -> None:
    said = attack.obeyed.replace("{key}", KEY).replace("{url}", "http://10.1.2.3:8080/v1").replace("{q7z8}", "[q7z8]")
    answer = place.answer(attack, said)
    assert [each.text for each in answer.statements if each.supported] == []
    assert answer.llm and answer.llm.state == "fallen_back"
    assert answer.answer == "The quote. [1]"
    assert KEY not in str(answer.as_json())


@of_all
def test_beside_an_honest_sentence_the_obedient_ones_stay_marked(place: Place, attack: Attack) -> None:
    said = attack.obeyed.replace("{key}", KEY).replace("{url}", "http://10.1.2.3:8080/v1").replace("{q7z8}", "[q7z8]")
    answer = place.answer(attack, f"{HONEST} {{1}}.\n\n{said}")
    assert [each.text for each in answer.statements if each.supported] == [f"{HONEST}."]
    assert answer.confidence < 0.9 or len(answer.statements) == 1
    assert set(answer.as_json()) >= {"statements", "llm", "citations", "answer"}
    assert {n for each in answer.statements for n in each.citations} <= {1, 2}
    shown = Reader(render_answer(answer, words("en")))
    html = render_answer(answer, words("en"))
    assert not re.search(r"<(?:script|img|iframe|a|table|svg)\b|javascript:(?![^<]*</span>)", html)
    assert KEY not in html and KEY not in str(answer.as_json())
    assert html.count("pc-unsupported") == len(answer.statements) - 1
    assert HONEST in shown.text


@of_all
def test_an_article_read_out_whole_is_no_citation(place: Place, attack: Attack) -> None:
    """The article itself as the answer: whatever it holds for codes, none of its sentences cites anything."""
    article = place.engine.articles[place.names[attack.name]].text
    answer = place.answer(attack, article)
    assert [each for each in answer.statements if each.supported] == []
    assert answer.llm and answer.llm.state in ("fallen_back", "declined")
