"""What every response carries, and what the page's first response carries besides: an ASGI layer around the app."""

import hashlib
import re
import secrets
from functools import cache
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.page.browsers import fresh_cookie
from qa.page.words import choose_language, direction

COOKIE = "polycite_language"
_STYLES = ("page.css", "chats.css", "evaluate.css", "corpus.css")
_SCRIPTS = (
    "page.js", "reading.js", "translate.js", "turns.js", "history.js", "evaluate.js", "corpus.js",
)  # fmt: skip  # all use the first
# Gradio compiles its templates in the browser, hence unsafe-eval; nothing is ever loaded from another host. Of scripts
# that stand in the page itself only those run that carry the number drawn for this one response.
_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-%s' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}  # fmt: skip
_SCRIPT_TAG = re.compile(rb"<script(?=[\s>])")
_HTML_TAG = re.compile(rb"<html[^>]*>")
_PREVIEW = re.compile(rb'\s*<meta\s[^>]*(?:property|name)="(?:og|twitter):[^>]*>')


class Delivery:
    """Adds headers to every response, and language, style and script to the HTML of the page itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == "/" and scope["method"] == "GET":
            await self._page(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Holds the page back until it is whole, and sends it with its head completed."""
        asked = Headers(scope=scope)
        nonce = secrets.token_urlsafe(16)
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start: Message = {}
        body = b""

        async def hold(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            if message["type"] != "http.response.body":
                await send(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                whole = complete(body, page_language(asked), nonce)
                head = MutableHeaders(raw=start["headers"])
                head["content-length"] = str(len(whole))
                if cookie := fresh_cookie(cookies(asked)):
                    head.append("set-cookie", cookie)
                await _with_headers(send, nonce)(start)
                await send({"type": "http.response.body", "body": whole})

        await self._app({**scope, "headers": plain}, receive, hold)


def page_language(headers: Headers) -> str:
    """The language of the page: the reader's choice in the cookie, else the browser's wish."""
    return choose_language(cookies(headers).get(COOKIE), headers.get("accept-language"))


def cookies(headers: Headers) -> dict[str, str]:
    """The cookies of a request; none where the browser's header cannot be read."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def complete(page: bytes, language: str, nonce: str) -> bytes:
    """Gradio's page with its language, without its previews for social networks, and with our style and script.

    Its scripts carry ``nonce``, by which the browser knows that they are meant.
    """
    tag = f'<html lang="{language}" dir="{direction(language)}">'.encode()
    page = _PREVIEW.sub(b"", _HTML_TAG.sub(tag, page, count=1))
    page = page.replace(b"</head>", _links() + b"</head>", 1)
    return _SCRIPT_TAG.sub(f'<script nonce="{nonce}"'.encode(), page)


@cache
def _links() -> bytes:
    """The elements that load our style and script; a change of either changes its address."""
    address = {name: f"page/{name}?v={_digest(name)}" for name in (*_STYLES, *_SCRIPTS)}
    styles = "".join(f'<link rel="stylesheet" href="{address[name]}">' for name in _STYLES)
    return (styles + "".join(f'<script src="{address[name]}"></script>' for name in _SCRIPTS)).encode()


def _digest(name: str) -> str:
    return hashlib.sha256(files("qa.page").joinpath("assets", name).read_bytes()).hexdigest()[:12]


def _with_headers(send: Send, nonce: str = "") -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers["Content-Security-Policy"] = _POLICY % (nonce or secrets.token_urlsafe(16))
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
