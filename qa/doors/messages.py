"""Looks at what is sent to Gradio before Gradio does, which fails on much that no page of its own would send."""

import json
import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs

from index.errors import UserError

_POSTED = re.compile(r"/gradio_api/(?:queue/join|cancel|reset/?|call/ask)")
_NAMED = re.compile(r"/gradio_api/(?:heartbeat|call/ask)/([\w-]+)", re.ASCII)
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_MOST_FIELDS = 20  # of a query or a form
_DEEPEST = 20  # lists and objects in one another
_MOST_SESSIONS = 100_000  # whose owners are remembered


def is_message(method: str, path: str) -> bool:
    """Whether a request carries a message to Gradio."""
    return method == "POST" and bool(_POSTED.fullmatch(path))


def check_message(body: bytes, functions: Collection[int]) -> tuple[bytes, str]:
    """The message as it may be passed on, and the page's session that it names, or "".

    Raises UserError for one that Gradio could not have been sent by the page; ``functions`` are those of the page.
    """
    try:
        found = json.loads(body)
        clean = json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        raise UserError("the body is no JSON, or one with numbers that JSON does not have") from None
    if not isinstance(found, dict) or _is_deeper(found, _DEEPEST):
        raise UserError("the body is no JSON object, or a very deep one")
    for key in ("session_hash", "event_id"):
        value = found.get(key)
        if value is not None and not (isinstance(value, str) and _ID.fullmatch(value)):
            raise UserError(f'"{key}" must be a short name')
    for key in ("fn_index", "trigger_id"):
        value = found.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise UserError(f'"{key}" must be a whole number')
    if found.get("fn_index") is not None and found["fn_index"] not in functions:
        raise UserError('"fn_index" names nothing of this page')
    if "data" in found and not isinstance(found["data"], list):
        raise UserError('"data" must be a list')
    return clean, str(found.get("session_hash") or "")


def named_session(path: str, query: bytes) -> str:
    """The page's session that a reading request names, or "". Raises UserError for what is no name of one."""
    named = _NAMED.fullmatch(path)
    if named:
        found = named[1]
    elif path == "/gradio_api/queue/data":
        found = fields(query).get("session_hash", "")
    else:
        return ""
    if found and not _ID.fullmatch(found):
        raise UserError('"session_hash" must be a short name')
    return found


def fields(text: bytes) -> dict[str, str]:
    """The fields of a query or a form, the first of each name. Raises UserError where there are very many."""
    try:
        found = parse_qs(text.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise UserError(f"there are more than {_MOST_FIELDS} fields") from None
    return {name: values[0] for name, values in found.items()}


class Owners:
    """Whose each session of a page is: of the user who first named it."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()

    def admits(self, session: str, user: str) -> bool:
        """Whether a user may read and write a session; one that nobody owns becomes the user's."""
        owner = self._owners.setdefault(session, user)
        self._owners.move_to_end(session)
        if len(self._owners) > _MOST_SESSIONS:
            self._owners.popitem(last=False)
        return owner == user


def _is_deeper(value: Mapping[str, Any], most: int) -> bool:
    """Whether lists and objects go deeper into one another than ``most``."""
    level: list[Any] = [value]
    for _ in range(most):
        inner = [each.values() if isinstance(each, dict) else each for each in level]
        level = [one for each in inner for one in each if isinstance(one, dict | list)]
        if not level:
            return False
    return True
