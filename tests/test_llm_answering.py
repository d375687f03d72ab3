"""An answer by a model, from prompt to what the reader sees; every fault ends in an answer and a line that says why."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from scripted_llm import KEY, Reply, codes_of, scripted

from qa.answer import Answer, Citation
from qa.llm.answering import as_text, line, write
from qa.llm.client import Client
from qa.llm.faults import StoppedError
from qa.llm.prompt import SILENCE, compose, compose_rewrite, size
from qa.llm.rewrite import rewrite, usable
from qa.llm.settings import LLMSettings
from qa.llm.statements import SentenceReader
from qa.llm.verify import Verdict
from qa.page.words import LANGUAGES, words

FIRST = Citation(1, "a.txt", "Gifts", "2024-06", "en", 0, 26, "Putin gave Kim an Aurus [1].", (0, 26), 0.9)
SECOND = Citation(2, "b.txt", "Dogs", None, "sq", 0, 27, "Kimi i dhuroi Putinit dy qen.", (0, 27), 0.8)
QUOTES = Answer("What did they give?", "en", True, "Putin gave Kim an Aurus. [1]", 0.8, (FIRST, SECOND), 0.0)


class MarkedVerifier:
    """Takes a sentence for unsupported where it says so itself."""

    def check(self, sentence: str, language: str, citations: Sequence[Citation], *, stray: bool = False) -> Verdict:
        """See Verifier."""
        if stray or not citations:
            return Verdict(False, "citation")
        return Verdict(False, "number") if "WRONG" in sentence else Verdict(True)


def answers(*replies: Reply, timeout: float = 20.0, quotes: Answer = QUOTES) -> list[Answer]:
    """Everything that a reader is shown, in order."""
    with scripted(*replies) as llm:
        client = Client(LLMSettings(llm.url, "scripted", KEY, timeout))
        return list(write(client, MarkedVerifier(), quotes, ()))


def test_sentences_come_one_by_one_with_their_numbers() -> None:
    shown = answers(Reply("Putin gave a car {1}. Kim gave two dogs {2}. Both were glad {1}{2}.", pause=0.01))
    assert shown[0].llm and shown[0].llm.state == "writing" and shown[0].citations == QUOTES.citations
    lengths = [len(each.statements) for each in shown]
    assert lengths == sorted(lengths) and lengths[-1] == 3
    last = shown[-1]
    assert last.answer == "Putin gave a car. [1] Kim gave two dogs. [2] Both were glad. [1] [2]"
    assert [each.citations for each in last.statements] == [(1,), (2,), (1, 2)]
    assert last.llm and (last.llm.state, last.llm.fault, last.llm.line) == ("written", "", "")
    assert last.confidence == QUOTES.confidence
    assert any(each.llm and each.llm.draft for each in shown)
    assert "draft" not in last.as_json()["llm"]


def test_an_unsupported_sentence_is_marked_and_costs_confidence() -> None:
    last = answers(Reply("Putin gave a car {1}. Kim gave WRONG dogs {2}."))[-1]
    assert [(each.supported, each.reason) for each in last.statements] == [(True, ""), (False, "number")]
    assert last.answer == "Putin gave a car. [1] Kim gave WRONG dogs. [2] [?]"
    assert last.confidence == QUOTES.confidence / 2


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("unsupported", "WRONG is this {1}. And WRONG is that {2}."), ("uncited", "Putin gave a car. Kim gave dogs."),
        ("uncited", "Putin gave a car [1]. Kim gave dogs [2]."), ("empty", ""), ("empty", "<think>hm</think>"),
        ("repetition", "On and on. " * 30), ("repetition", "and so forth " * 300),
    ],
)  # fmt: skip
def test_nothing_supported_means_the_quotes(kind: str, text: str) -> None:
    last = answers(Reply(text))[-1]
    assert last.llm and (last.llm.state, last.llm.fault) == ("fallen_back", kind)
    assert last.llm.line == words("en").say(f"llm_{kind}")
    assert replace(last, llm=None) == QUOTES


FAULTS = [
    ("auth", Reply(status=401)), ("rate", Reply(status=429, headers={"retry-after": "900"})),
    ("server", Reply(status=500)), ("request", Reply(status=404)),
    ("context", Reply(status=400, body='{"error": {"message": "context length exceeded"}}')),
    ("malformed", Reply(body="data: {nonsense\n\n")), ("slow", Reply("x", first_after=1.2)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "reply"), FAULTS, ids=[kind for kind, _ in FAULTS])
def test_every_fault_of_the_server_means_the_quotes(kind: str, reply: Reply) -> None:
    last = answers(reply, timeout=1.2)[-1]
    assert last.llm and (last.llm.state, last.llm.fault) == ("fallen_back", kind)
    assert last.llm.line == words("en").say(f"llm_{kind}")
    assert replace(last, llm=None) == QUOTES
    assert KEY not in str(last.as_json())


BROKEN = [
    ("cut", Reply("Putin gave a car {1}. Kim gave two do", finish=None)),
    ("cut", Reply("Putin gave a car {1}. Kim gave two do", cut_after=4, piece=8)),
    ("timeout", Reply("Putin gave a car {1}. Kim gave two do", pause=0.2, endless=True, piece=12)),
    ("repetition", Reply("Putin gave a car {1}. ", endless=True)),
]


@pytest.mark.parametrize(("kind", "reply"), BROKEN)
def test_an_answer_that_breaks_off_keeps_what_is_supported(kind: str, reply: Reply) -> None:
    last = answers(reply, timeout=1.5)[-1]
    assert last.llm and (last.llm.state, last.llm.fault) == ("written", kind)
    assert last.llm.line == words("en").say(f"llm_{kind}")
    assert last.statements[0].text == "Putin gave a car."
    assert not any(each.text.endswith("two do") for each in last.statements)


def test_an_endless_answer_is_ended_at_the_server() -> None:
    with scripted(Reply("Again {1}. ", endless=True, pause=0.001)) as llm:
        list(write(Client(LLMSettings(llm.url, "scripted")), MarkedVerifier(), QUOTES, ()))
        assert llm.wait_given_up()


def test_stop_ends_the_answer_and_the_server() -> None:
    with scripted(Reply("One more {1}. Another {2}. ", endless=True, pause=0.05)) as llm:
        stop = threading.Event()
        growing = write(Client(LLMSettings(llm.url, "scripted")), MarkedVerifier(), QUOTES, (), stop)
        next(growing)
        stop.set()
        with pytest.raises(StoppedError):
            list(growing)
        assert not llm.requests or llm.wait_given_up()


def test_a_model_that_finds_no_answer_declines() -> None:
    last = answers(Reply(SILENCE))[-1]
    assert not last.answered
    assert last.answer == "The articles do not answer this."
    assert last.llm and (last.llm.state, last.llm.fault) == ("declined", "silent")
    assert last.confidence < QUOTES.confidence


def test_a_server_that_sends_the_key_back_does_not_get_it_shown() -> None:
    shown = answers(Reply(f"The key is {KEY} {{1}}. And {KEY} again", piece=3))
    assert all(KEY not in str(each.as_json()) and KEY not in str(each) for each in shown)
    assert "***" in shown[-1].answer


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_line_comes_in_the_questions_language(language: str) -> None:
    quotes = replace(QUOTES, language=language)
    last = answers(Reply(status=500), quotes=quotes)[-1]
    assert last.llm and last.llm.line == words(language).say("llm_server") == line(language, "server")


# ---- the prompt ------------------------------------------------------------------------------------------------------


def test_prompt_holds_excerpts_and_question_and_no_numbers_as_codes() -> None:
    prompt = compose("Çfarë dhuroi?", QUOTES.citations, "sq", ["Kush erdhi?"], 4096)
    rules, told = (message.text for message in prompt.messages)
    assert "Albanian" in rules and SILENCE in rules
    assert "Çfarë dhuroi?" in told and "Kush erdhi?" in told
    assert [prompt.codes[code].n for code in codes_of({"messages": [{"content": told}]})] == [1, 2]
    assert "[1]" not in told and "|1|" in told
    fence = told[told.index("<<") : told.index(">>") + 2]
    assert told.count(fence) == 4 and fence in rules
    assert compose("Çfarë dhuroi?", QUOTES.citations, "sq", [], 4096).codes.keys() != prompt.codes.keys()


def test_prompt_fits_the_context() -> None:
    long = [replace(FIRST, n=n, text="дом " * 170) for n in range(1, 6)]
    history = [f"Earlier question number {n}?" for n in range(200)]
    for context in (1024, 2048, 4096, 8192):
        prompt = compose("Question?", long, "en", history, context)
        assert sum(size(message.text) for message in prompt.messages) <= context
        assert 1 <= len(prompt.codes) <= 5
        assert next(iter(prompt.codes.values())).n == 1
        assert sum(size(message.text) for message in compose_rewrite("And?", history, "en", context)) <= context
        assert history[-1] in compose_rewrite("And?", history, "en", context)[1].text
    assert len(compose("Question?", long, "en", history, 8192).codes) == 5


def test_hidden_characters_do_not_reach_the_model() -> None:
    hidden = replace(FIRST, text="Seen\u200b\u202e\U000e0041\x07 here [x4y5].")
    told = compose("Q?", [hidden], "en", [], 4096).messages[1].text
    assert "Seen here |x4y5|." in told


# ---- sentences -------------------------------------------------------------------------------------------------------


def read(text: str, language: str = "en", piece: int = 3) -> list[tuple[str, tuple[str, ...], bool]]:
    reader = SentenceReader(("k4h7", "m2p9"), language)
    found = [each for at in range(0, len(text), piece) for each in reader.feed(text[at : at + piece])]
    return [(each.text, each.codes, each.stray) for each in [*found, *reader.finish()]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A car [k4h7]. Dr. Who **said** so. [m2p9] No.",
         [("A car.", ("k4h7",), False), ("Dr. Who said so.", ("m2p9",), False), ("No.", (), False)]),
        ("[k4h7] A car. [m2p9] Dogs.", [("A car.", ("k4h7",), False), ("Dogs.", ("m2p9",), False)]),
        ("- One [K4H7; m2p9].\n- Two [k4h7, zz99].",
         [("One.", ("k4h7", "m2p9"), False), ("Two.", ("k4h7",), True)]),
        ("A car [1]. He [sic] left [k4h7].", [("A car.", (), True), ("He [sic] left.", ("k4h7",), False)]),
        ("Yes. He did [k4h7].", [("Yes. He did.", ("k4h7",), False)]),
        ("<think>[k4h7] no.</think>So it is [m2p9].", [("So it is.", ("m2p9",), False)]),
        ("Same [k4h7]. Same [k4h7].", [("Same.", ("k4h7",), False)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_sentences_and_their_codes(text: str, expected: list[object], piece: int) -> None:
    assert read(text, piece=piece) == expected


def test_sentences_of_other_scripts() -> None:
    assert read("他送了一辆车【k4h7】。他很高兴。[m2p9]", "zh", 2) == [
        ("他送了一辆车。", ("k4h7",), False), ("他很高兴。", ("m2p9",), False)
    ]  # fmt: skip
    assert read("أهدى سيارة [k4h7]. هل فرح؟ [m2p9]", "ar") == [
        ("أهدى سيارة.", ("k4h7",), False), ("هل فرح؟", ("m2p9",), False)
    ]  # fmt: skip


# ---- follow-ups ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("What did Kim give back to Putin?", "What did Kim give back to Putin?"),
        ('Rewritten question: "What did Kim give?"', "What did Kim give?"),
        ("<think>\nhm\n</think>\nWhat did Kim give?", "What did Kim give?"),
        ("", None), ("Sure! Here it is:\nWhat did Kim give?", None), ("x" * 500, None),
        ("What happened in 1987?", None),
    ],
)  # fmt: skip
def test_only_a_usable_rewrite_is_taken(said: str, taken: str | None) -> None:
    assert usable(said, "And what did he give back?", ["What did Putin give to Kim?"], "en") == taken


def test_a_rewrite_that_fails_is_none() -> None:
    with scripted(Reply(status=500)) as llm:
        assert rewrite(Client(LLMSettings(llm.url, "m")), "And then?", ["Who came?"], "en") is None


def test_text_of_languages_without_spaces() -> None:
    statements = answers(Reply("他送了一辆车{1}。他很高兴{2}。"), quotes=replace(QUOTES, language="zh"))[-1].statements
    assert as_text(statements, "zh") == "他送了一辆车。 [1]他很高兴。 [2]"
