"""The drawer with the chats that the browser keeps, and the record of the present one that it keeps them by."""

import json

from qa.page.chat import Session
from qa.page.marks import attribute, escape
from qa.page.stored import as_stored
from qa.page.words import Words


def render_drawer(here: Words) -> str:
    """The drawer, closed and without chats; the script of the page fills it."""
    name = attribute("aria-label", here.say("close")) + attribute("title", here.say("close"))
    saves = "".join(
        f'<button type="button" class="pc-pill pc-save"{attribute("data-format", form)}>'
        f"{escape(here.say(f'ch_{form}'))}</button>"
        for form in ("markdown", "json")
    )
    return (
        f'<dialog id="pc-drawer" class="pc-drawer" aria-labelledby="pc-drawer-name"{attribute("lang", here.language)}'
        f"{attribute('dir', here.direction)}>"
        f'<div class="pc-drawer-head"><h2 id="pc-drawer-name">{escape(here.say("ch_title"))}</h2>'
        f'<button type="button" class="pc-tool pc-close-drawer"{name}></button></div>'
        f'<section class="pc-this-chat"><h3 class="pc-label">{escape(here.say("ch_this"))}</h3>{saves}</section>'
        f'<h3 class="pc-label">{escape(here.say("ch_kept"))}</h3>'
        f'<p class="pc-note pc-no-chats" hidden>{escape(here.say("ch_none"))}</p><ul class="pc-chats"></ul>'
        f'<p class="pc-note pc-deleted" role="status" hidden><span>{escape(here.say("ch_deleted"))}</span>'
        f'<button type="button" class="pc-link pc-undo">{escape(here.say("ch_undo"))}</button></p>'
        f'<p class="pc-note pc-full" role="status" hidden>{escape(here.say("ch_full"))}</p>'
        f'<div class="pc-drawer-foot"><label class="pc-keeping"><input type="checkbox" checked>'
        f"<span>{escape(here.say('ch_keep'))}</span></label>"
        f'<button type="button" class="pc-link pc-delete-all">{escape(here.say("ch_delete_all"))}</button>'
        "</div></dialog>"
    )


def render_record(session: Session) -> str:
    """The chat as JSON in an attribute, out of sight; empty where there is no chat."""
    kept = json.dumps(as_stored(session), ensure_ascii=False) if session.turns else ""
    return f"<data hidden{attribute('value', kept)}></data>"
