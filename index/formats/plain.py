"""Plain text in any encoding."""

import codecs
import re

from index.formats.extracted import MOST_CHARACTERS, Extracted, UnreadableError

_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_DECLARED = re.compile(rb"""<meta\s[^>]*charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_LARGEST = 4 * MOST_CHARACTERS  # bytes that so many characters can take


def extract_text(raw: bytes) -> Extracted:
    """The file as it stands. Raises UnreadableError for what is no text."""
    return Extracted(decoded(raw))


def decoded(raw: bytes, *, declared: bool = False) -> str:
    """The text of a file; with ``declared``, the encoding that an HTML file names goes before a guess.

    Raises UnreadableError for what is no text, or far too much of it.
    """
    if len(raw) > _LARGEST:
        raise UnreadableError(f"holds {len(raw):,} bytes of text, more than {_LARGEST:,}: split it")
    text = decode(raw, _declared(raw) if declared else None)
    if text is None:
        raise UnreadableError("is not text")
    return text


def decode(raw: bytes, wanted: str | None = None) -> str | None:
    """UTF-8 (a byte order mark is dropped), else ``wanted``, else the most likely encoding; None for binary."""
    if not raw.startswith(_WIDE_BOMS):
        if b"\0" in raw:
            return None
        for encoding in filter(None, ("utf-8-sig", wanted)):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                continue
    from charset_normalizer import from_bytes

    best = from_bytes(raw).best()
    return None if best is None else str(best)


def _declared(raw: bytes) -> str | None:
    """The encoding that a page names in its head, where Python knows it."""
    found = _DECLARED.search(raw[:4096])
    if not found:
        return None
    try:
        known = codecs.lookup(found[1].decode("ascii"))
    except (LookupError, UnicodeDecodeError):
        return None
    # Others, such as "zip", turn bytes into bytes, or, such as "idna", are no encodings of texts.
    return known.name if known._is_text_encoding and known.name not in ("idna", "punycode", "undefined") else None
