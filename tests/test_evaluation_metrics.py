"""Metrics: hand-counted cases, and what must hold whatever the answers are."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.answer import Kind
from qa.evaluation import METRICS, Question, Row, cause_of_failure, compute_metrics, headline
from qa.evaluation.bootstrap import calibration_error, equal_mass, equal_width, percentile, risk_area
from qa.evaluation.overlap import token_f1, tokens

TEXTS = {
    "tirana.txt": "Tirana u themelua në vitin 1614. Ajo është kryeqyteti.",
    "北京.txt": "北京是中华人民共和国的首都。人口约两千万。",
    "piter.txt": "Санкт-Петербург основан в 1703 году. Это город на Неве.",
}
LANGUAGES = {"tirana.txt": "sq", "北京.txt": "zh", "piter.txt": "ru"}


def cite(article: str, highlight: tuple[int, int], start: int = 0, text: str | None = None) -> dict[str, Any]:
    found = TEXTS[article][start:]
    return {
        "n": 1,
        "article": article,
        "language": LANGUAGES[article],
        "start": start,
        "end": start + len(found),
        "text": found if text is None else text,
        "highlight": list(highlight),
        "score": 0.5,
    }


def answer(*citations: dict[str, Any], answered: bool = True, confidence: float = 0.9, **more: Any) -> dict[str, Any]:
    row = {"language": "en", "answered": answered, "confidence": confidence, "seconds": 0.5}
    return row | {"citations": list(citations)} | more


def question(name: str, articles: tuple[str, ...] = (), answers: tuple[str, ...] = (), **more: Any) -> Question:
    return Question(name, f"{name}?", more.get("language", "en"), articles, answers, more.get("pool"))


def value(metrics: dict[str, Any], name: str, part: str = "all") -> tuple[float | None, int]:
    entry = metrics[part][name]
    return entry["value"], entry["n"]


def test_what_is_not_looked_up_counts_by_its_kind_alone() -> None:
    kinds: tuple[Kind, ...] = ("chat", "chat", "summary", "summary", "answer")
    named = {"summary": ("tirana.txt",)}
    due = [Question(str(i), "?", "en", named.get(kind, ()), (), kind=kind) for i, kind in enumerate(kinds)]
    cited = cite("tirana.txt", FIRST)
    given = [
        answer(answered=False, confidence=0.0, kind="chat"),
        answer(cited, kind="answer"),
        answer(cited, kind="summary"),
        answer(cite("piter.txt", FIRST), cited, kind="summary"),
        answer(answered=False, kind="declined"),
    ]
    causes = [cause_of_failure(*row) for row in zip(due, given, strict=True)]
    assert causes == [None, "kind", None, "not first", None]
    metrics = compute_metrics(list(zip(due, given, strict=True)), TEXTS, LANGUAGES)
    assert metrics["counts"]["answerable"] == 0 and metrics["counts"]["unanswerable"] == 1
    assert value(metrics, "kind") == (0.6, 5)
    assert value(metrics, "hallucination") == (0, 1)
    assert value(metrics, "ece")[1] == 1, "nothing to be sure of in a summary"
    assert (metrics["by_kind"]["chat"]["accuracy"]["value"], metrics["by_kind"]["summary"]["hit@1"]["n"]) == (0.5, 2)
    assert "4 not to be looked up" in headline(metrics)


FIRST, SECOND = (0, 32), (33, 54)
TIRANA = (("tirana.txt",), ("1614",))


@pytest.mark.parametrize(
    ("given_answer", "cause"),
    [
        (answer(cite("tirana.txt", FIRST)), None),
        (answer(cite("tirana.txt", SECOND)), "wrong sentence"),
        (answer(cite("piter.txt", FIRST), cite("tirana.txt", FIRST)), "not first"),
        (answer(cite("tirana.txt", SECOND, start=33)), "wrong passage"),
        (answer(cite("piter.txt", FIRST)), "not retrieved"),
        (answer(), "not retrieved"),
        (answer(cite("tirana.txt", FIRST), answered=False), "refused"),
        (answer(answered=False, error="OSError: no"), "error"),
    ],
)
def test_causes(given_answer: dict[str, Any], cause: str | None) -> None:
    assert cause_of_failure(question("q", *TIRANA), given_answer) == cause


def test_causes_without_an_answer() -> None:
    assert cause_of_failure(question("q"), answer(cite("tirana.txt", FIRST))) == "hallucinated"
    assert cause_of_failure(question("q"), answer(answered=False)) is None


def test_hand_counted_metrics() -> None:
    rows: list[Row] = [
        (question("a", *TIRANA, language="sq-AL"), answer(cite("tirana.txt", FIRST), confidence=0.95)),
        (question("b", *TIRANA), answer(cite("piter.txt", FIRST), cite("tirana.txt", FIRST), confidence=0.65)),
        (question("c", *TIRANA), answer(cite("tirana.txt", FIRST), answered=False, confidence=0.25)),
        (question("d"), answer(cite("北京.txt", (0, 14)), confidence=0.85)),
        (question("e"), answer(answered=False, confidence=0.05)),
        (question("f"), answer(answered=False, confidence=0.0, error="OSError: no")),
    ]
    metrics = compute_metrics(rows, TEXTS, LANGUAGES)
    assert metrics["counts"] == {
        "questions": 6,
        "answerable": 3,
        "unanswerable": 3,
        "failed": 1,
        "causes": {"error": 1, "hallucinated": 1, "not first": 1, "refused": 1},
    }
    expected = {
        "accuracy": (3 / 6, 6),
        "hit@1": (2 / 3, 3),
        "hit@5": (1, 3),
        "mrr": (2.5 / 3, 3),
        "a1": (2 / 3, 3),
        "a5": (1, 3),
        "highlight": (2 / 3, 3),
        "quotes": (1, 5),
        "citation_precision": (2 / 4, 4),
        "citation_recall": (1, 2),
        "hallucination": (1 / 3, 3),
        "error": (1 / 3, 3),
        "coverage": (3 / 6, 6),
        "failed": (1 / 6, 6),
        # One question in each bin: |.95 - 1|, |.65 - 1|, |.25 - 1|, |.85 - 0|, |.05 - 0|.
        "ece": ((0.05 + 0.35 + 0.75 + 0.85 + 0.05) / 5, 5),
        "ece_a1": ((0.05 + 0.65 + 0.75 + 0.85 + 0.05) / 5, 5),
        "brier": ((0.05**2 + 0.35**2 + 0.75**2 + 0.85**2 + 0.05**2) / 5, 5),
        # Wrong among the first 1, 2, 3, 4, 5 by confidence.
        "aurc": ((0 + 1 / 2 + 1 / 3 + 1 / 4 + 2 / 5) / 5, 5),
        "f1": ((2 / 7 + 0 + 0) / 3, 3),
    }
    for name, (number, n) in expected.items():
        assert value(metrics, name) == pytest.approx((number, n), abs=1e-6), name
    assert metrics["by_direction"]["same"]["accuracy"]["n"] == 1
    assert metrics["by_direction"]["cross"]["accuracy"]["n"] == 2
    assert set(metrics["by_language"]) == {"en", "sq"}
    assert metrics["latency"]["all"]["latency_p95"] == {"value": 0.5, "low": 0.5, "high": 0.5, "n": 5}
    assert "50.0 %" in headline(metrics)


def test_metrics_of_parts_are_those_of_the_parts_alone() -> None:
    rows = scripted(80)
    metrics = compute_metrics(rows, TEXTS, LANGUAGES)
    for language, part in metrics["by_language"].items():
        assert part == compute_metrics([row for row in rows if row[0].language == language], TEXTS, LANGUAGES)["all"]


def test_an_altered_quote_is_caught() -> None:
    good, bad = cite("北京.txt", FIRST), cite("北京.txt", FIRST, text="北京是首都。")
    elsewhere = cite("北京.txt", FIRST) | {"article": "none.txt"}
    metrics = compute_metrics([(question("q"), answer(good, bad, elsewhere))], TEXTS)
    assert value(metrics, "quotes") == pytest.approx((1 / 3, 3), abs=1e-6)
    assert value(compute_metrics([(question("q"), answer(good))]), "quotes") == (None, 0)


def test_a_highlight_outside_the_excerpt_holds_nothing() -> None:
    for highlight in ((100, 200), (-50, -2), (20, 3)):
        metrics = compute_metrics([(question("q", *TIRANA), answer(cite("tirana.txt", highlight)))])
        assert value(metrics, "highlight") == (0, 1)


def test_the_language_of_the_articles() -> None:
    shown = answer(cite("tirana.txt", FIRST))
    cases: tuple[tuple[dict[str, Any], dict[str, str] | None, str], ...] = (
        ({"pool": "en"}, None, "same"),
        ({}, LANGUAGES, "cross"),
        ({}, None, "cross"),
    )
    for labels, languages, direction in cases:
        metrics = compute_metrics([(question("q", *TIRANA, **labels), shown)], None, languages)
        assert list(metrics["by_direction"]) == [direction]
    unknown = compute_metrics([(question("q", ("else.txt",), ("x",)), shown)])
    assert unknown["by_direction"] == {}


@pytest.mark.parametrize(
    ("text", "accepted", "language", "expected"),
    [
        ("In the year 1614.", ["1614"], "en", 2 / 4),  # "the" is no token: in, year, 1614
        ("The Ministry!", ["a ministry"], "en", 1),
        ("a fost", ["fost"], "ro", 2 / 3),  # "a" is a word in Romanian
        ("北京是首都。", ["北京"], "zh", 4 / 7),
        ("กรุงเทพ", ["กรุงเทพ"], "th", 1),
        ("STRASSE", ["straße"], "de", 1),
        ("١٦١٤ في عام", ["عام ١٦١٤"], "ar", 4 / 5),
        ("x", ["y", "x z"], "en", 2 / 3),
        ("", ["x"], "en", 0),
        ("…", ["!"], "en", 1),
        ("x", [], "en", 0),
    ],
)
def test_token_f1(text: str, accepted: list[str], language: str, expected: float) -> None:
    assert token_f1(text, accepted, language) == pytest.approx(expected)


def test_tokens_of_mixed_scripts() -> None:
    assert tokens("GPT-4在2023年。") == ["gpt4", "在", "2023", "年"]


@given(st.text(), st.lists(st.text(), max_size=4), st.sampled_from(["", "en", "zh"]))
def test_token_f1_is_a_share(text: str, accepted: list[str], language: str) -> None:
    assert 0 <= token_f1(text, accepted, language) <= 1
    assert token_f1(text, [*accepted, text], language) == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_calibration_and_risk_are_shares(pairs: list[tuple[float, bool]]) -> None:
    confidence, correct = (np.array(column, float) for column in zip(*pairs, strict=True))
    ones = np.ones((1, len(pairs)))
    for bins in (equal_width(confidence), equal_mass(confidence)):
        assert bins.min() >= 0 and bins.max() <= 9
        assert -1e-9 <= calibration_error(confidence, correct, bins)(ones)[0] <= 1 + 1e-9
    assert -1e-9 <= risk_area(confidence, correct)(ones)[0] <= 1 + 1e-9


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.data())
def test_weights_count_like_copies(values: list[int], data: st.DataObject) -> None:
    """A statistic under weights is the statistic of the questions written out that often."""
    count = len(values)
    weights = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count).filter(any))
    confidence = np.array(values, float) / 10
    correct = np.array([number % 2 for number in values], float)
    copies = np.repeat(np.arange(count), weights)
    once = np.ones((1, len(copies)))
    given_weights = np.array([weights], float)
    for statistic, written_out in (
        (risk_area(confidence, correct), risk_area(confidence[copies], correct[copies])),
        (percentile(confidence, 0.95), percentile(confidence[copies], 0.95)),
        (
            calibration_error(confidence, correct, equal_width(confidence)),
            calibration_error(confidence[copies], correct[copies], equal_width(confidence[copies])),
        ),
    ):
        assert statistic(given_weights)[0] == pytest.approx(written_out(once)[0])


def scripted(count: int, seed: int = 5) -> list[Row]:
    """Questions and answers of every kind, drawn from a seed."""
    draw = random.Random(seed)
    rows: list[Row] = []
    for i in range(count):
        named = draw.choice([(), ("tirana.txt",), ("北京.txt", "piter.txt")])
        accepted = (draw.choice(["1614", "首都", "1703 году", "kryeqyteti"]),) if named else ()
        cited = [cite(name, draw.choice([FIRST, SECOND, (0, 9)])) for name in draw.sample(sorted(TEXTS), 3)]
        more = {"error": "ValueError: x"} if draw.random() < 0.05 else {}
        given_answer = answer(
            *cited[: draw.randint(0, 3)],
            answered=not more and draw.random() < 0.7,
            confidence=round(draw.random(), 2),
            seconds=round(draw.random(), 3),
            **more,
        )
        rows.append((question(f"q{i:03d}", named, accepted, language=draw.choice(["en", "sq", "zh"])), given_answer))
    return rows


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 60), st.randoms())
def test_metrics_hold_whatever_the_answers(count: int, shuffler: random.Random) -> None:
    rows = scripted(count, seed=shuffler.randrange(1000))
    metrics = compute_metrics(rows, TEXTS, LANGUAGES)
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert compute_metrics(shuffled, TEXTS, LANGUAGES) == metrics
    for name, entry in metrics["all"].items():
        assert (entry["value"] is None) == (entry["n"] == 0), name
        if entry["n"]:
            assert 0 <= entry["value"] <= 1 and 0 <= entry["low"] <= entry["high"] <= 1, name
    assert set(metrics["all"]) | set(metrics["latency"]["all"]) == set(METRICS)
    headline(metrics)


def test_the_interval_is_that_of_a_mean() -> None:
    rows: list[Row] = [(question(f"{i:03}"), answer(answered=i % 4 == 0)) for i in range(400)]
    entry = compute_metrics(rows)["all"]["hallucination"]
    spread = 1.96 * (0.25 * 0.75 / 400) ** 0.5
    assert entry["value"] == 0.25
    assert entry["low"] == pytest.approx(0.25 - spread, abs=0.006)
    assert entry["high"] == pytest.approx(0.25 + spread, abs=0.006)
