"""Reads a folder of articles through the cache of what was read before: an unchanged file costs a look at its times."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from index.articles import Article, parse_article, read_bytes
from index.errors import UserError
from index.folder import Found, LeftOut, scan, shown
from index.formats.guard import Extractor
from index.languages import detect_language
from index.texts import TextCache, key_for

Progress = Callable[[str, int, int], None]  # stage, done, total


@dataclass(frozen=True)
class Reading:
    """The articles of a folder, sorted by name, and what was left out."""

    articles: list[Article]
    left_out: list[LeftOut]
    parsed: int  # files that had to be parsed


def read_folder(
    folder: Path, cache: TextCache, progress: Progress | None = None, *, anew: bool = False, allow_empty: bool = False
) -> Reading:
    """Every article of a folder; with ``anew``, nothing that was read before is believed.

    Raises UserError where the folder does not exist, cannot be read or, unless ``allow_empty``, holds no article: that
    is what one looks like whose disk is not there. The cache then keeps all it has.
    """
    found = scan(folder)
    reading = Reading([], list(found.left_out), 0)
    keys: list[str] = []
    with Extractor() as extractor:
        for done, file in enumerate(found.files):
            if progress:
                progress("reading", done, len(found.files))
            known = None if anew else cache.known(file)
            key, read = (cache.key_of(file), known) if known else _read(file, cache, extractor, anew=anew)
            keys.append(key)
            if isinstance(read, Article):
                reading.articles.append(read)
            else:
                reading.left_out.append(read)
        if not reading.articles and not allow_empty:
            raise UserError(_nothing(folder, reading.left_out))
        cache.finish(found.files, keys)
        return Reading(reading.articles, sorted(reading.left_out, key=lambda each: each.name), extractor.read)


def _nothing(folder: Path, left_out: list[LeftOut]) -> str:
    why = f"; left out: {left_out[0].name!r} {left_out[0].reason}" if left_out else ""
    return (
        f"the folder {shown(str(folder))!r} holds no article{why}: put articles there, or give another --corpus "
        "(what was indexed of it is kept; --allow-empty says that the folder is meant to be empty)"
    )


def _read(file: Found, cache: TextCache, extractor: Extractor, *, anew: bool) -> tuple[str, Article | LeftOut]:
    """The key of a file's content and what it holds; parsed only where the content is new."""
    raw = read_bytes(file.name, file.path)
    if isinstance(raw, LeftOut):
        return "", raw
    key = key_for(file.name, raw)
    read = None if anew else cache.get(file.name, key)
    if read is None:
        read = parse_article(file.name, raw, detect_language, extractor)
        cache.put(key, read)
    cache.remember(file, key)
    return key, read
