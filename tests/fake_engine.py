"""A scripted engine for tests of the page: no encoder, no index, answers that are known beforehand."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.articles import Article, list_files, read_article
from index.errors import UserError
from index.folder import LeftOut
from index.settings import SEEDS, Settings
from qa.answer import LONGEST_QUESTION, Answer, Citation

HOSTILE = "zz_hostile.txt"
LONG = "zz_long.txt"
_HOSTILE_TEXT = (
    'The <img src=x onerror="window.__pwned=1"> title ${window.__pwned=2} {{constructor}}\n\n'
    "Before. <script>window.__pwned=3</script> The hostile sentence says ${1+1}, {{7*7}}, \\u003c \"quotes\" & 'more' "
    "</mark></blockquote><svg onload=window.__pwned=4> \U0001f600 مرحبا ]]> <!-- end. After <b>bold</b>.\r\n"
    'Last "line".\n'
)
_GIFTS = (
    ("004_d3aeb010e0d73a70.txt", "Dhuratat e Putinit", "një set çaji."),
    ("004_d3aeb010e0d73a70.txt", "Presidenti Vladimir Putin i dhuroi", "vizitës së tij në Phenian."),
    ("002_e05fb4bfbdb8159e.txt", "Shoigu i dha liderit korean një letër", "mediat koreano-veriore."),
    ("001_1977e9eac9134f9c.txt", "Ruskega kolega je označil", "glede vojne v Ukrajini."),
)
_LAVROV = (
    ("003_9e4a11ebb3bf0955.txt", "Në nisje të takimit, Sergei Lavrov", "udhëheqësve të dy shteteve."),
    ("003_9e4a11ebb3bf0955.txt", "“Ne do të shfrytëzojmë", "tha Choe."),
)
# What a question must hold -> the articles, and the beginnings and ends of the sentences in them, that are cited.
SCRIPT = {
    "gifts": _GIFTS,
    "لافروف": _LAVROV,
    "hostile": ((HOSTILE, "The hostile sentence", "<!-- end."),),
    "long": ((LONG, "The needle lies", "a long article."),),
}
_NEAREST = _GIFTS[2:]
_LANGUAGES = {"001": "sl", "zz_": "en"}


@dataclass
class FakeEngine:
    """Answers by ``SCRIPT``; anything else is declined.

    ``asked`` records every question with its history, but for sentences of the articles: with those the page finds out
    what it may suggest.
    """

    settings: Settings
    articles: Mapping[str, Article]
    delay: float = 0.0
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def ask(
        self, question: str, *, history: Sequence[str] = (), language: str | None = None, since: str | None = None,
        until: str | None = None, top: int = 5, plain: bool = False,
    ) -> Answer:  # fmt: skip
        """The scripted answer."""
        if len(question) > LONGEST_QUESTION:
            raise UserError(f"the question is too long: ask it in at most {LONGEST_QUESTION} characters")
        if "explode" in question:
            raise RuntimeError("as asked")
        if not self._said(question):
            self.asked.append((question, tuple(history)))
        time.sleep(self.delay)
        found = next((cited for word, cited in SCRIPT.items() if word in question.lower()), self._said(question))
        cited = (found or _NEAREST)[:top]
        citations = tuple(_cite(n, self.articles[name], *ends) for n, (name, *ends) in enumerate(cited, 1))
        said = "\n".join(f"{' '.join(_sentence(c).split())} [{c.n}]" for c in citations[:2]) if found else ""
        return Answer(question, _language_of(question), bool(found), said, 0.87 if found else 0.12, citations, 0.034)

    def stream(self, question: str, *, cancel: threading.Event | None = None, **options: Any) -> Iterator[Answer]:
        """The same as it grows: at once."""
        yield self.ask(question, **options)

    def _said(self, question: str) -> tuple[tuple[str, str, str], ...]:
        """Where an article says just what is asked, on one line."""
        return tuple((name, question, question) for name, a in self.articles.items() if question in a.text)[
            : len(question) > 25
        ]


def fake_articles(folder: Path = SEEDS) -> dict[str, Article]:
    """The articles of a folder, and two of the tests' own: a hostile one and a long one."""
    found = {}
    for name, path in list_files(folder):
        article = read_article(name, path, lambda text: "sq")
        assert not isinstance(article, LeftOut)
        found[name] = _with_language(article)
    for name, text in ((HOSTILE, _HOSTILE_TEXT), (LONG, _long_text())):
        found[name] = Article(name, text, "0" * 64, None, text.split("\n", 1)[0][:90], "en", 0)
    return found


def opener(
    engines: list[FakeEngine], hold: Callable[[], object] = lambda: None
) -> Callable[[Settings, Callable[[str, int, int], None]], FakeEngine]:
    """An ``open_engine`` that reports two stages, waits for ``hold`` and leaves the engine in ``engines``."""

    def open_engine(settings: Settings, progress: Callable[[str, int, int], None]) -> FakeEngine:
        progress("encoder", 0, 0)
        progress("indexing", 3, 5)
        hold()
        engines.append(FakeEngine(settings, fake_articles()))
        return engines[-1]

    return open_engine


def _cite(n: int, article: Article, first: str, last: str) -> Citation:
    """A citation of the sentence from ``first`` to ``last``, with whole words of about 150 characters around it."""
    start = article.text.index(first)
    end = article.text.index(last, start) + len(last)
    left = article.text.find(" ", max(article.body, start - 150)) + 1 if start - 150 > article.body else article.body
    right = article.text.rfind(" ", end, end + 150) if end + 150 < len(article.text) else len(article.text)
    return Citation(
        n, article.name, article.title, article.date, article.language, left, right, article.text[left:right],
        (start, end), 0.7 - n / 100,
    )  # fmt: skip


def _sentence(citation: Citation) -> str:
    return citation.text[citation.highlight[0] - citation.start : citation.highlight[1] - citation.start]


def _with_language(article: Article) -> Article:
    return Article(**{**vars(article), "language": _LANGUAGES.get(article.name[:3], "sq")})


def _language_of(question: str) -> str:
    if re.search(r"[\u0600-\u06ff]", question):
        return "ar"
    return "de" if re.search(r"\b(wer|was|wie|ist)\b", question.lower()) else "en"


def _long_text() -> str:
    """About a million characters, with a sentence of its own at seven tenths."""
    lines = [f"Paragraph {n}: nothing to see in this one, but it goes on for a while.\n\n" for n in range(14_000)]
    lines.insert(9_800, "A line before. The needle lies here, deep in a long article. A line after.\n\n")
    return "".join(lines)
