"""Corpora that confidence is fitted on: texts and documents kept out of all training, and of all reporting.

``own``: the kept-back texts of DATA/own, half of whose questions ask of what they do not tell. ``news``: the kept-back
documents of DATA/news, each in one of 61 languages; questions that they answer, questions near to them, and as many
about other documents.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.groups import Annotated, news_texts, own_rows
from training.pairs import joined_by, left_out, parallel_news, read_rows

_PARAGRAPH = 4  # sentences


def make_own(data: Path, out: Path) -> tuple[Path, Path]:
    """Write OUT/corpus and OUT/questions.jsonl; returns both."""
    ids = frozenset(row["id"] for row in read_rows(data / "own" / "texts.jsonl"))
    texts = own_rows(data / "own", ids - left_out(data).texts)
    rows, claims = [], []
    for text in texts:
        (language, sentences), *_ = text.text.versions.items()
        name = f"{text.name}_{language}.txt"
        whole = _write(out, name, language, sentences)
        rows += [_row(name, asked.wordings[0], [sentences[i] for i in asked.lines]) for asked in text.asked]
        claims += _claims(name, whole, sentences, text)
    _lines(out / "claims.jsonl", claims)
    return out / "corpus", _lines(out / "questions.jsonl", rows)


def make_news(data: Path, out: Path) -> tuple[Path, Path]:
    """The same of news."""
    random = np.random.default_rng(3)
    spans, _ = parallel_news(data / "news", frozenset())
    kept = left_out(data).documents
    texts = list(news_texts(data / "news", frozenset(spans) - kept))
    languages = sorted(texts[0].text.versions)
    rows: list[dict[str, Any]] = []
    claims: list[dict[str, Any]] = []
    for i, text in enumerate(text for text in texts if text.asked):
        language = languages[int(random.integers(len(languages)))]
        sentences = text.text.versions[language]
        name = f"n{i:02d}_{language}.txt"
        claims += _claims(name, _write(out, name, language, sentences), sentences, text)
        for asked in text.asked:
            wording = asked.wordings[int(random.integers(len(asked.wordings)))]
            rows.append(_row(name, wording, [sentences[line] for line in asked.lines]))
    rows += _elsewhere(list(news_texts(data / "news", kept)), sum(bool(row["answers"]) for row in rows) // 2, random)
    _lines(out / "claims.jsonl", claims)
    return out / "corpus", _lines(out / "questions.jsonl", rows)


def _elsewhere(texts: Sequence[Annotated], most: int, random: np.random.Generator) -> list[dict[str, Any]]:
    """Questions about documents that are not there."""
    asked = [each for text in texts for each in text.asked if each.lines]
    chosen = [asked[i] for i in random.permutation(len(asked))[:most]]
    return [_row("", each.wordings[int(random.integers(len(each.wordings)))], []) for each in chosen]


def _claims(article: str, whole: str, sentences: Sequence[str], text: Annotated) -> list[dict[str, Any]]:
    """Claims as ``verification/statements.jsonl`` has them, each with the lines about its own for a quote."""
    starts: list[int] = []
    ends = [0]
    for sentence in sentences:
        starts.append(whole.index(sentence, ends[-1]))
        ends.append(starts[-1] + len(sentence))
    rows: list[dict[str, Any]] = []

    def add(kind: str, claimed: str, language: str, line: int) -> None:
        quote = {
            "article": article,
            "start": starts[max(0, line - 1)],
            "end": ends[min(len(sentences), line + 2)],
        }
        rows.append({"true_id": f"{text.name}-{n}", "kind": kind, "sentence": claimed, "language": language,
                     "citations": [quote]})  # fmt: skip

    for n, claim in enumerate(text.claims):
        language, true, false = claim.wordings[n % len(claim.wordings)]
        add("true", true, language, claim.line)
        add(claim.change, false, language, claim.line)
        add("citation", true, language, (claim.line + len(sentences) // 2) % len(sentences))
    return rows


def _write(out: Path, name: str, language: str, sentences: Sequence[str]) -> str:
    (out / "corpus").mkdir(parents=True, exist_ok=True)
    space = joined_by(language)
    paragraphs = [space.join(sentences[i : i + _PARAGRAPH]) for i in range(0, len(sentences), _PARAGRAPH)]
    whole = "\n\n".join(paragraphs) + "\n"
    (out / "corpus" / name).write_text(whole, encoding="utf-8")
    return whole


def _row(article: str, question: str, answers: list[str]) -> dict[str, Any]:
    return {"question": question, "articles": [article] if answers else [], "answers": answers}


def _lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    lines = [json.dumps({"id": f"{i}"} | row, ensure_ascii=False) for i, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
