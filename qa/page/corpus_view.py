"""The Corpus tab: what is in the folder, as a table; what is being done about it; what was deleted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index.articles import Article
from index.folder import LeftOut
from index.formats.extracted import MOST_BYTES
from qa.page.chat import stage
from qa.page.corpus import render_corpus, summarise
from qa.page.facts import date_shown, language_name
from qa.page.library import LibraryStatus
from qa.page.marks import attribute, escape
from qa.page.narrowing import EVERYTHING, Narrowing
from qa.page.timeline import render_timeline
from qa.page.trash import Deleted
from qa.page.uploads import ACCEPTED
from qa.page.words import Words

PAGE = 50  # rows
_SORTS = ("title", "date", "language", "sentences", "state")
_MOST_DELETED = 20
_SAID = "failed sending reading added ready same replaced deleted restored undo kind".split()  # by the script
State = Literal["left_out", "waiting", "going", "ready"]


@dataclass(frozen=True)
class Row:
    """A file of the folder."""

    name: str
    state: State
    article: Article | None = None  # None for what is no article, or not read yet
    sentences: int = 0
    reason: str = ""  # why it is left out
    file: bool = True  # whether it can be deleted here


@dataclass(frozen=True)
class Wish:
    """What the reader wants to see of the table."""

    text: str = ""  # in title or name
    narrowing: Narrowing = EVERYTHING
    sort: str = "date"
    down: bool = True
    page: int = 0


def rows_of(
    articles: Mapping[str, Article], sentences: Mapping[str, int], left_out: Sequence[LeftOut], present: frozenset[str]
) -> list[Row]:
    """A row for every file: those that are asked about, those that will be or were, and those left out."""
    out = {each.name for each in left_out}
    rows = [Row(each.name, "left_out", reason=each.reason, file=each.name in present) for each in left_out]
    rows += [Row(name, "waiting") for name in present - articles.keys() - out]
    for name, article in articles.items():
        state: State = "ready" if name in present else "going"
        rows.append(Row(name, state, article, sentences.get(name, 0), file=name in present))
    return rows


def chosen(rows: Iterable[Row], wish: Wish) -> list[Row]:
    """The rows that the reader wants to see, in order; those of no article only while nothing is narrowed down."""
    found = [row for row in rows if _holds(row, wish.text.casefold().strip()) and _admits(row, wish.narrowing)]
    return sorted(found, key=lambda row: (_sort_key(row, wish.sort), row.name), reverse=wish.down)


def _holds(row: Row, text: str) -> bool:
    return text in row.name.casefold() or (row.article is not None and text in row.article.title.casefold())


def _admits(row: Row, narrowing: Narrowing) -> bool:
    return narrowing.admits(row.article) if row.article else not narrowing


def _sort_key(row: Row, sort: str) -> tuple[str, int]:
    article = row.article
    if sort == "state":
        return row.state, 0
    if article is None:
        return ("\U0010ffff" if sort == "date" else "", 0)  # what is new or wrong stands on top of the newest
    if sort == "sentences":
        return "", row.sentences
    return {"title": article.title.casefold(), "language": article.language}.get(sort, article.date or ""), 0


def render_tab(languages: Sequence[tuple[str, int]], body: str, words: Words) -> str:
    """The whole tab: what stays while the table changes, and around what."""
    scope = attribute("lang", words.language) + attribute("dir", words.direction)
    # With "{name}" left in: the script fills it in.
    said = "".join(attribute(f"data-{key}", words.say(f"lib_{key}", name="{name}")) for key in _SAID)
    megabytes = MOST_BYTES // 1_000_000
    limits = attribute("data-most", MOST_BYTES) + attribute("data-large", words.say("lib_large", megabytes=megabytes))
    formats = escape(words.say("lib_formats", megabytes=megabytes))
    return (
        f'<div class="pc-lib"{scope}{said}{limits}><div class="pc-lib-head"><h2>{escape(words.say("lib_heading"))}</h2>'
        f"<p>{escape(words.say('lib_text'))}</p></div>"
        f'<label class="pc-lib-drop"><input type="file" class="pc-hidden" multiple accept="{ACCEPTED}">'
        f"<b>{escape(words.say('lib_drop'))}</b><span>{formats}</span></label>"
        '<ul class="pc-lib-files" aria-live="polite"></ul>'
        f'{_filters(languages, words)}<div class="pc-lib-body">{body}</div>'
        f'<p class="pc-lib-notice" role="status" dir="auto" hidden></p>{_reader(words)}</div>'
    )


def _filters(languages: Sequence[tuple[str, int]], words: Words) -> str:
    """Search, language and months; and the button that has questions keep to them."""
    options = f'<option value="">{escape(words.say("lib_any"))}</option>' + "".join(
        f'<option value="{escape(code)}">{language_name(code, words)}</option>' for code, _ in languages
    )

    def field(key: str, control: str) -> str:
        return f'<label class="pc-lib-{key}"><span>{escape(words.say(f"lib_{key}"))}</span>{control}</label>'

    search = '<input type="search" name="text" dir="auto" maxlength="200" autocomplete="off">'
    month = (
        '<input type="month" name="{}" placeholder="YYYY-MM" pattern="[0-9]{{4}}-[0-9]{{2}}" min="1000-01" '
        'max="9999-12">'
    )
    ask = f'<button type="button" class="pc-lib-ask" disabled>{escape(words.say("lib_ask"))}</button>'
    language = f'<select name="language">{options}</select>'
    return (
        f'<form class="pc-lib-filters" role="search">{field("search", search)}{field("language", language)}'
        f"{field('since', month.format('since'))}{field('until', month.format('until'))}{ask}</form>"
    )


def _reader(words: Words) -> str:
    """The window in which an article is read; the script fills it."""
    close = attribute("aria-label", words.say("close")) + attribute("title", words.say("close"))
    return (
        f'<dialog class="pc-lib-reader"{attribute("aria-label", words.say("article"))}>'
        f'<button type="button" class="pc-tool pc-close"{close}></button><div class="pc-lib-text" tabindex="0"></div>'
        "</dialog>"
    )


def render_body(
    rows: Sequence[Row], wish: Wish, status: LibraryStatus, deleted: Sequence[Deleted], words: Words
) -> str:
    """State, plot, table and trash: all that changes with the folder or with what the reader wants to see."""
    articles = [row.article for row in rows if row.article]
    found = chosen(rows, wish)
    last = max(0, (len(found) - 1) // PAGE)
    page = min(wish.page, last)
    shown = found[page * PAGE : (page + 1) * PAGE]
    line = render_corpus(summarise(articles), words) if articles else ""
    return (
        f'<template class="pc-lib-line">{line}</template>{render_state(status, words)}'
        f"{render_timeline([article for article in articles if wish.narrowing.admits(article)], words)}"
        f"{_table(shown, wish, words) if shown else _none(bool(rows), words)}"
        f"{_pages(page, last, len(found), words)}{_deleted(deleted, words)}"
    )


def render_state(status: LibraryStatus, words: Words) -> str:
    """What is being done about the folder, or why it was not."""
    if status.error:
        return f'<p class="pc-lib-doing pc-error" role="alert" dir="auto">{escape(status.error)}</p>'
    if not status.busy:
        return ""
    count = words.say("position", n=status.done, total=status.total) if status.total else ""
    said = f"{stage(status.stage, words)} {count}".strip()
    return f'<p class="pc-lib-doing pc-busy" role="status">{escape(said)}</p>'


def _none(any_rows: bool, words: Words) -> str:
    return f'<p class="pc-lib-none">{escape(words.say("lib_none" if any_rows else "lib_empty"))}</p>'


def _table(rows: Sequence[Row], wish: Wish, words: Words) -> str:
    heads = "".join(_head(sort, wish, words) for sort in _SORTS)
    body = "".join(_row(row, words) for row in rows)
    acts = f'<th scope="col"><span class="pc-hidden">{escape(words.say("lib_acts"))}</span></th>'
    return (
        f'<div class="pc-lib-wide"><table><caption class="pc-hidden">{escape(words.say("lib_heading"))}</caption>'
        f"<thead><tr>{heads}{acts}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _head(sort: str, wish: Wish, words: Words) -> str:
    order = f' aria-sort="{"descending" if wish.down else "ascending"}"' if sort == wish.sort else ""
    name = escape(words.say(f"lib_{sort}"))
    return f'<th scope="col" class="pc-lib-{sort}"{order}><button type="button" data-sort="{sort}">{name}</button></th>'


def _row(row: Row, words: Words) -> str:
    name = attribute("data-name", row.name)
    delete = ""
    if row.file:
        label = words.say("lib_delete", name=row.article.title if row.article else row.name)
        names = attribute("aria-label", label) + attribute("title", label)
        delete = f'<button type="button" class="pc-tool pc-lib-delete"{name}{names}></button>'
    state = f'<span class="pc-lib-is pc-lib-is-{row.state}">{escape(words.say(f"lib_is_{row.state}"))}</span>'
    if row.article is None:
        why = f'<span class="pc-lib-why" dir="auto" lang="en">{escape(row.reason)}</span>' if row.reason else ""
        name_shown = f'<bdi class="pc-lib-name">{escape(row.name)}</bdi>'
        facts = f'<th scope="row">{name_shown}{why}</th><td></td><td></td><td></td>'
    else:
        article, language = row.article, attribute("lang", row.article.language)
        facts = (
            f'<th scope="row"><button type="button" class="pc-lib-open" dir="auto"{language}{name}>'
            f'{escape(article.title)}</button><bdi class="pc-lib-name">{escape(row.name)}</bdi></th>'
            f"<td>{date_shown(article.date, words)}</td><td>{language_name(article.language, words)}</td>"
            f'<td class="pc-lib-number">{row.sentences}</td>'
        )
    return f"<tr>{facts}<td>{state}</td><td>{delete}</td></tr>"


def _pages(page: int, last: int, count: int, words: Words) -> str:
    if not last:
        return ""
    back = _turn("previous", page - 1, page > 0, words)
    on = _turn("next", page + 1, page < last, words)
    place = words.say("position", n=f"{page * PAGE + 1}–{min(count, (page + 1) * PAGE)}", total=count)
    return f'<nav class="pc-lib-pages" dir="{words.direction}">{back}<span>{escape(place)}</span>{on}</nav>'


def _turn(key: str, page: int, possible: bool, words: Words) -> str:
    name, off = attribute("aria-label", words.say(f"lib_{key}")), "" if possible else " disabled"
    return f'<button type="button" class="pc-tool pc-{key}" data-page="{page}"{name}{off}></button>'


def _deleted(deleted: Sequence[Deleted], words: Words) -> str:
    if not deleted:
        return ""
    items = "".join(
        f'<li><bdi>{escape(each.name)}</bdi><button type="button" class="pc-link pc-lib-restore"'
        f"{attribute('data-key', each.key)}{attribute('aria-label', words.say('lib_restore_one', name=each.name))}>"
        f"{escape(words.say('lib_restore'))}</button></li>"
        for each in deleted[:_MOST_DELETED]
    )
    title = escape(words.say("lib_trash"))
    count = f'<span class="pc-ev-count">{len(deleted)}</span>'
    return f'<details class="pc-lib-trash"><summary>{title} {count}</summary><ul>{items}</ul></details>'
