"""Coverage-guided fuzzing of the parsers with atheris: ``python tests/coverage_fuzz.py TARGET -runs=10000``.

Atheris is no dependency: install it where there is a wheel of it. ``test_coverage_fuzz.py`` runs all targets.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["index", "qa"]):
    from index.articles import parse_article
    from index.errors import UserError
    from index.passages import group_passages
    from index.sentences import split_blocks, split_sentences
    from qa.dates import periods
    from qa.doors.messages import check_message, named_session
    from qa.doors.names import Names
    from qa.doors.sessions import Sessions
    from qa.doors.users import Users, read_users
    from qa.evaluation.questions import read_questions
    from qa.page.marks import shaded
    from qa.page.requests import parse_ask

FOLDER = Path(tempfile.mkdtemp())


def sentences(data: bytes) -> None:
    """Every character that is no space in one sentence, every sentence in one passage."""
    text = data.decode("utf-8", "replace")
    for language in ("en", "sl", "el"):
        spans = split_sentences(text, language)
        assert sum(not c.isspace() for c in text) == sum(
            not c.isspace() for span in spans for c in text[span.start : span.end]
        )
        passages = group_passages(spans, split_blocks(text))
        assert sum(passage.last - passage.first for passage in passages) == len(spans)


def dates(data: bytes) -> None:
    """Only months that there are."""
    for period in periods(data.decode("utf-8", "replace"), ("en", "sl", "ru"), 202406):
        assert period.since <= period.until and 1 <= period.since % 100 <= 12


def requests(data: bytes) -> None:
    """A request or one line."""
    _one_line(lambda: parse_ask(data))


def questions(data: bytes) -> None:
    """A question file of any kind, or one line."""
    kind = (".jsonl", ".json", ".csv", ".tsv")[data[0] % 4 if data else 0]
    file = FOLDER / f"questions{kind}"
    file.write_bytes(data[1:])
    _one_line(lambda: read_questions(file))


def articles(data: bytes) -> None:
    """An article or a reason."""
    assert parse_article("x", data[:400], lambda text: "en")


def doors(data: bytes) -> None:
    """Users, cookies, names and messages."""
    file = FOLDER / "users"
    file.write_bytes(data)
    _one_line(lambda: read_users(file))
    text = data.decode("latin-1")
    assert Sessions(bytes(32), Users({"": ""}), ()).name_of(text) is None
    names = Names("127.0.0.1")
    assert names.holds(text) in (True, False) and names.trusts(text, text) in (True, False)
    _one_line(lambda: check_message(data, {1}))
    _one_line(lambda: named_session("/gradio_api/queue/data", data))


def spans(data: bytes) -> None:
    """Marked text shows the text, whatever the offsets."""
    import html
    import re

    given = atheris.FuzzedDataProvider(data)
    at = [given.ConsumeIntInRange(-5, 60) for _ in range(4)]
    text = given.ConsumeUnicodeNoSurrogates(60)
    shown = shaded(text, (at[0], at[1]), (at[2], at[3]))
    assert html.unescape(re.sub(r'</?mark>|<span class="pc-shade">|</span>', "", shown)) == html.unescape(
        html.escape(text)
    )


def _one_line(parse: Callable[[], object]) -> None:
    try:
        parse()
    except UserError as error:
        assert str(error) and "\n" not in str(error)
        json.dumps(str(error))


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (sentences, dates, requests, questions, articles, doors, spans)
}

if __name__ == "__main__":
    chosen = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, chosen)
    atheris.Fuzz()
