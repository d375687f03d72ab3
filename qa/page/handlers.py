"""What the handlers of all routes share: faults as one line of JSON, and bodies of bounded length."""

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from index.errors import UserError

Handler = Callable[[Request], Awaitable[Response]]
_LOG = logging.getLogger(__name__)


def guarded(handler: Handler) -> Handler:
    """The handler with every fault as one line of JSON."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except UserError as error:
            return JSONResponse({"error": " ".join(str(error).split())}, 400)
        except Exception:  # noqa: BLE001 - the log keeps it, the page has a sentence for it
            _LOG.exception("the page asked for something that failed")
            return JSONResponse({"error": ""}, 500)

    return guarded


async def read_body(request: Request, most: int, too_long: UserError) -> bytes:
    """The body of a request. Raises ``too_long`` where it has more than ``most`` bytes, read no further than that."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise too_long
    return bytes(body)
