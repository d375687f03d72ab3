"""Training pairs out of the data folders: something asked, and a window of sentences of which one answers it.

Every source gives batches of its own, because the right window must not be known by its language: across languages a
batch holds windows of a few languages only, so that many wrong ones share the language of the right one, and the
asker's language says nothing; a set of a single language is contrasted within itself alone.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from index.sentences import split_sentences

Key = tuple[str, int]  # a document and a line of it, whatever language it stands in

_NO_SPACES = ("zh", "ja", "th", "zho", "jpn", "tha", "cmn", "yue", "wuu", "khm")
_WINDOWS = (0, 0, 200, 350, 500, 800)  # characters of a window in English, or of the text's own language; 0: a sentence
_LANGUAGES = 5  # of the windows of one batch


@dataclass(frozen=True)
class Pair:
    """What is asked, and where it is answered."""

    asked: str
    sentences: tuple[str, ...]  # of the window, in order
    space: str  # between them
    gold: int  # the sentence that answers
    keys: tuple[Key, ...]  # of the sentences
    answered_by: frozenset[Key]  # sentences that must not count as wrong


class Source(Protocol):
    """Makes batches of one kind."""

    def batch(self, size: int, random: np.random.Generator) -> list[Pair]:
        """At most ``size`` pairs."""


class News:
    """Parallel news: a sentence or a question in any language, a window of its document in a few."""

    def __init__(self, folder: Path, left_out: frozenset[str]) -> None:
        self.spans, self.texts = parallel_news(folder, left_out)
        self.questions: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in read_rows(folder / "questions" / "answerable.jsonl"):
            if row["doc"] in self.spans:
                self.questions[row["doc"]].append(row)

    def batch(self, size: int, random: np.random.Generator) -> list[Pair]:
        """Some documents, several lines of each: what is near in subject is told apart."""
        names = list(self.texts)
        chosen = [names[i] for i in random.choice(len(names), _LANGUAGES, replace=False)]
        pairs: list[Pair] = []
        documents = list(self.spans)
        for i in random.permutation(len(documents)):
            pairs += self._of_document(documents[i], chosen, random)
            if len(pairs) >= size:
                break
        return pairs[:size]

    def _of_document(self, document: str, chosen: Sequence[str], random: np.random.Generator) -> Iterator[Pair]:
        first, last = self.spans[document]
        asked: list[tuple[str, int, frozenset[Key]]] = []
        rows = self.questions.get(document, [])
        for i in random.permutation(len(rows))[:4]:
            row = rows[i]
            also = frozenset((document, line) for line in (row["line"], *row["also"]))
            asked.append((one_of(list(row["text"].values()), random), row["line"], also))
        for line in random.permutation(np.arange(first, last))[: 2 if rows else 4].tolist():
            text = self.texts[one_of(list(self.texts), random)][line]
            asked.append((text, line, frozenset({(document, line)})))
        english = [len(text) for text in self.texts["eng"][first:last]]
        for text, line, answers in asked:
            language = one_of(chosen, random)
            begin, end = window(english, line - first, int(one_of(_WINDOWS, random)), random)
            rows_in = range(first + begin, first + end)
            yield Pair(
                text,
                tuple(self.texts[language][row] for row in rows_in),
                joined_by(language),
                line - rows_in.start,
                tuple((document, row) for row in rows_in),
                answers,
            )


class Texts:
    """Texts of our own, each in one language, and questions about them in many."""

    def __init__(self, texts: Mapping[str, tuple[str, Sequence[str]]], asked: Sequence[tuple[str, str, Key]]) -> None:
        """``texts``: language and sentences by name; ``asked``: text and language of a question, what answers it."""
        self.texts = texts
        self.by_language: dict[str, list[tuple[str, str, Key]]] = defaultdict(list)
        for question, language, key in asked:
            self.by_language[texts[key[0]][0]].append((question, language, key))

    def batch(self, size: int, random: np.random.Generator) -> list[Pair]:
        """Few languages of texts; of questions in the same language as their text no more than chance would have."""
        languages = sorted(self.by_language)
        chosen = [languages[i] for i in random.choice(len(languages), min(_LANGUAGES, len(languages)), replace=False)]
        pairs: list[Pair] = []
        for language in chosen:
            rows = self.by_language[language]
            same = [row for row in rows if row[1] == language]
            other = [row for row in rows if row[1] != language]
            most = max(1, size // len(chosen))
            picked = [other[i] for i in random.permutation(len(other))[: most - most // _LANGUAGES]]
            picked += [same[i] for i in random.permutation(len(same))[: most // _LANGUAGES]]
            pairs += [self._pair(question, key, language, random) for question, _, key in picked]
        return pairs

    def _pair(self, question: str, key: Key, language: str, random: np.random.Generator) -> Pair:
        name, line = key
        sentences = self.texts[name][1]
        begin, end = window([len(each) for each in sentences], line, int(one_of(_WINDOWS, random)), random)
        keys = tuple((name, row) for row in range(begin, end))
        return Pair(
            question, tuple(sentences[begin:end]), joined_by(language), line - begin, keys, frozenset({(name, line)})
        )


class Sentences:
    """Tatoeba: short sentences, each side in any of the languages that share its English."""

    def __init__(self, path: Path) -> None:
        self.languages: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in read_rows(path):
            self.languages[row["lang"]].append((row["src"], row["en"]))

    def batch(self, size: int, random: np.random.Generator) -> list[Pair]:
        """Sentences of many languages against their English."""
        pairs: dict[str, Pair] = {}
        names = list(self.languages)
        while len(pairs) < size:
            source, english = one_of(self.languages[one_of(names, random)], random)
            key = (english, 0)
            sides = (source, english) if random.random() < 0.5 else (english, source)
            pairs[english] = Pair(sides[0], (sides[1],), " ", 0, (key,), frozenset({key}))
        return list(pairs.values())


class Reading:
    """A reading set of one language: questions, and windows of the passages that hold their answers."""

    def __init__(self, path: Path, most: int = 4000) -> None:
        rows = [row for row in read_rows(path) if row["answer"] and row["start"] is not None]
        self.rows = rows[:most]
        self.language = rows[0]["lang"].split("-")[0]
        self._split: dict[str, list[tuple[int, int]]] = {}

    def batch(self, size: int, random: np.random.Generator) -> list[Pair]:
        """Half of the batch from one neighbourhood of the file, where passages are of one article."""
        near = int(random.integers(len(self.rows)))
        picked = {(near + i) % len(self.rows) for i in range(0, size, 2)}
        picked |= set(random.choice(len(self.rows), min(len(self.rows), size), replace=False).tolist()[: size // 2])
        pairs = [self._pair(self.rows[i], random) for i in sorted(picked)]
        return [pair for pair in pairs if pair is not None]

    def _pair(self, row: dict[str, Any], random: np.random.Generator) -> Pair | None:
        passage, start = row["passage"], int(row["start"])
        if passage not in self._split:
            self._split[passage] = [(s.start, s.end) for s in split_sentences(passage, self.language)]
        spans = self._split[passage]
        gold = next((i for i, (a, b) in enumerate(spans) if a <= start < b), None)
        if gold is None or passage[start : start + len(row["answer"])] != row["answer"]:
            return None
        begin, end = window([b - a for a, b in spans], gold, int(one_of(_WINDOWS[2:], random)), random)
        keys = tuple((passage, i) for i in range(begin, end))
        sentences = tuple(passage[a:b] for a, b in spans[begin:end])
        return Pair(
            row["question"], sentences, joined_by(self.language), gold - begin, keys, frozenset({(passage, gold)})
        )


def own_texts(path: Path, left_out: frozenset[str]) -> Texts:
    """``own/texts.jsonl`` less the texts kept for measuring."""
    texts: dict[str, tuple[str, Sequence[str]]] = {}
    asked = []
    for row in read_rows(path):
        if row["id"] not in left_out:
            texts[row["id"]] = (row["lang"], row["sentences"])
            asked += [(each["text"], each["lang"], (row["id"], each["line"])) for each in row["q"]]
    return Texts(texts, asked)


def corpora(folder: Path) -> Texts:
    """Our training corpora (``benchmarks/training``), and the answered questions near to them."""
    texts: dict[str, tuple[str, Sequence[str]]] = {}
    asked = []
    near = [row for row in read_rows(folder / "unanswerable" / "pairs.jsonl") if row["answerable"]]
    for articles in sorted(folder.glob("*/articles")):
        corpus = articles.parent.name
        for path in sorted(articles.glob("*.txt")):
            text, language = path.read_text(encoding="utf-8"), path.stem.split("_")[1]
            spans = split_sentences(text, language, 0)
            texts[f"{corpus}/{path.name}"] = (language, [text[s.start : s.end] for s in spans])
        own = read_rows(articles.parent / "pairs.jsonl")
        for row in [*own, *(row for row in near if row["corpus"] == corpus)]:
            name = f"{corpus}/{row['article']}"
            lines = [i for i, sentence in enumerate(texts[name][1]) if row["answer"] in sentence]
            same = [i for i in lines if row["sentence"] in texts[name][1][i] or texts[name][1][i] in row["sentence"]]
            if same:
                asked.append((row["question"], row["language"], (name, same[0])))
    return Texts(texts, asked)


def parallel_news(folder: Path, left_out: frozenset[str]) -> tuple[dict[str, tuple[int, int]], dict[str, list[str]]]:
    """First line and last (exclusive) of each document, and the lines of all of them by language."""
    names = (folder / "ntrex" / "DOCUMENT_IDS.tsv").read_text(encoding="utf-8").splitlines()
    rows: dict[str, list[int]] = defaultdict(list)
    for i, document in enumerate(names):
        if document.strip() not in left_out:
            rows[document.strip()].append(i)
    spans = {document: (own[0], own[-1] + 1) for document, own in rows.items()}
    return spans, {path.stem: _lines(path) for path in sorted((folder / "ntrex").glob("*.txt"))}


@dataclass(frozen=True)
class LeftOut:
    """What no training sees, so that it can be measured on."""

    documents: frozenset[str]  # of the news
    texts: frozenset[str]  # of our own


def left_out(data: Path) -> LeftOut:
    """One text and one document in eight, and the documents without questions, which are others' to measure on."""
    asked = [row["doc"] for row in read_rows(data / "news" / "questions" / "answerable.jsonl")]
    lines = (data / "news" / "ntrex" / "DOCUMENT_IDS.tsv").read_text(encoding="utf-8").splitlines()
    documents = kept_back(asked) | ({line.strip() for line in lines} - set(asked))
    return LeftOut(documents, kept_back([row["id"] for row in read_rows(data / "own" / "texts.jsonl")]))


def kept_back(names: Sequence[str]) -> frozenset[str]:
    """One name in eight, spread evenly: what no training sees, so that it can be measured on."""
    return frozenset(name for i, name in enumerate(sorted(set(names))) if i % 8 == 5)


def window(lengths: Sequence[int], line: int, longest: int, random: np.random.Generator) -> tuple[int, int]:
    """A run of sentences around ``line`` of about ``longest`` characters, the line anywhere in it."""
    begin, end, size = line, line + 1, lengths[line]
    while True:
        sides = [side for side, there in (("left", begin > 0), ("right", end < len(lengths))) if there]
        if not sides:
            return begin, end
        side = one_of(sides, random)
        size += lengths[begin - 1] if side == "left" else lengths[end]
        if size > longest:
            return begin, end
        begin, end = (begin - 1, end) if side == "left" else (begin, end + 1)


def one_of(of: Sequence[Any], random: np.random.Generator) -> Any:
    """One of them, each as likely."""
    return of[int(random.integers(len(of)))]


def joined_by(language: str) -> str:
    """What stands between the sentences of a language."""
    return "" if language.split("-")[0] in _NO_SPACES else " "


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSONL file, packed or not."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    return [json.loads(line) for line in text.split("\n") if line]
