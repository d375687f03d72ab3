"""The process in which files of hostile formats are read: it may be stopped, run out of memory or crash.

It takes, again and again, a line of JSON and the bytes of a file from its standard input, and answers with a line.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from index.formats.extracted import MOST_MEMORY, Extracted, UnreadableError, check_length


def extract_here(kind: str, raw: bytes) -> Extracted:
    """The text of a file, read in this very process. Raises UnreadableError."""
    extracted = _extractor(kind)(raw)
    check_length(extracted.text)
    return extracted


def _extractor(kind: str) -> Callable[[bytes], Extracted]:
    if kind == "pdf":
        from index.formats.pdf import extract_pdf as extract
    elif kind == "docx":
        from index.formats.docx import extract_docx as extract
    elif kind == "html":
        from index.formats.html import extract_html as extract
    elif kind == "markdown":
        from index.formats.markdown import extract_markdown as extract
    else:
        from index.formats.plain import extract_text as extract
    return extract


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # no such limit on this system: time is limited all the same
        pass


def _answer(kind: str, raw: bytes) -> dict[str, Any]:
    try:
        return asdict(extract_here(kind, raw))
    except UnreadableError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": f"needs more than {MOST_MEMORY // 1_000_000:,} MB of memory to be read"}
    except Exception as error:  # noqa: BLE001 - a parser may raise anything over a hostile file
        return {"error": f"is damaged ({type(error).__name__})"}


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not pass for an answer
    _limit_memory()
    while line := sys.stdin.buffer.readline():
        wanted = json.loads(line)
        raw = sys.stdin.buffer.read(wanted["size"])
        answers.write(json.dumps(_answer(wanted["kind"], raw)).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
