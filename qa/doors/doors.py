"""All that is set about coming in, in one frozen value; checked before anything is served."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from index.errors import UserError
from qa.doors.names import Names, host_name, is_loopback
from qa.doors.users import Users, read_users

TOKEN_VARIABLE = "POLYCITE_TOKEN"  # noqa: S105 - the name of a variable
SHORTEST_TOKEN = 16  # characters
RATE = 120  # requests a minute and client, where the server can be reached from elsewhere


@dataclass(frozen=True)
class Doors:
    """Who may come in. Where there are neither users nor tokens, everybody may."""

    names: Names = field(default_factory=lambda: Names("127.0.0.1"))
    users: Users | None = None
    tokens: tuple[str, ...] = field(default=(), repr=False)
    rate: int = 0  # requests a minute and client; 0 = any number

    @property
    def shut(self) -> bool:
        """Whether one has to log in, or show a token."""
        return self.users is not None or bool(self.tokens)


def open_doors(
    host: str, *, auth: Path | None = None, token_file: Path | None = None, insecure: bool = False,
    allow_host: tuple[str, ...] = (), rate_limit: int | None = None,
) -> Doors:  # fmt: skip
    """The doors of a server that binds ``host``.

    Raises UserError for files that cannot be read, and where strangers could come in and nobody has allowed it.
    """
    users = read_users(auth) if auth else None
    tokens = _tokens(token_file)
    local = is_loopback(host)
    if not local and users is None and not tokens and not insecure:
        raise UserError(
            f"--host {host} lets other machines in: give --auth FILE (see polycite password) or --token-file FILE, "
            "or --insecure if everybody may read the articles"
        )
    for name in allow_host:
        if host_name(name) != name.lower():
            raise UserError(f"--allow-host {name!r} is no name of a host: give one such as qa.example.org")
    rate = rate_limit if rate_limit is not None else 0 if local and not allow_host else RATE
    if rate < 0:
        raise UserError(f"--rate-limit {rate} is below zero: give requests a minute, 0 for no limit")
    return Doors(Names(host, allow_host), users, tokens, rate)


def _tokens(file: Path | None) -> tuple[str, ...]:
    """The tokens of the variable and of the file, one a line. Raises UserError."""
    found = [os.environ.get(TOKEN_VARIABLE, "")]
    if file:
        try:
            found += file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            mend = "write a long random string into it"
            raise UserError(f"the file of tokens {str(file)!r} cannot be read ({error.strerror}): {mend}") from None
        except UnicodeDecodeError:
            raise UserError(f"the file of tokens {str(file)!r} is not UTF-8: write a random string into it") from None
    tokens = tuple(token.strip() for token in found if token.strip())
    if file and not tokens:
        raise UserError(f"the file of tokens {str(file)!r} is empty: write a long random string into it")
    for token in tokens:
        if len(token) < SHORTEST_TOKEN or not token.isascii() or any(c.isspace() for c in token):
            wrong = f"a token must have at least {SHORTEST_TOKEN} ASCII characters and no spaces"
            raise UserError(f"{wrong}: make one with python3 -c 'import secrets; print(secrets.token_urlsafe())'")
    return tokens
