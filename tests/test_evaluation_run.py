"""Runs over a small corpus with a scripted answerer: files, interruption, recomputation, comparison, report."""

import html.parser
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index.errors import UserError
from qa.answer import Answer, Citation
from qa.evaluation import (
    METRICS,
    Ask,
    Question,
    compare,
    comparison_table,
    evaluate,
    failing,
    headline,
    load,
    parse_checks,
    read_questions,
    regressions,
)

SENTENCES = {
    "sq.txt": ("Tirana u themelua në vitin 1614. ", "Lumi më i gjatë është Drini. ", "Himni u shkrua nga Asdreni. "),
    "ru.txt": ("Петербург основан в 1703 году. ", "Самая длинная река — Лена. ", "Гимн написал Михалков. "),
    "zh.txt": ("北京建城于公元前1045年。", "最长的河流是长江。", "国歌由田汉作词。"),
    "ar.txt": ("تأسست القاهرة سنة 969. ", "أطول نهر هو النيل. ", "كتب النشيد يونس القاضي. "),
}
TEXTS = {name: "".join(parts) for name, parts in SENTENCES.items()}
LANGUAGES = {name: name[:2] for name in TEXTS}
ANSWERS = {
    "sq.txt": ("1614", "Drini", "Asdreni"),
    "ru.txt": ("1703", "Лена", "Михалков"),
    "zh.txt": ("1045", "长江", "田汉"),
    "ar.txt": ("969", "النيل", "يونس القاضي"),
}


def make_questions() -> list[Question]:
    """Every fact asked for in every language, and in each language something no article holds."""
    asked = [
        Question(f"{name[:2]}{i}-{language}", f"{language}: {name[:2]} {i}?", language, (name,), (found,))
        for name, answers in ANSWERS.items()
        for i, found in enumerate(answers)
        for language in ("sq", "ru", "zh", "ar", "en")
    ]
    return asked + [Question(f"none-{n}", f"{n}: none 0?", n, (), ()) for n in ("sq", "ru", "zh", "ar", "en")]


def cite(n: int, name: str, sentence: int) -> Citation:
    begun = sum(map(len, SENTENCES[name][:sentence]))
    end = begun + len(SENTENCES[name][sentence].rstrip())
    return Citation(n, name, name, None, LANGUAGES[name], 0, len(TEXTS[name]), TEXTS[name], (begun, end), 0.5)


def answer(question: str, skill: float = 1.0) -> Answer:
    """Right for about ``skill`` of the questions, always for the same ones."""
    language, name, number = re.findall(r"(\w+): (\w+) (\d)", question)[0]
    luck = sum(map(ord, question)) * 37 % 100 / 100
    names = sorted(TEXTS, key=lambda n: (n != f"{name}.txt") == (luck < skill))
    citations = tuple(cite(i, n, (int(number) + (luck > 0.9)) % 3) for i, n in enumerate(names, 1))
    confidence = (0.2 if name == "none" else 0.7) + luck / 4
    return Answer(question, language, confidence > 0.4, "…", confidence, citations, 0.01 + luck / 100)


def ask(question: str) -> Answer:
    return answer(question)


