"""Text of articles reaches the page as text, and marks stand exactly where the offsets say."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from qa.page.marks import attribute, escape, marked, shaded

_PIECES = (
    "<script>alert(1)</script>", "${1+1}", "{{x}}", "{{{y}}}", "`", "\\", "'\"", "&amp;", "&#13;", "</mark>", "<mark>",
    "<!--", "]]>", "\r\n", "\r", "\n\n", "\t", "مرحبا", "שלום", "\u202e", "😀", "🇦🇱", "日本語", "ç", "words ",
    "\u0301",
)  # fmt: skip
# A parser of HTML may drop U+0000, and text that was decoded holds no surrogates.
_ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
HOSTILE = st.lists(st.one_of(st.sampled_from(_PIECES), st.text(_ANY, max_size=8)), max_size=12).map("".join)
SPANS = st.tuples(st.integers(-5, 120), st.integers(-5, 120))


class Reader(HTMLParser):
    """What a browser would show of some HTML: all text, the text in <mark>, the text in .pc-shade, the tags."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = self.mark = self.shade = ""
        self.tags: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append("shade" if ("class", "pc-shade") in attrs else tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        self.mark += data if "mark" in self._open else ""
        self.shade += data if "shade" in self._open else ""


def _cut(span: tuple[int, int], length: int) -> tuple[int, int]:
    start = max(0, min(span[0], length))
    return start, max(start, min(span[1], length))


@given(HOSTILE)
def test_escaped_text_is_read_back_character_for_character(text: str) -> None:
    read = Reader(escape(text))
    assert (read.text, read.tags) == (text, [])
    assert not set("<>\"'\r") & set(escape(text))


@given(HOSTILE, SPANS)
def test_mark_holds_exactly_the_characters_of_its_span(text: str, span: tuple[int, int]) -> None:
    start, end = _cut(span, len(text))
    for around in ("", "pc-around"):
        read = Reader(marked(text, span, around))
        assert read.text == text
        assert read.mark == text[start:end]
        assert set(read.tags) <= {"mark", "span"}
        assert read.tags.count("mark") == (start < end)


@given(HOSTILE, SPANS, SPANS)
def test_excerpt_is_shaded_around_the_mark(text: str, shade: tuple[int, int], mark: tuple[int, int]) -> None:
    read = Reader(shaded(text, shade, mark))
    start, end = _cut(mark, len(text))
    assert (read.text, read.mark) == (text, text[start:end])
    assert read.mark in read.shade
    left, right = _cut(shade, len(text))
    if left <= start < end <= right:
        assert read.shade == text[left:right]


@given(HOSTILE)
def test_an_attribute_never_ends_early(text: str) -> None:
    read = Reader(f"<b{attribute('title', text)}>in</b>")
    assert (read.text, read.tags) == ("in", ["b"])
