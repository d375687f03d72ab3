"""From use to test: a reader's judgement of an answer becomes a line of a question file."""

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from index.settings import Settings
from qa.answer import Answer, Citation
from qa.page.browsers import shelf_name
from qa.page.marks import attribute, clamp, escape
from qa.page.words import Words

ADDRESS = "page/feedback.jsonl"
_WRITING = threading.Lock()


@dataclass(frozen=True)
class Rating:
    """What a reader thinks of an answer, and what became of it."""

    judged: Literal["", "right", "wrong"] = ""
    kept: Literal["", "kept", "failed"] = ""


NOT_RATED = Rating()


def feedback_file(settings: Settings, cookies: Mapping[str, str]) -> Path | None:
    """Where a browser's test questions about this corpus are kept; None without its cookie."""
    shelf = shelf_name(cookies, settings)
    return settings.data_folder / "feedback" / f"{shelf}.jsonl" if shelf else None


def ratings_file(settings: Settings, cookies: Mapping[str, str]) -> Path | None:
    """Where a browser's thumbs are kept; None without its cookie."""
    file = feedback_file(settings, cookies)
    return file.with_suffix(".ratings.jsonl") if file else None


def keep(file: Path, answer: Answer, citation: int) -> None:
    """Appends an answer's question; ``citation`` is the number of the right one, 0 where none is. Raises OSError."""
    _append(file, as_test_question(answer, citation))


def judge(file: Path, answer: Answer, rating: Rating) -> None:
    """Appends a thumb with the answer it is about; "" where it was taken back. Raises OSError."""
    _append(file, {"at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "judged": rating.judged} | answer.as_json())


def _append(file: Path, value: Mapping[str, Any]) -> None:
    line = json.dumps(value, ensure_ascii=False) + "\n"
    with _WRITING:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8", newline="\n") as out:
            out.write(line)


def as_test_question(answer: Answer, citation: int) -> dict[str, Any]:
    """The object of a question file: article and sentence of the right citation, or two empty lists."""
    right = next((cited for cited in answer.citations if cited.n == citation), None)
    sentence = _sentence(right) if right else ""
    return {
        "id": f"chat-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
        "question": answer.question,
        "language": answer.language or None,
        "articles": [right.article] if right and sentence else [],
        "answers": [sentence] if sentence else [],
    }


def render_rating(answer: Answer, rating: Rating, words: Words) -> str:
    """Thumbs, and once they are given what it takes to make a test question of it."""
    if rating.kept == "kept":
        link = f'<a class="pc-link" href="{ADDRESS}" download>{escape(words.say("fb_download"))}</a>'
        return _row(f'<span class="pc-rate-kept">{escape(words.say("fb_kept"))}</span>{link}', words)
    thumbs = _thumb("right", rating, words) + _thumb("wrong", rating, words)
    more = _make(answer, rating, words) if rating.judged else ""
    fault = f'<span class="pc-error" role="alert">{escape(words.say("fb_failed"))}</span>' if rating.kept else ""
    return _row(f'<span class="pc-rate-ask">{escape(words.say("fb_ask"))}</span>{thumbs}{more}{fault}', words)


def _row(inside: str, words: Words) -> str:
    return f'<div class="pc-rate"{attribute("lang", words.language)}{attribute("dir", words.direction)}>{inside}</div>'


def _thumb(judged: str, rating: Rating, words: Words) -> str:
    name = words.say("fb_up" if judged == "right" else "fb_down")
    pressed = "true" if rating.judged == judged else "false"
    names = attribute("aria-label", name) + attribute("title", name)
    return (
        f'<button type="button" class="pc-thumb pc-thumb-{judged}" data-judged="{judged}" aria-pressed="{pressed}"'
        f"{names}></button>"
    )


def _make(answer: Answer, rating: Rating, words: Words) -> str:
    """The button; an answer that is wrong lets the reader say what is right."""
    # One citation is right in an answer that is; nothing was in one that was rightly declined.
    right = answer.citations[0].n if answer.answered and answer.citations else 0
    choice = ""
    if rating.judged == "wrong":
        right = 0 if answer.answered or not answer.citations else answer.citations[0].n
        options = [(0, words.say("fb_none"))]
        options += [(c.n, f"{c.n} · {c.title}") for c in answer.citations if _sentence(c)]
        shown = "".join(
            f"<option{attribute('value', n)}{' selected' if n == right else ''}>{escape(text)}</option>"
            for n, text in options
        )
        choice = f'<select class="pc-choice"{attribute("aria-label", words.say("fb_what"))}>{shown}</select>'
    button = f'<button type="button" class="pc-keep-question"{attribute("data-right", right)}>'
    return f"{choice}{button}{escape(words.say('fb_make'))}</button>"


def _sentence(citation: Citation) -> str:
    """The highlighted sentence, as far as it stands in the excerpt."""
    at = (citation.highlight[0] - citation.start, citation.highlight[1] - citation.start)
    start, end = clamp(at, len(citation.text))
    return citation.text[start:end].strip()