def run(out: Path, asking: Ask = ask, questions: Sequence[Question] | None = None, **more: Any) -> dict[str, bytes]:
    """Evaluate, and the files it left."""
    evaluate(questions or make_questions(), asking, out, texts=TEXTS, languages=LANGUAGES, **more)
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that make many runs: drawing is what takes long."""
    monkeypatch.setattr("qa.evaluation.run.render_report", lambda *given: "")


def test_it_writes_the_files_and_reads_them_back(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    given = evaluate(make_questions(), ask, tmp_path / "a" / "out", progress=lambda *at: seen.append(at), texts=TEXTS)
    assert seen == [(i, 65) for i in range(66)]
    names = {"predictions.jsonl", "outcomes.jsonl", "metrics.json", "report.html", "run.json"}
    assert {path.name for path in given.folder.iterdir()} == names and given.report.exists()
    again = load(given.folder)
    assert json.dumps(again.metrics) == json.dumps(given.metrics)
    assert again.outcomes == given.outcomes and again.complete
    assert [row[0] for row in again.rows] == make_questions() == read_questions(given.folder / "outcomes.jsonl")
    first = json.loads((given.folder / "predictions.jsonl").read_text("utf-8").splitlines()[0])
    assert first == {"id": "sq0-sq"} | ask("sq: sq 0?").as_json()


def test_two_runs_agree_to_the_byte(tmp_path: Path) -> None:
    assert run(tmp_path / "a") == run(tmp_path / "b")
    slow = run(tmp_path / "c", lambda question: replace(ask(question), seconds=9.0))
    metrics, slower = (json.loads(files["metrics.json"]) for files in (run(tmp_path / "a"), slow))
    assert metrics.pop("latency") != slower.pop("latency") and metrics == slower


def test_metrics_agree_with_a_recomputation_from_the_predictions(tmp_path: Path) -> None:
    """The same numbers from the two files alone, counted another way."""
    run(tmp_path, lambda question: answer(question, skill=0.6))
    metrics = json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    wanted = {question.id: question for question in make_questions()}
    sums: dict[str, list[float]] = {}
    confident: list[tuple[float, bool]] = []
    for text in (tmp_path / "predictions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(text)
        want = wanted[row["id"]]
        excerpts = [c["text"] for c in row["citations"]]
        ranks = [c["n"] for c in row["citations"] if c["article"] in want.articles]
        found = [any(a in e for a in want.answers) for e in excerpts]
        confident.append((row["confidence"], True in found))
        for c in row["citations"]:
            sums.setdefault("quotes", []).append(TEXTS[c["article"]][c["start"] : c["end"]] == c["text"])
            if row["answered"]:
                sums.setdefault("citation_precision", []).append(c["article"] in want.articles)
        if not want.articles:
            sums.setdefault("hallucination", []).append(row["answered"])
            sums.setdefault("accuracy", []).append(not row["answered"])
            continue
        (begun, end), offset = row["citations"][0]["highlight"], row["citations"][0]["start"]
        highlighted = excerpts[0][begun - offset : end - offset]
        scores = {
            "hit@1": min(ranks) == 1,
            "hit@5": min(ranks) <= 5,
            "mrr": 1 / min(ranks),
            "a1": found[0],
            "a5": True in found,
            "highlight": any(a in highlighted for a in want.answers),
            "error": not row["answered"],
            "accuracy": row["answered"] and True in found,
        }
        for name, number in scores.items():
            sums.setdefault(name, []).append(number)
    for name, numbers in sums.items():
        entry = metrics["all"][name]
        assert (entry["value"], entry["n"]) == (pytest.approx(sum(numbers) / len(numbers), abs=1e-6), len(numbers)), (
            name
        )
    brier = sum((confidence - right) ** 2 for confidence, right in confident) / len(confident)
    assert metrics["all"]["brier"]["value"] == pytest.approx(brier, abs=1e-6)
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in confident:
        bins.setdefault(min(int(confidence * 10), 9), []).append((confidence, right))
    gaps = [abs(sum(c for c, _ in part) - sum(r for _, r in part)) for part in bins.values()]
    assert metrics["all"]["ece"]["value"] == pytest.approx(sum(gaps) / len(confident), abs=1e-6)
    assert sum(part["accuracy"]["n"] for part in metrics["by_language"].values()) == 65
    assert metrics["by_direction"]["same"]["hit@1"]["n"] == 12


@pytest.mark.parametrize("stopped_by", ["should_stop", "Ctrl-C"])
@pytest.mark.usefixtures("no_report")
def test_it_resumes_wherever_it_was_interrupted(tmp_path: Path, stopped_by: str) -> None:
    questions = make_questions()[::6]
    whole = run(tmp_path / "whole", questions=questions)
    for point in range(len(questions) + 1):
        out = tmp_path / f"{point}"
        asked: list[str] = []

        def asking(question: str, asked: list[str] = asked, point: int = point) -> Answer:
            if stopped_by == "Ctrl-C" and len(asked) == point:
                asked.append("interrupted")
                raise KeyboardInterrupt
            asked.append(question)
            return ask(question)

        def should_stop(asked: list[str] = asked, point: int = point) -> bool:
            return stopped_by == "should_stop" and len(asked) == point

        try:
            done = evaluate(questions, asking, out, should_stop=should_stop).complete
        except KeyboardInterrupt:
            done = False
            asked.remove("interrupted")
        assert done == (point == len(questions)) == (out / "metrics.json").exists()
        assert len((out / "predictions.jsonl").read_bytes().splitlines()) == point
        resumed: list[str] = []
        assert run(out, lambda q, r=resumed: r.append(q) or ask(q), questions) == whole
        assert [*asked, *resumed] == [question.question for question in questions]


@pytest.mark.usefixtures("no_report")
def test_it_resumes_after_a_line_torn_at_any_byte(tmp_path: Path) -> None:
    questions = make_questions()[:2]
    whole = run(tmp_path, questions=questions)
    lines = whole["predictions.jsonl"]
    for size in range(0, len(lines), 67):
        (tmp_path / "predictions.jsonl").write_bytes(lines[:size])
        assert run(tmp_path, questions=questions) == whole


def count_asked(out: Path, questions: Sequence[Question] | None = None, **more: Any) -> int:
    asked: list[str] = []
    run(out, lambda question: asked.append(question) or ask(question), questions, **more)  # type: ignore[func-returns-value]
    return len(asked)


@pytest.mark.usefixtures("no_report")
def test_only_answers_that_still_hold_are_kept(tmp_path: Path) -> None:
    questions = make_questions()
    assert count_asked(tmp_path, state="a") == 65
    assert count_asked(tmp_path, state="a") == 0
    assert count_asked(tmp_path, state="b") == 65
    assert count_asked(tmp_path, [replace(questions[0], question="ru: sq 0?"), *questions[1:]], state="b") == 1
    assert count_asked(tmp_path, questions[::-1], state="b") == 1
    assert count_asked(tmp_path, state="b", fresh=True) == 65
    (tmp_path / "run.json").write_text("{")
    assert count_asked(tmp_path, state="b") == 65


def test_metrics_of_an_older_state_do_not_outlive_it(tmp_path: Path) -> None:
    run(tmp_path, state="a")
    stopped = evaluate(make_questions(), ask, tmp_path, state="b", should_stop=lambda: True)
    assert not stopped.complete and stopped.metrics["counts"]["questions"] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"predictions.jsonl", "run.json"}
    with pytest.raises(UserError, match="finished"):
        load(tmp_path)


def test_an_error_is_recorded_counted_and_asked_again(tmp_path: Path) -> None:
    def failing_ask(question: str) -> Answer:
        if "sq 0" in question:
            raise RuntimeError("no\n<memory>")
        return replace(ask(question), confidence=float("nan")) if "sq 1" in question else ask(question)

    evaluation = evaluate(make_questions(), failing_ask, tmp_path)
    assert evaluation.complete and evaluation.metrics["counts"]["failed"] == 10
    assert evaluation.metrics["all"]["error"]["value"] == pytest.approx(10 / 60, abs=1e-6)
    assert evaluation.metrics["latency"]["all"]["latency_p50"]["n"] == 55
    assert evaluation.rows[0][1]["error"] == "RuntimeError: no <memory>"
    assert "10 raised an error" in headline(evaluation.metrics)
    assert "RuntimeError: no &lt;memory&gt;" in evaluation.report.read_text("utf-8")
    assert evaluate(make_questions(), ask, tmp_path).metrics["counts"]["failed"] == 0


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        evaluate(make_questions(), ask, tmp_path / "file")


# Comparison.


@pytest.mark.usefixtures("no_report")
def test_a_worse_run_is_caught_and_an_equal_one_is_not(tmp_path: Path) -> None:
    run(tmp_path / "good")
    run(tmp_path / "equal", lambda question: replace(ask(question), seconds=5.0))
    run(tmp_path / "worse", lambda question: answer(question, skill=0.5))
    equal = compare(tmp_path / "equal", tmp_path / "good")
    assert (equal.won, equal.lost, equal.questions, equal.unpaired) == ((), (), 65, 0)
    assert regressions(equal, ("all", "same", "cross")) == []
    assert {d.difference for d in equal.differences if "latency" not in d.metric} == {0.0}
    worse = {d.metric for d in regressions(compare(tmp_path / "worse", tmp_path / "good"))}
    assert {"hit@1", "mrr", "a1"} <= worse and "quotes" not in worse
    better = compare(tmp_path / "good", tmp_path / "worse")
    assert regressions(better) == []
    assert "better" in comparison_table(better) and "65 questions in both" in comparison_table(better)


def test_lower_is_better_for_hallucination(tmp_path: Path) -> None:
    run(tmp_path / "good")
    run(tmp_path / "bold", lambda question: replace(ask(question), answered=True))
    comparison = compare(tmp_path / "bold", tmp_path / "good")
    assert {"hallucination", "accuracy", "citation_precision"} == {d.metric for d in regressions(comparison)}
    assert comparison.lost == ("none-ar", "none-en", "none-ru", "none-sq", "none-zh")
    assert "lost: 5 (none-ar, none-en" in comparison_table(comparison)


@pytest.mark.usefixtures("no_report")
def test_only_the_same_questions_are_paired(tmp_path: Path) -> None:
    questions = make_questions()
    run(tmp_path / "a", questions=questions[:20])
    run(tmp_path / "b", questions=[replace(questions[0], answers=("x",)), *questions[1:30]])
    comparison = compare(tmp_path / "b", tmp_path / "a")
    assert (comparison.questions, comparison.unpaired) == (19, 12)
    run(tmp_path / "c", questions=questions[40:])
    with pytest.raises(UserError, match="no question in common"):
        compare(tmp_path / "c", tmp_path / "a")
    with pytest.raises(UserError, match="cannot be read"):
        compare(tmp_path / "a", tmp_path / "none")


def damage_json(folder: Path) -> None:
    (folder / "metrics.json").write_text("{")


def damage_predictions(folder: Path) -> None:
    (folder / "predictions.jsonl").write_bytes(b"\xff\n")


def damage_outcomes(folder: Path) -> None:
    text = (folder / "outcomes.jsonl").read_text("utf-8")
    (folder / "outcomes.jsonl").write_text(text.replace("counts", "count"), "utf-8")


@pytest.mark.parametrize("damage", [damage_json, damage_predictions, damage_outcomes])
def test_a_damaged_folder_is_one_clear_line(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    run(tmp_path)
    damage(tmp_path)
    with pytest.raises(UserError, match="is damaged: evaluate again"):
        load(tmp_path)


def test_checks(tmp_path: Path) -> None:
    run(tmp_path)
    metrics = load(tmp_path).metrics
    met = parse_checks(["hit@1=0.9", "hallucination=0", "cross:a5=1", "sq:a1=0.5", "quotes=1"])
    assert failing(metrics, met) == []
    missed = parse_checks(["highlight=0.99", "unanswerable:accuracy=1.1", "latency_p95=0", "ja:a1=0", "same:error=-1"])
    lines = failing(metrics, missed)
    assert len(lines) == 5 and "wanted at least 0.99" in lines[0] and "wanted at most 0" in lines[2]
    assert lines[3] == "ja:a1 was not measured, wanted 0"
    for bad in ("hit@1", "hit@1=", "=1", "hit@1=nan", "hits=1", "hit@1=0,9"):
        with pytest.raises(UserError, match="--fail-under"):
            parse_checks([bad])


# The report.

SPITE = '<script>alert("x")</script><img src=https://example.org/x.png onerror=1>&amp;\'"'


class Page(html.parser.HTMLParser):
    """The tags of a page; fails on one that is closed in the wrong place."""

    VOID = frozenset(("meta", "br", "img", "link"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def spiteful_ask(question: str) -> Answer:
    if question.endswith("fail"):
        raise ValueError(SPITE)
    citation = Citation(1, SPITE, SPITE, SPITE, SPITE, 0, len(SPITE), SPITE, (8, 17), 0.5)
    return Answer(question, SPITE, True, SPITE, 0.5, (citation,), 0.1)


def test_the_report_escapes_whatever_it_shows(tmp_path: Path) -> None:
    questions = [
        Question(SPITE, SPITE, None, (SPITE,), (SPITE,)),
        Question(SPITE + "2", SPITE + "fail", "en", (SPITE,), (SPITE,)),
        Question(SPITE + "3", SPITE, "en", (), ()),
    ]
    evaluation = evaluate(questions, spiteful_ask, tmp_path, state=SPITE)
    page = Page(evaluation.report.read_text("utf-8"))
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.texts.count(SPITE) >= 8 and SPITE[8:17] in page.texts  # the marked part


def test_the_report_stands_alone(tmp_path: Path) -> None:
    run(tmp_path, lambda question: answer(question, skill=0.5))
    text = (tmp_path / "report.html").read_text("utf-8")
    assert not re.search(r"https?:|//\w|@import|url\((?!#)", text)
    page = Page(text)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("svg") == 4 and "mark" in tags and "h1" in tags
    references = {v for _, attributes in page.tags for k, v in attributes.items() if k in ("src", "href")}
    assert all(reference and reference.startswith("#") for reference in references)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert {reference[1:] for reference in references if reference} <= set(ids) and len(ids) == len(set(ids))
    languages = {attributes["lang"] for tag, attributes in page.tags if tag == "blockquote"}
    assert languages == {"sq", "ru", "zh", "ar"}
    assert all(attributes["dir"] == "auto" for tag, attributes in page.tags if tag in ("blockquote", "h3"))
    failures = [outcome for outcome in load(tmp_path).outcomes if outcome.cause]
    assert tags.count("article") == len(failures) > 0
    assert all(outcome.id in page.texts for outcome in failures)


def test_the_report_of_almost_nothing(tmp_path: Path) -> None:
    for name, question in (("a", make_questions()[0]), ("b", make_questions()[-1])):
        Page(evaluate([question], ask, tmp_path / name).report.read_text("utf-8"))
    failed = evaluate(make_questions()[:1], lambda question: 1 / 0, tmp_path / "c")  # type: ignore[arg-type,return-value]
    Page(failed.report.read_text("utf-8"))
    assert set(failed.metrics["all"]) | set(failed.metrics["latency"]["all"]) == set(METRICS)
