"""What stands around the conversation: the head of the page and the empty reading panel."""

import json

from qa.page.chat import render_status
from qa.page.corpus import Corpus, render_corpus
from qa.page.marks import attribute, escape
from qa.page.opening import Status
from qa.page.words import LANGUAGES, Words, words

# What the script of the page puts there itself: only it knows, say, whether the browser translates.
_OF_THE_SCRIPT = (
    "ask_label", "ask_placeholder", "send", "ev_cancel", "edit_question", "link_copied", "ch_delete",
    "more_in_articles", "tr_do", "tr_busy", "tr_done", "tr_failed", "tr_original",
)  # fmt: skip


def render_header(here: Words, corpus: Corpus | None, status: Status, user: str = "") -> str:
    """Name, corpus (or what the start is doing), new chat, earlier chats, the page's language, the way out of a login.

    It also carries the words that the script of the page puts where they belong.
    """
    about = render_corpus(corpus, here) if corpus else render_status(status, here)
    scope = f"{attribute('lang', here.language)}{attribute('dir', here.direction)}"
    said = attribute("data-words", json.dumps({key: here.strings[key] for key in _OF_THE_SCRIPT}, ensure_ascii=False))
    return (
        f'<header class="pc-header"{scope}{said}><div class="pc-brand"><h1>Polycite</h1>'
        f'<p class="pc-tagline">{escape(here.say("tagline"))}</p></div>'
        f'{_views(here)}<p class="pc-corpus" role="status">{about}</p>'
        f'<div class="pc-tools"><button type="button" class="pc-pill pc-new">{escape(here.say("new_chat"))}</button>'
        '<button type="button" class="pc-pill pc-show-chats" aria-haspopup="dialog">'
        f"{escape(here.say('ch_title'))}</button>{_languages(here)}{_way_out(here, user) if user else ''}"
        "</div></header>"
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
        f'<span class="pc-space"></span>{_keys_button(here)}{_tool("close", "pc-close", here)}</div>{_keys(here)}'
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


def _keys_button(here: Words) -> str:
    names = attribute("aria-label", here.say("keys")) + attribute("title", here.say("keys"))
    return (
        f'<button type="button" class="pc-tool pc-help" aria-expanded="false" aria-controls="pc-keys"{names}></button>'
    )


def _keys(here: Words) -> str:
    """Which keys do what while an article is open."""
    on, back = ("←", "→") if here.direction == "rtl" else ("→", "←")
    keys = (("next", ("J", on)), ("previous", ("K", back)), ("close", ("Esc",)), ("keys", ("?",)))
    rows = "".join(
        f"<div><dt>{' '.join(f'<kbd>{key}</kbd>' for key in pressed)}</dt><dd>{escape(here.say(does))}</dd></div>"
        for does, pressed in keys
    )
    return f'<dl id="pc-keys" class="pc-keys" hidden>{rows}</dl>'


def _languages(here: Words) -> str:
    options = "".join(
        f"<option{attribute('value', code)}{attribute('lang', code)}{' selected' if code == here.language else ''}>"
        f"{escape(words(code).say('name'))}</option>"
        for code in LANGUAGES
    )
    return f'<select class="pc-language"{attribute("aria-label", here.say("page_language"))}>{options}</select>'
