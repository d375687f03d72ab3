"""At least 300 hostile articles: none executes, none stops the rest, each fault is one clear line by name."""

import html.parser
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import PAYLOADS, TRAPS, damaged_files, in_format
from toy_encoder import ToyEncoder

from index.articles import Article, parse_article
from index.encoding import parse
from index.folder import LeftOut
from index.formats.extracted import MOST_CHARACTERS
from index.formats.guard import Extractor
from index.languages import detect_language
from index.settings import Settings
from index.sync import sync
from qa.answer import Answer, Citation
from qa.page.answers import render_answer
from qa.page.articles import Place, render_article
from qa.page.corpus_view import Row, Wish, render_body
from qa.page.library import LibraryStatus
from qa.page.trash import Deleted
from qa.page.uploads import file_name
from qa.page.words import words

FORMATS = (".txt", ".md", ".html", ".html.escaped", ".docx", ".pdf")
TAGS = frozenset(
    "article header h2 h3 p div span bdi mark time button blockquote ol ul li template figure figcaption svg line rect "
    "text table caption thead tbody tr th td details summary nav".split()
)
NAMES = (
    "a\nb.txt",
    "\u202egnp.txt",
    '"><img src=x onerror=window.__pwned=1>.txt',
    "${x}.txt",
    "{{x}}.md",
    "' onclick='x.txt",
)


class Inspector(html.parser.HTMLParser):
    """Collects what a browser would make of HTML: tags, attributes, text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.said = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.said += data


def check_inert(source: str) -> str:
    """The text of HTML of ours, in which nothing may run or load."""
    found = Inspector(source)
    assert found.tags <= TAGS
    for name, value in found.attributes:
        assert not name.startswith("on") and name not in ("src", "href", "srcdoc", "action"), (name, value)
        assert name != "style" or re.fullmatch(r"inline-size:\d{1,3}%", value), value
    return found.said


def shown_everywhere(article: Article) -> None:
    """Renders an article wherever the page shows one; all of it must be inert, and its words must be whole."""
    here = words("en")
    end = min(len(article.text), 700)
    cited = Citation(
        1, article.name, article.title, article.date, article.language, 0, end, article.text[:end], (0, end), 0.5,
        article.page_at(0),
    )  # fmt: skip
    answer = Answer(article.title, "en", True, f"{article.text[:80]} [1]", 0.9, (cited,), 0.1)
    check_inert(render_answer(answer, here))
    panel = check_inert(render_article(article, Place((0, end), (0, end)), here))
    assert panel.endswith(article.text)
    row = Row(article.name, "ready", article, 1)
    body = check_inert(render_body([row], Wish(), LibraryStatus(), [Deleted("k", article.name, "")], here))
    assert article.name in body and article.title in body


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(30) as shared:
        yield shared


def check_read(name: str, read: Article | LeftOut) -> None:
    """Either an article whose every sentence is an exact piece, or one line."""
    if isinstance(read, LeftOut):
        assert read.name == name
        assert read.reason and read.reason.isprintable() and len(read.reason) < 200
        return
    assert 0 < len(read.text) <= MOST_CHARACTERS and len(read.title) <= 91
    read.text.encode()  # no half of a surrogate pair
    sentences, passages = parse(read)
    assert sentences and passages[-1].last == len(sentences)
    assert all(a.end <= b.start for a, b in itertools.pairwise(sentences))
    assert list(read.pages) == sorted(read.pages) and all(0 <= start <= len(read.text) for start in read.pages)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_injections_stay_words(extractor: Extractor, payload: str, ending: str) -> None:
    name = f"a{ending.removesuffix('.escaped')}"
    read = parse_article(name, in_format(ending, payload), detect_language, extractor)
    assert isinstance(read, Article)
    check_read(name, read)
    shown_everywhere(read)
    if ending in (".txt", ".docx", ".html.escaped"):  # whose words come out as they went in, spaces aside
        assert "".join(payload.split()) in "".join(read.text.split())
    assert "Before it." in read.text


@pytest.mark.parametrize("name", TRAPS)
def test_traps_are_read_or_left_out(extractor: Extractor, name: str) -> None:
    started = time.monotonic()
    read = parse_article(name, TRAPS[name], detect_language, extractor)
    check_read(name, read)
    assert time.monotonic() - started < 100, "no limit held"
    if isinstance(read, Article):
        assert "localhost" not in read.text, "a file of this machine came in"


def damaged(seed: int, cuts: int, flips: int, extractor: Extractor) -> int:
    tried = 0
    for name, raw in damaged_files(seed, cuts, flips):
        check_read(name, parse_article(name, raw, detect_language, extractor))
        tried += 1
    return tried


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_read_or_left_out(extractor: Extractor, seed: int) -> None:
    assert damaged(seed, cuts=5, flips=10, extractor=extractor) == 60


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_damaged_files_are_read_or_left_out(extractor: Extractor, seed: int) -> None:
    assert damaged(seed, cuts=50, flips=150, extractor=extractor) == 800


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_stay_names(name: str) -> None:
    here = words("ar")
    article = Article(name, "Words.", "0", None, "Words.", "en", 0)
    shown_everywhere(article)
    rows = [Row(name, "left_out", reason=f"is {name}"), Row(name, "waiting")]
    check_inert(render_body(rows, Wish(text=name), LibraryStatus(error=name), [Deleted(name, name, name)], here))
    assert "/" not in file_name(f"../../{name}") and file_name(name).isprintable()


def test_one_bad_file_never_stops_the_others(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    small = {name: raw for name, raw in TRAPS.items() if len(raw) < 3_000}
    assert len(small) > 25
    for name, raw in small.items():
        (corpus / name).write_bytes(raw)
    (corpus / "zz.txt").write_text("A good article.")
    report, collection = sync(Settings(corpus=corpus, store=str(tmp_path / "store")), ToyEncoder())
    assert "zz.txt" in collection.articles
    assert len(report.left_out) + len(collection.articles) == len(small) + 1
    assert len({each.name for each in report.left_out}) == len(report.left_out)
