"""What stands around the conversation: the head of the page and the empty reading panel."""

from qa.page.chat import render_status
from qa.page.corpus import Corpus, render_corpus
from qa.page.marks import attribute, escape
from qa.page.opening import Status
from qa.page.words import LANGUAGES, Words, words


def render_header(here: Words, corpus: Corpus | None, status: Status, user: str = "") -> str:
    """Name, corpus (or what the start is doing), new chat, the language of the page, and the way out of a login.

    It also carries the words of the question field, which the script of the page puts there.
    """
    about = render_corpus(corpus, here) if corpus else render_status(status, here)
    scope = f"{attribute('lang', here.language)}{attribute('dir', here.direction)}"
    field = attribute("data-label", here.say("ask_label")) + attribute("data-placeholder", here.say("ask_placeholder"))
    return (
        f'<header class="pc-header"{scope}{field}><div class="pc-brand"><h1>Polycite</h1>'
        f'<p class="pc-tagline">{escape(here.say("tagline"))}</p></div>'
        f'{_views(here)}<p class="pc-corpus" role="status">{about}</p>'
        f'<div class="pc-tools"><button type="button" class="pc-new">{escape(here.say("new_chat"))}</button>'
        f"{_languages(here)}{_way_out(here, user) if user else ''}</div></header>"
    )


def render_panel(here: Words) -> str:
    """The reading panel, empty and hidden; the script of the page fills it."""
    position = here.say("position", n="{n}", total="{total}")  # the script fills it in
    return (
        f'<aside id="pc-panel" class="pc-panel" tabindex="-1" hidden{attribute("aria-label", here.say("article"))}'
        f"{attribute('lang', here.language)}{attribute('dir', here.direction)}"
        f"{attribute('data-failed', here.say('load_failed'))}{attribute('data-position', position)}>"
        f'<div class="pc-panel-bar">{_tool("previous", "pc-previous", here)}'
        f'<span class="pc-position" aria-live="polite"></span>{_tool("next", "pc-next", here)}'
        f'<span class="pc-space"></span>{_tool("close", "pc-close", here)}</div>'
        '<div class="pc-panel-body" tabindex="0"></div></aside>'
    )


def _views(here: Words) -> str:
    """The tabs. They are links, so that the browser's way back leads from one to the other."""
    links = "".join(
        f'<a class="pc-view" href="#{view}"{attribute("data-view", view)}>{escape(here.say(f"view_{view}"))}</a>'
        for view in ("ask", "corpus", "evaluate")
    )
    return f'<nav class="pc-views">{links}</nav>'


def _tool(key: str, style: str, here: Words) -> str:
    names = attribute("aria-label", here.say(key)) + attribute("title", here.say(key))
    return f'<button type="button" class="pc-tool {style}"{names}></button>'


def _way_out(here: Words, user: str) -> str:
    """The button that ends a login."""
    button = (
        f'<button type="submit" class="pc-log-out"{attribute("title", user)}>{escape(here.say("log_out"))}</button>'
    )
    return f'<form method="post" action="logout">{button}</form>'


def _languages(here: Words) -> str:
    options = "".join(
        f"<option{attribute('value', code)}{attribute('lang', code)}{' selected' if code == here.language else ''}>"
        f"{escape(words(code).say('name'))}</option>"
        for code in LANGUAGES
    )
    return f'<select class="pc-language"{attribute("aria-label", here.say("page_language"))}>{options}</select>'
