"""The gate in front of the app: an ASGI layer through which every request has to come."""

from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.errors import UserError
from qa.doors.doors import Doors
from qa.doors.keeper import Keeper, Visitor
from qa.doors.messages import Owners, check_message, is_message, named_session
from qa.doors.paths import counts, is_open, is_public, largest_body
from qa.doors.rates import Rates, household
from qa.doors.sessions import Sessions
from qa.page.browsers import COOKIE as BROWSER
from qa.page.delivery import cookies
from qa.page.programs import TooLongError, fault, refusal

USER = "polycite.user"  # in a request's scope: the user's name, "" with the token; absent where there are no doors
OUTSIDE = "polycite.outside"  # in a request's scope: set where nobody has been let in
_LONGEST_QUERY = 10_000  # characters that are kept while one logs in
_STATIC = ("/assets/", "/static/", "/page/page.css", "/page/login.css")


class Gate:
    """Refuses what is not for this server, not for this visitor, too much or too often; passes on the rest."""

    def __init__(
        self, app: ASGIApp, doors: Doors, keeper: Keeper, sessions: Sessions, functions: Collection[int]
    ) -> None:
        self._app = app
        self._doors = doors
        self._keeper = keeper
        self._sessions = sessions
        self._functions = functions
        self._owners = Owners()
        self._rates = Rates(doors.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "websocket":  # the page has none
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        wrong = self._foreign(headers) or self._elsewhere(scope, headers)
        if wrong:
            await wrong(scope, receive, send)
            return
        address = household(scope["client"][0]) if scope.get("client") else ""
        visitor = await self._keeper.visitor(headers, address) if self._doors.shut else Visitor("")
        refused = self._unknown(scope, headers, visitor) or self._too_often(scope, visitor, address)
        if refused:
            await refused(scope, receive, send)
            return
        scope = self._marked(scope, visitor)
        try:
            receive = await self._checked(scope, receive, visitor.name)
        except UserError as error:
            await refusal(error)(scope, receive, send)
            return
        await self._pass_on(scope, receive, send)

    def _foreign(self, headers: Headers) -> Response | None:
        """What is meant for another server, or comes from another server's page."""
        host = headers.get("host", "")
        if not self._doors.names.holds(host):
            return fault(f"this server is not called {host[:100]!r}: start it with --allow-host and that name", 400)
        origin = headers.get("origin")
        if origin is not None and not self._doors.names.trusts(origin, host):
            return fault("this server answers no pages of other servers", 403)
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return fault("this server answers no pages of other servers", 403)
        return None

    def _elsewhere(self, scope: Scope, headers: Headers) -> Response | None:
        """What is not there, or carries too much."""
        path = scope["path"]
        if not is_open(path, shut=self._doors.shut):
            return fault("there is nothing here", 404)
        most = largest_body(path)
        length = headers.get("content-length", "0")
        if not length.isdigit() or len(length) > 15 or int(length) > most:
            return refusal(TooLongError(f"the request is longer than {most:,} bytes: send less"))
        return None

    def _unknown(self, scope: Scope, headers: Headers, visitor: Visitor) -> Response | None:
        """Who has to log in first."""
        if visitor.name is not None or is_public(scope["path"]):
            return None
        if visitor.wait:
            return fault("too many wrong passwords: wait", 429, {"Retry-After": str(visitor.wait)})
        if scope["method"] == "GET" and scope["path"] == "/" and "authorization" not in headers:
            query = scope.get("query_string", b"").decode("latin-1")[:_LONGEST_QUERY]
            to = f"login?{urlencode({'then': query})}" if query else "login"
            return RedirectResponse(to, 303, {"Cache-Control": "no-store"})
        wanted = 'Basic realm="Polycite", charset="UTF-8"' if self._doors.users else "Bearer"
        # A browser would ask with a window of its own when a script of the page is refused.
        challenge = {} if "sec-fetch-mode" in headers else {"WWW-Authenticate": wanted}
        return fault("log in first, or send a token: Authorization: Bearer ...", 401, challenge)

    def _too_often(self, scope: Scope, visitor: Visitor, address: str) -> Response | None:
        if not counts(scope["method"], scope["path"]):
            return None
        wait = self._rates.wait(f"user {visitor.name}" if visitor.name else f"address {address}")
        if not wait:
            return None
        return fault(f"too many requests: come again in {wait} s", 429, {"Retry-After": str(wait)})

    async def _checked(self, scope: Scope, receive: Receive, user: str | None) -> Receive:
        """The request's body, measured while it comes in. Raises UserError for what Gradio must not see."""
        most = largest_body(scope["path"])
        taken = 0

        async def measured() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise TooLongError(f"the request is longer than {most:,} bytes: send less")
            return message

        passed_on: Receive = measured
        session = named_session(scope["path"], scope.get("query_string", b""))
        if is_message(scope["method"], scope["path"]):
            body = await Request(scope, measured).body()
            clean, session = check_message(body, self._functions)
            passed_on = _replay(clean, receive)
        if session and self._doors.shut and not self._owners.admits(session, user or ""):
            raise UserError("this is another user's page: load it anew")
        return passed_on

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        too_long: TooLongError | None = None
        begun = False

        async def receiving() -> Message:
            nonlocal too_long
            try:
                return await receive()
            except TooLongError as error:
                too_long = error
                raise

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start" and not too_long:
                begun = True
                if self._doors.shut and not scope["path"].startswith(_STATIC):
                    MutableHeaders(raw=message["headers"])["cache-control"] = "no-store"
            if begun:
                await send(message)

        with suppress(TooLongError):
            await self._app(scope, receiving, sending)
        if too_long and not begun:  # whatever the handler made of it
            await refusal(too_long)(scope, receive, send)

    def _marked(self, scope: Scope, visitor: Visitor) -> Scope:
        """The request with the visitor's name; whatever is kept by browser is kept by user."""
        if not self._doors.shut:
            return scope
        if visitor.name is None:
            return {**scope, OUTSIDE: True}
        kept = cookies(Headers(scope=scope))
        if visitor.name:
            kept[BROWSER] = self._sessions.own_token(visitor.name)
        passed = [(name, value) for name, value in scope["headers"] if name not in (b"cookie", b"authorization")]
        told = "; ".join(f"{name}={value}" for name, value in kept.items() if _is_plain(name + value))
        return {**scope, "headers": [*passed, (b"cookie", told.encode())], USER: visitor.name}


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives a body that has been read once more, then whatever comes next."""
    given = False

    async def replaying() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replaying


def _is_plain(text: str) -> bool:
    """Whether a cookie can be passed on as it stands."""
    return text.isascii() and text.isprintable() and not any(c in text for c in ';," ')
