"""Names and contents of files that are put among the articles through the page."""

import os
import re
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from index.articles import Article, parse_article
from index.errors import UserError
from index.formats.extracted import MOST_BYTES
from index.formats.kinds import ENDINGS
from index.languages import detect_language

ACCEPTED = ",".join(ENDINGS)
_LONGEST = 200  # bytes of a name; file systems take 255
_FORBIDDEN = re.compile(r'[<>:"|?*\\/]')  # in names on some system or other


def file_name(asked: str) -> str:
    """The name under which an upload is kept: its last part, without what no name should hold.

    Raises UserError for a kind of file that is not read.
    """
    last = re.split(r"[/\\]", asked)[-1]
    plain = unicodedata.normalize("NFC", "".join(c if c.isprintable() else " " for c in last))
    clean = " ".join(_FORBIDDEN.sub("_", plain).split()).lstrip(".")
    stem, ending = clean.rpartition(".")[0], PurePosixPath(clean).suffix.lower()
    if ending not in ENDINGS:
        raise UserError(f"{clean or 'the file'}: is none of the kinds that are read: {', '.join(ENDINGS)}")
    short = stem.encode()[: _LONGEST - len(ending)].decode(errors="ignore").rstrip(" .")
    return f"{short or 'article'}{ending}"


def check_content(name: str, content: bytes) -> Article:
    """The article in an upload. Raises UserError where there is none."""
    read = parse_article(name, content, detect_language)
    if not isinstance(read, Article):
        raise UserError(f"{name}: {read.reason}")
    return read


def too_large(name: str) -> UserError:
    """What is said of a file that is larger than any may be."""
    return UserError(f"{name}: has more than {MOST_BYTES:,} bytes: split it")


def write_whole(path: Path, content: bytes, make_way: Callable[[], object]) -> None:
    """Write a file so that nobody ever sees a part of it; ``make_way`` is called once it only has to be put in place.

    Raises OSError; then nothing has changed.
    """
    handle, temporary = tempfile.mkstemp(prefix=".polycite-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(0o644)
        make_way()
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
