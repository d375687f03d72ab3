"""Which format a file is in: as its content shows, where it does, else as its name says."""

from pathlib import PurePosixPath

from index.formats.extracted import Kind, UnreadableError

ENDINGS: dict[str, Kind] = {
    ".txt": "text", ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".xhtml": "html",
    ".docx": "docx", ".pdf": "pdf",
}  # fmt: skip
_OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # also what a Word file becomes when it is given a password
_ZIP = b"PK\x03\x04"


def kind_of(name: str, raw: bytes) -> Kind:
    """The format; anything that is not one of the others passes for text.

    Raises UnreadableError where name and content do not go together.
    """
    named = ENDINGS.get(PurePosixPath(name).suffix.lower(), "text")
    if raw.startswith(b"%PDF-") or (named == "pdf" and b"%PDF-" in raw[:1024]):
        return "pdf"
    if raw.startswith(_ZIP) and (named == "docx" or b"word/" in raw[:4096]):
        return "docx"
    if raw.startswith(_OLD_WORD):
        raise UnreadableError("is an old Word file, or has a password: save it as .docx without one")
    if named == "pdf":
        raise UnreadableError("is named like a PDF, but is none")
    if named == "docx":
        raise UnreadableError("is named like a Word document, but is none")
    return named
