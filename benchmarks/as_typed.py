"""Measures what careless typing costs: each question is asked as written and as people type it.

Over the seeds and our three corpora, and the dev pool where XQuAD's folder is given: in capitals, without any, without
diacritics, with neighbouring letters exchanged, without the question mark, between a greeting and thanks, as
keywords, below a pasted paragraph; and, for ``typed/scripts.jsonl``, in the other script that a language is typed in.
Shown is a1 (an accepted answer stands in the first excerpt) of each, beside a1 of the same questions typed well, the
difference with its 95 % bootstrap interval over the pairs, and what share is declined.

usage: python benchmarks/as_typed.py [--xquad FOLDER] [--only NAME] [--way NAME] [--without-reader] [--work FOLDER]
"""

import argparse
import json
import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from quality import corpora

from index.settings import PROJECT, Settings
from qa.engine import Engine, open_engine
from qa.evaluation import Question, read_questions

_TYPED = PROJECT / "benchmarks" / "typed"
_WORD = re.compile(r"[^\W\d_]+")
_SHORT = 3  # letters of a word that a keyword query leaves out
_PASTED = (
    "The committee met on Thursday afternoon and went through the minutes of its last meeting. Two members were "
    "excused. It was agreed to repaint the hall before the winter, and to ask three firms for an offer. "
    "Nobody had anything to add."
)
_TALK = json.loads((_TYPED / "talk.json").read_text(encoding="utf-8"))  # a greeting and thanks by language


def capitals(question: Question) -> str:
    """As in WHO SIGNED?"""
    return question.question.upper()


def no_capitals(question: Question) -> str:
    """As in "who signed?"."""
    return question.question.lower()


def no_diacritics(question: Question) -> str:
    """Kdaj je bil podpisan cas. Where marks are not written as accents (Indic scripts, Arabic), nothing changes."""
    return "".join(_bare(letter) for letter in question.question)


def _bare(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    named = unicodedata.name(parts[0], "")
    plain = {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "ø": "o", "Ø": "O"}.get(letter, parts[0])
    return plain if named.startswith(("LATIN", "GREEK")) else letter


def swapped(question: Question) -> str:
    """Every third word of five letters or more has two of its inner letters exchanged."""
    chance = random.Random(question.id)
    text = list(question.question)
    words = [each for each in _WORD.finditer(question.question) if len(each[0]) >= 5]
    for word in words[:: 1 if len(words) < 3 else 3]:
        at = word.start() + chance.randrange(1, len(word[0]) - 2)
        text[at], text[at + 1] = text[at + 1], text[at]
    return "".join(text)


def unmarked(question: Question) -> str:
    """As in "Who signed"."""
    return question.question.strip("?？؟;¿ ")


def talking(question: Question) -> str:
    """As in "Hi! Who signed? Thanks"."""
    greeting, thanks = _TALK.get(question.language, _TALK["en"])
    return f"{greeting} {question.question} {thanks}"


def keywords(question: Question) -> str:
    """As in "agreement signed aggression"."""
    words = [each for each in unmarked(question).lower().split() if len(each.strip(",.")) > _SHORT]
    return " ".join(words) if len(words) > 1 else unmarked(question)


def pasted(question: Question) -> str:
    """A paragraph that has nothing to do with it, and the question below."""
    return f"{_PASTED}\n\n{question.question}"


_WAYS: tuple[Callable[[Question], str], ...] = (
    capitals, no_capitals, no_diacritics, swapped, unmarked, talking, keywords, pasted,
)  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xquad", type=Path, help="folder of xquad.en.json and the like")
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--only", default="", help="a corpus")
    parser.add_argument("--way", default="", help="of typing")
    parser.add_argument("--without-reader", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, list[tuple[bool, bool, bool, bool]]] = defaultdict(list)
    for name, corpus, file in corpora(arguments.xquad, arguments.work):
        if arguments.only not in name:
            continue
        reader = not arguments.without_reader
        engine = open_engine(Settings(corpus=corpus, data=arguments.work / "data", reader=reader))
        questions = [each for each in read_questions(file) if each.answerable]
        well: dict[str, tuple[bool, bool]] = {}
        for way, typed, question in variants(name, questions, arguments.way):
            if question.question not in well:
                well[question.question] = ask(engine, question.question, question)
            found[way].append((*well[question.question], *ask(engine, typed, question)))
        print(f"{name}: {len(questions)} questions", flush=True)
    print("typed              n   well  typed  difference             declined well  typed")
    for way, rows in found.items():
        print(f"{way:15s} {describe(np.array(rows, float))}")


def variants(corpus: str, questions: list[Question], only: str) -> Iterator[tuple[str, str, Question]]:
    """The way of typing, what is typed, and the question; what looks the same typed so is left out."""
    for way in _WAYS:
        for question in questions:
            typed = way(question)
            if only in way.__name__ and typed != question.question:
                yield way.__name__, typed, question
    for line in (_TYPED / "scripts.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["corpus"] == corpus and only in "script":
            asked = Question(
                id=line, question=row["question"], language=row["language"], articles=row["articles"],
                answers=row["answers"],
            )  # fmt: skip
            yield f"script, {row['language']}", row["typed"], asked


def ask(engine: Engine, typed: str, question: Question) -> tuple[bool, bool]:
    """Whether an accepted answer stands in the first excerpt, and whether the question was declined."""
    answer = engine.ask(typed)
    first = answer.citations[0].text if answer.citations else ""
    return any(each in first for each in question.answers), not answer.answered


def describe(rows: np.ndarray) -> str:
    """One line of the table."""
    well, no, typed, typed_no = rows.T
    chance = np.random.default_rng(0)
    drawn = (typed - well)[chance.integers(0, len(rows), (2000, len(rows)))].mean(1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    difference = f"{typed.mean() - well.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
    return (
        f"{len(rows):5d}  {well.mean():.3f}  {typed.mean():.3f}  {difference}  {no.mean():.3f}  {typed_no.mean():.3f}"
    )


if __name__ == "__main__":
    main()
