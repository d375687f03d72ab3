"""Under which names the server answers, so that no foreign page reaches it by a name that it made up."""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]/@\s]+))(?::\d{1,5})?")


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Names:
    """The names of one server."""

    def __init__(self, bound: str, allowed: tuple[str, ...] = (), *, every: bool = False) -> None:
        self._every = every  # whatever name it is called by: for a program that looks at names itself
        self._allowed = {name.lower() for name in allowed}
        self._known = {*_LOOPBACK, bound.lower(), *self._allowed}
        # Beyond loopback it has names and addresses that it cannot list. An address cannot be made to point elsewhere.
        self._addresses = not is_loopback(bound)
        if self._addresses:
            self._known.add(socket.gethostname().lower())

    def holds(self, host: str) -> bool:
        """Whether a Host header names this server."""
        name = host_name(host)
        if name is None:
            return False
        return self._every or name in self._known or (self._addresses and _is_address(name))

    def trusts(self, origin: str, host: str) -> bool:
        """Whether an Origin header is that of a page of this server, itself reached as ``host``."""
        try:
            parts = urlsplit(origin)
            port = parts.port
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return False
        if parts.hostname.lower() in self._allowed:
            return True
        default = {"http": 80, "https": 443}[parts.scheme]
        return parts.hostname.lower() == host_name(host) and (port or default) == (_port(host) or default)


def host_name(host: str) -> str | None:
    """The name in a Host header, in small letters; None where it is none."""
    found = _HOST.fullmatch(host)
    return (found["six"] or found["name"]).lower() if found else None


def _port(host: str) -> int | None:
    tail = host.rpartition("]")[2].rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""
    return int(tail) if tail.isdigit() else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
