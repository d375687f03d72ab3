"""What questions of a chat are narrowed down to: a language, a span of months. Shown as chips above the question."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from index.articles import Article
from qa.page.facts import date_shown, language_name
from qa.page.marks import attribute, escape
from qa.page.opening import Options
from qa.page.words import Words

_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True)
class Narrowing:
    """Which articles may be cited; None leaves it open."""

    language: str | None = None  # ISO 639
    since: str | None = None  # YYYY-MM, inclusive
    until: str | None = None

    def __bool__(self) -> bool:
        return bool(self.language or self.since or self.until)

    @property
    def options(self) -> Options:
        """The same as options of a question."""
        return Options(language=self.language, since=self.since, until=self.until)

    def without(self, part: str) -> "Narrowing":
        """The same with one part left open."""
        return replace(self, **{part: None}) if part in vars(self) else self

    def admits(self, article: Article) -> bool:
        """Whether an article may be cited; just as the engine sees it."""
        month = (article.date or "")[:7]
        return (
            self.language in (None, article.language)
            and (not self.since or month >= self.since)
            and (not self.until or "" < month <= self.until)
        )


EVERYTHING = Narrowing()


def parse_narrowing(given: object) -> Narrowing:
    """What a browser sent; whatever is not as it should be is left open."""
    fields: Mapping[object, object] = given if isinstance(given, Mapping) else {}

    def matching(name: str, pattern: re.Pattern[str]) -> str | None:
        value = fields.get(name)
        return value if isinstance(value, str) and pattern.fullmatch(value) else None

    return Narrowing(matching("language", _LANGUAGE), matching("since", _MONTH), matching("until", _MONTH))


def narrowed(articles: Iterable[Article], narrowing: Narrowing) -> list[Article]:
    """The articles that may be cited."""
    return [article for article in articles if narrowing.admits(article)]


def render_chips(narrowing: Narrowing, words: Words) -> str:
    """A chip for every part, each with a button that takes it away; "" where nothing is narrowed down."""
    if not narrowing:
        return ""
    scope = attribute("lang", words.language) + attribute("dir", words.direction)
    chips = "".join(
        f'<li class="pc-only-chip"><span>{said}</span><button type="button" class="pc-only-drop" data-part="{part}"'
        f"{attribute('aria-label', words.say('only_drop', what=label))}></button></li>"
        for part, label, said in _parts(narrowing, words)
    )
    change = f'<a class="pc-link" href="#corpus">{escape(words.say("only_change"))}</a>'
    title = escape(words.say("only"))
    return f'<div class="pc-only"{scope}><span class="pc-only-title">{title}</span><ul>{chips}</ul>{change}</div>'


def render_note(narrowing: Narrowing, words: Words) -> str:
    """The same below a question that was asked so; "" where nothing was narrowed down."""
    if not narrowing:
        return ""
    said = ", ".join(said for _, _, said in _parts(narrowing, words))
    return f'<p class="pc-only-note">{escape(words.say("only"))} {said}</p>'


def _parts(narrowing: Narrowing, words: Words) -> list[tuple[str, str, str]]:
    """Name, label and HTML of every part that is set."""
    parts = []
    if narrowing.language:
        parts.append(("language", words.say("lib_language"), language_name(narrowing.language, words)))
    for name, label, date in (("since", "lib_since", narrowing.since), ("until", "lib_until", narrowing.until)):
        if date:
            parts.append((name, words.say(label), f"{escape(words.say(label))} {date_shown(date, words)}"))
    return parts
