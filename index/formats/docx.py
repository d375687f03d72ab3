"""The words of a Word document: its paragraphs, tables and notes, as they are without tracked deletions."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from index.formats.extracted import MOST_CHARACTERS, Extracted, UnreadableError, tidy

_WORD = re.compile(r"\{http://(?:schemas\.openxmlformats\.org|purl\.oclc\.org/ooxml)/[^}]*\}")
_MAIN = re.compile(r"word/document\d*\.xml")
_NOTES = ("word/footnotes.xml", "word/endnotes.xml")
_MOST_XML = 20 * MOST_CHARACTERS  # bytes: markup takes many times the room of the words
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_GONE = frozenset(("moveFrom", "del", "Fallback"))  # what was deleted, and what repeats a text box for old programs


def extract_docx(raw: bytes) -> Extracted:
    """The text of a document. Raises UnreadableError where it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as parts:
            names = [name for name in parts.namelist() if _MAIN.fullmatch(name)]
            if not names:
                raise UnreadableError("is named like a Word document, but is none")
            wanted = [*names[:1], *(name for name in _NOTES if name in parts.namelist())]
            size = sum(parts.getinfo(name).file_size for name in wanted)
            if size > _MOST_XML:
                raise UnreadableError(f"unpacks to {size:,} bytes, more than {_MOST_XML:,}: split it")
            paragraphs = [said for name in wanted for said in _paragraphs(parts.read(name))]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, KeyError) as error:
        raise UnreadableError(f"is damaged ({' '.join(str(error).split())[:80]})") from error
    return Extracted(tidy("\n\n".join(paragraphs)))


def _paragraphs(xml: bytes) -> Iterator[str]:
    """The paragraphs of a part; those of a text box stand before the one that holds it."""
    from lxml import etree

    try:
        # No entity is put in and nothing is fetched: a Word document needs neither.
        events = etree.iterparse(io.BytesIO(xml), resolve_entities=False, no_network=True, load_dtd=False)
        for _, element in events:
            if _name(element) != "p":
                continue
            if not any(_name(above) in _GONE for above in element.iterancestors()):
                yield "".join(_said(element))
            for child in list(element):
                element.remove(child)  # said once
    except etree.XMLSyntaxError as error:
        raise UnreadableError(f"is damaged ({str(error)[:80]})") from error


def _said(paragraph: Any) -> Iterator[str]:
    hidden: Any = None  # a run that is not shown
    for element in paragraph.iter():
        name = _name(element)
        if name == "r":
            hidden = element if _is_hidden(element) else None
        elif hidden is not None and element.getparent() is hidden:
            continue
        elif name == "t" and not any(_name(above) in _GONE for above in element.iterancestors()):
            yield element.text or ""
        elif name in _SIGNS and _name(element.getparent()) == "r":
            yield _SIGNS[name]


def _is_hidden(run: Any) -> bool:
    for properties in run:
        if _name(properties) == "rPr":
            return any(_name(each) == "vanish" and _on(each) for each in properties)
    return False


def _on(switch: Any) -> bool:
    return not any(_WORD.sub("", str(name)) == "val" and value in ("0", "false") for name, value in switch.items())


def _name(element: Any) -> str:
    """The local name of one of Word's own elements; "" for anything else."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    return tag.rpartition("}")[2] if _WORD.match(tag) else ""
