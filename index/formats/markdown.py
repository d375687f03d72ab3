"""The words of a Markdown file without its marks: rendered, and read as the page it becomes."""

import re

from index.formats.extracted import Extracted, date_in
from index.formats.html import from_markup
from index.formats.plain import decoded

_FRONT = re.compile(r"\A---[ \t]*\n(.{0,10000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(title|date)[ \t]*:[ \t]*(.*)$", re.MULTILINE | re.IGNORECASE)


def extract_markdown(raw: bytes) -> Extracted:
    """The text of a file; title and date out of its front matter. Raises UnreadableError for what is no text."""
    from markdown_it import MarkdownIt

    text = decoded(raw).replace("\r\n", "\n")
    front = _FRONT.match(text)
    fields = {name.lower(): value.strip().strip("\"'") for name, value in _FIELD.findall(front[1])} if front else {}
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    found = from_markup(parser.render(text[front.end() :] if front else text))
    return Extracted(found.text, title=fields.get("title") or None, date=date_in(fields.get("date")))
