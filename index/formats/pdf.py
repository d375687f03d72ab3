"""The words of a PDF, page by page: lines of print joined to paragraphs, running heads and page numbers left out."""

import io
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from index.formats.extracted import MOST_PAGES, Extracted, UnreadableError, tidy

# Ligatures, the shapes of Arabic and Hebrew letters, and radicals that stand for characters: as print has them.
_SHAPES = re.compile("[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufb4f\ufb50-\ufdf2\ufe70-\ufefc\u2f00-\u2fd5]+")
_PAGE_NUMBER = re.compile(r"\W*(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|of)\s*\d{1,4})?\W*", re.IGNORECASE)
_ENDS = re.compile(r"[.!?…:;。！？।॥؟۔።។][\"'”’»)\]]*$")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_FULL = 0.7  # of the usual width: a line that is shorter ends its paragraph
_EDGES = 2  # lines at the head and at the foot of a page that may be running heads


def extract_pdf(raw: bytes) -> Extracted:
    """The text of a PDF. Raises UnreadableError where it cannot be read."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("has a password: take it out")
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise UnreadableError(f"has {count:,} pages, more than {MOST_PAGES:,}: split it")
        pages = [_lines(page.extract_text()) for page in reader.pages]
    except (DependencyError, FileNotDecryptedError) as error:
        raise UnreadableError("is encrypted: take the password out") from error
    except LimitReachedError as error:
        raise UnreadableError("unpacks to more than a PDF may hold") from error
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OSError) as error:
        # A damaged file breaks the parser anywhere.
        raise UnreadableError(f"is damaged ({' '.join(str(error).split())[:80] or type(error).__name__})") from error
    found = join_pages(pages)
    if not found.text:
        raise UnreadableError("holds no text: if it is scanned, run it through text recognition (OCR) first")
    return found


def _lines(page: str) -> list[str]:
    """The lines of a page, letters as they are written and not as they are printed."""
    plain = _SHAPES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), page)
    return [line for line in (" ".join(tidy(line).split()) for line in plain.split("\n")) if line]


def join_pages(pages: Sequence[Sequence[str]]) -> Extracted:
    """One text out of lines by page. A sentence that goes over to the next page holds together."""
    kept = [list(page) for page in pages]
    for _ in range(_EDGES):
        _drop_running_lines(kept, 0)
        _drop_running_lines(kept, -1)
    text, starts = "", []
    for lines in kept:
        body = _paragraphs(lines)
        if text and body:
            text += " " if body[0].islower() or (not _ENDS.search(text) and not body[0].isupper()) else "\n\n"
        starts.append(len(text))
        text += body
    return Extracted(text, tuple(starts))


def _drop_running_lines(pages: list[list[str]], place: int) -> None:
    """Take away the first (0) or last (-1) line of each page where it is a page number or the same on most pages."""
    edges = [re.sub(r"\d+", "0", page[place]) if len(page) > 1 else "" for page in pages]
    common = {line for line, n in Counter(filter(None, edges)).items() if n > 2 and n > len(pages) / 2}
    for page, edge in zip(pages, edges, strict=True):
        if edge and (edge in common or _PAGE_NUMBER.fullmatch(page[place])):
            del page[place]


def _paragraphs(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    usual = sorted(map(len, lines))[int(0.9 * (len(lines) - 1))]
    text, before = lines[0], lines[0]
    for line in lines[1:]:
        ends = len(before) < _FULL * usual and (bool(_ENDS.search(before)) or not line[0].islower())
        text = f"{text}\n\n{line}" if ends else _joined(text, line)
        before = line
    return text


def _joined(text: str, line: str) -> str:
    """A line and the next one of the same paragraph; a word that was parted is made whole."""
    if text.endswith("\u00ad"):
        return text[:-1] + line
    if text.endswith("-") and text[-2:-1].isalpha() and line[0].islower():
        return text[:-1] + line
    return f"{text}{'' if _WIDE.match(text[-1]) and _WIDE.match(line) else ' '}{line}"
