"""The words of an HTML page that a reader would see, in paragraphs."""

import re
from typing import Any

from index.formats.extracted import Extracted, UnreadableError, date_in, tidy
from index.formats.plain import decoded

_UNSEEN = frozenset(
    "script style template noscript head svg math iframe object embed applet canvas audio video map select datalist "
    "button textarea input nav dialog frameset".split()
)
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol p pre section summary table tbody tfoot thead "
    "tr ul".split()
)
_HIDDEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_DATES = ("article:published_time", "date", "dc.date", "dcterms.date", "datepublished", "pubdate")
_SPACE = re.compile(r"\s+")


def extract_html(raw: bytes) -> Extracted:
    """The text of a page, its title and its date. Raises UnreadableError for what is no text."""
    return from_markup(decoded(raw, declared=True))


def from_markup(markup: str) -> Extracted:
    """The same of a page that is already decoded. Raises UnreadableError where its elements are nested too deeply."""
    from lxml import etree

    # Nothing is fetched, and no entity but HTML's own is known.
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8", huge_tree=True)
    root = etree.fromstring(markup.encode("utf-8", "replace"), parser) if markup.strip() else None
    if any("Excessive depth" in said.message for said in parser.error_log):
        raise UnreadableError("is nested too deeply: its words cannot be told from its markup")
    if root is None:
        return Extracted("")
    meta = _meta(root)
    title = meta.get("og:title") or _words(root.findtext(".//title"))
    date = next((date for name in _DATES if (date := date_in(meta.get(name)))), None)
    return Extracted(tidy("".join(_pieces(root))), title=title or None, date=date)


def _meta(root: Any) -> dict[str, str]:
    """What the page says of itself, by lower-case name."""
    found: dict[str, str] = {}
    for element in root.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or ""
        found.setdefault(name.lower(), _words(element.get("content")))
    return found


def _words(text: str | None) -> str:
    return tidy(_SPACE.sub(" ", text or ""))


def _pieces(root: Any) -> list[str]:
    """The visible text in order, with line breaks where blocks begin and end. Not recursive: pages may be deep."""
    from lxml import etree

    pieces: list[str] = []
    unseen = verbatim = 0  # how many such elements are open

    def say(text: str | None) -> None:
        if text and not unseen:
            pieces.append(text if verbatim else _SPACE.sub(" ", text))

    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else "script"
        gone, step = _is_unseen(tag, element), 1 if event == "start" else -1
        if event == "start":
            pieces.append(_break(tag))
        unseen, verbatim = unseen + step * gone, verbatim + step * (tag == "pre")
        if event == "start":
            say(element.text)
        else:
            pieces.append("" if tag == "br" else _break(tag))
            say(element.tail)
    return pieces


def _is_unseen(tag: str, element: Any) -> bool:
    return tag in _UNSEEN or element.get("hidden") is not None or bool(_HIDDEN.search(element.get("style") or ""))


def _break(tag: str) -> str:
    if tag in _BLOCKS:
        return "\n\n"
    return {"br": "\n", "td": " ", "th": " "}.get(tag, "")
