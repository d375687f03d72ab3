"""The page on which one logs in, and what it sends."""

import hashlib
import hmac

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from index.errors import UserError
from qa.doors.doors import Doors
from qa.doors.gate import USER
from qa.doors.keeper import Keeper, Visitor
from qa.doors.messages import fields
from qa.doors.rates import household
from qa.doors.sessions import COOKIE, LASTS, Sessions
from qa.page.delivery import page_language
from qa.page.marks import attribute, escape
from qa.page.programs import fault, refusal
from qa.page.words import Words, words

LAST = "polycite_last"  # a cookie: who used this browser last, as nobody else can tell
_YEAR = 31_536_000  # seconds
# Conversations are kept in the browser: whoever logs in after somebody else must not find that one's.
_FORGET = '<script src="page/forget.js"></script>'


def add_login(app: FastAPI, doors: Doors, keeper: Keeper, sessions: Sessions) -> None:
    """Adds the page and its routes to an application, where there is somebody to log in."""
    if doors.shut:
        routes = LoginRoutes(doors, keeper, sessions)
        table = (("GET", "/login", routes.show), ("POST", "/login", routes.log_in), ("POST", "/logout", routes.log_out))
        for method, path, handler in table:
            app.add_api_route(path, handler, methods=[method], response_model=None, include_in_schema=False)


class LoginRoutes:
    """The handlers of the routes."""

    def __init__(self, doors: Doors, keeper: Keeper, sessions: Sessions) -> None:
        self._doors = doors
        self._keeper = keeper
        self._sessions = sessions

    async def show(self, request: Request) -> Response:
        """The page."""
        if USER in request.scope:
            return RedirectResponse("./", 303)
        return self._page(request, request.query_params.get("then", ""))

    async def log_in(self, request: Request) -> Response:
        """Sets the cookie and leads to the page; for a program, which accepts no HTML, it only sets the cookie."""
        try:
            sent = fields(await request.body())
        except UserError as error:
            return refusal(error)
        name, password, then = (sent.get(field, "") for field in ("username", "password", "then"))
        address = household(request.client.host) if request.client else ""
        visitor = await self._keeper.log_in(name, password, address)
        for_browser = "text/html" in request.headers.get("accept", "")
        if visitor.name is None:
            return self._refused(request, visitor, then, name) if for_browser else _refusal(visitor)
        answer = self._welcome(request, visitor.name, then) if for_browser else JSONResponse({"success": True})
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, self._sessions.issue(visitor.name), LASTS, httponly=True, samesite="lax", secure=secure
        )
        answer.set_cookie(LAST, self._mark(visitor.name), _YEAR, httponly=True, samesite="lax", secure=secure)
        return answer

    async def log_out(self, request: Request) -> Response:
        """Takes the cookie back."""
        answer = RedirectResponse("login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    def _welcome(self, request: Request, name: str, then: str) -> Response:
        to = f"./?{then}" if then else "./"
        last = request.cookies.get(LAST)
        if last is None or hmac.compare_digest(last.encode(), self._mark(name).encode()):
            return RedirectResponse(to, 303)
        here = words(page_language(request.headers))
        link = f"<p><a{attribute('href', to)}>{escape(here.say('log_in'))}</a></p>"
        return HTMLResponse(_document(here, f"{link}{_FORGET}"), headers={"Clear-Site-Data": '"storage"'})

    def _refused(self, request: Request, visitor: Visitor, then: str, name: str) -> Response:
        here = words(page_language(request.headers))
        said = here.say("log_in_wait", n=visitor.wait) if visitor.wait else here.say("log_in_wrong")
        answer = self._page(request, then, said, 429 if visitor.wait else 401, name)
        if visitor.wait:
            answer.headers["Retry-After"] = str(visitor.wait)
        return answer

    def _page(self, request: Request, then: str, said: str = "", status: int = 200, name: str = "") -> Response:
        here = words(page_language(request.headers))
        wrong = f'<p class="pc-login-wrong" role="alert">{escape(said)}</p>' if said else ""
        fields = _field(here.say("log_in_name"), "username", "username", name) if self._doors.users else ""
        label = here.say("log_in_password" if self._doors.users else "log_in_token")
        fields += _field(label, "password", "current-password")
        form = (
            f'<form method="post" action="login"><input type="hidden" name="then"{attribute("value", then)}>'
            f"{wrong}{fields}<button>{escape(here.say('log_in'))}</button></form>"
        )
        return HTMLResponse(_document(here, form), status, {"Cache-Control": "no-store"})

    def _mark(self, name: str) -> str:
        return hashlib.sha256(f"last {self._sessions.own_token(name)}".encode()).hexdigest()[:32]


def _refusal(visitor: Visitor) -> Response:
    if visitor.wait:
        return fault("too many wrong passwords: wait", 429, {"Retry-After": str(visitor.wait)})
    return fault("the name or the password is wrong", 401)


def _field(label: str, name: str, known_as: str, value: str = "") -> str:
    kind = "text" if name == "username" else "password"
    focused = " autofocus" if kind == "text" else ""
    return (
        f'<label>{escape(label)}<input type="{kind}" name="{name}" autocomplete="{known_as}" required maxlength="1024"'
        f' dir="auto" autocapitalize="none" spellcheck="false"{attribute("value", value)}{focused}></label>'
    )


def _document(here: Words, body: str) -> str:
    title = f"Polycite · {here.say('log_in')}"
    return (
        f'<!doctype html><html lang="{here.language}" dir="{here.direction}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        '<link rel="icon" href="favicon.ico"><link rel="stylesheet" href="page/login.css"></head>'
        f'<body><main><h1>Polycite</h1><p class="pc-login-tagline">{escape(here.say("tagline"))}</p>{body}</main>'
        "</body></html>"
    )
