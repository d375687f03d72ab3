"""The part of the command line that is about who may come in: the options of ``serve``, and ``password``."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from qa.doors.doors import Doors

_Command = TypeVar("_Command", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)


def _option(name: str, **details: Any) -> Callable[[_Command], _Command]:
    variable = "POLYCITE_" + name.lstrip("-").replace("-", "_").upper()
    return click.option(name, envvar=variable, show_envvar=True, **details)


_OPTIONS = (
    _option("--auth", type=_PATH, default=None, help="File of users who may log in; see polycite password."),
    _option("--token-file", type=_PATH, default=None,
            help="File of tokens for programs, one a line; or one token in POLYCITE_TOKEN."),
    _option("--insecure", is_flag=True, help="Let everybody in, also from other machines."),
    _option("--allow-host", multiple=True, metavar="NAME",
            help="A name under which the server is reached besides its own, as through a proxy."),
    _option("--rate-limit", type=int, default=None,
            help="The most requests a minute and client; 0 = any number. Default: 0 on loopback, else 120."),
)  # fmt: skip
NAMES = ("auth", "token_file", "insecure", "allow_host", "rate_limit")


def with_doors(command: _Command) -> _Command:
    """Give a command the options about who may come in."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_doors(host: str, options: dict[str, Any]) -> "Doors":
    """The doors that the options describe; they are taken out of ``options``. Raises UserError."""
    from qa.doors.doors import open_doors

    return open_doors(host, **{name: options.pop(name) for name in NAMES})


@click.command()
@click.argument("name")
@click.option("--auth", "file", type=_PATH, default=None, help="File of users to write to. Default: print the entry.")
def password(name: str, file: Path | None) -> None:
    """Make an entry for polycite serve --auth: a user's name with a hash of the password.

    The password is asked for; where standard input is no terminal, its first line is taken.
    """
    from qa.doors.users import make_entry, write_user

    if sys.stdin.isatty():
        typed = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    if file:
        write_user(file, name, typed)
        click.echo(f"{name!r} may log in where {str(file)!r} is given as --auth", err=True)
    else:
        click.echo(f"{name}:{make_entry(name, typed)}")
