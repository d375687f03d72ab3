"""Puts the doors in front of an application."""

from collections.abc import Callable, Collection

from fastapi import FastAPI
from starlette.requests import Request

from index.settings import Settings
from qa.doors.doors import Doors
from qa.doors.gate import USER, Gate
from qa.doors.keeper import Keeper
from qa.doors.login import add_login
from qa.doors.names import Names
from qa.doors.sessions import Sessions, read_key

TOKEN_USER = "(token)"  # noqa: S105 - the name that Gradio is given for whoever has the token
Dependency = Callable[[Request], str | None]


def add_doors(
    app: FastAPI, doors: Doors | None, settings: Settings, functions: Collection[int]
) -> Dependency | None:  # fmt: skip
    """Adds gate and login; returns what tells Gradio the user's name, None where nobody has to log in.

    ``functions``: the numbers of the page's functions, as Gradio counts them. Raises UserError where the key of logins
    cannot be kept.
    """
    doors = doors or Doors(Names("", every=True))
    key = read_key(settings.data_folder) if doors.shut else bytes(32)  # without doors nothing is signed
    sessions = Sessions(key, doors.users, doors.tokens)
    keeper = Keeper(doors, sessions)
    add_login(app, doors, keeper, sessions)
    app.add_middleware(Gate, doors=doors, keeper=keeper, sessions=sessions, functions=functions)
    return _user_of if doors.shut else None


def _user_of(request: Request) -> str | None:
    """The second lock: Gradio's own, for a request that got by the gate without a user."""
    name: str | None = request.scope.get(USER)
    return TOKEN_USER if name == "" else name
