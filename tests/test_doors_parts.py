"""The parts of the doors by themselves: users, logins, names, limits, paths, and what the command line refuses."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.routes import App
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Route

from index.errors import UserError
from index.settings import PROJECT
from qa.doors.doors import RATE, open_doors
from qa.doors.names import Names
from qa.doors.paths import counts, is_open, is_public, largest_body
from qa.doors.rates import Rates, household
from qa.doors.sessions import LASTS, Sessions, read_key
from qa.doors.users import Users, make_entry, read_users, write_user

SECRET = "correct horse 馬"  # noqa: S105
EVERY = "0.0.0.0"  # noqa: S104 - bound only where it is to be refused
TOKEN = "t0ken-" + "x" * 20


@pytest.fixture(scope="module")
def entry() -> str:
    return make_entry("ana", SECRET)


def polycite(*arguments: str, typed: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "POLYCITE_TOKEN"}
    return subprocess.run(
        [sys.executable, "-m", "qa.cli", *arguments], input=typed, capture_output=True, text=True, check=False,
        env=environment | {"PYTHONPATH": str(PROJECT)}, timeout=60, cwd=cwd,
    )  # fmt: skip


def test_only_the_right_password_is_right(entry: str) -> None:
    users = Users({"ana": entry})
    assert users.check("ana", SECRET)
    assert not users.check("ana", SECRET + " ")
    assert not users.check("ben", SECRET)
    assert not users.check("ana", "")
    assert not users.check("ana", "x" * 100_000)
    assert SECRET not in entry and entry not in repr(users)
    assert make_entry("ana", SECRET) != entry, "salted"


def test_users_are_written_and_replaced(tmp_path: Path, entry: str) -> None:
    file = tmp_path / "users"
    write_user(file, "ana", "first password")
    write_user(file, "ben", "other password")
    write_user(file, "ana", SECRET)
    users = read_users(file)
    assert set(users.entries) == {"ana", "ben"} and users.check("ana", SECRET) and users.check("ben", "other password")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "holds no user"), (b"# nobody\n\n", "holds no user"), (b"ana:hunter2-hunter2\n", "line 1"),
        (b"\xff\xfe", "UTF-8"), (b"ana\n", "line 1"), (b"a b:scrypt$2$8$5$AAAA$AAAA", "line 1"),
        (b"ana:scrypt$16384$8$5$AAAAAAAA$!!!!", "line 1"),
        (b"ana:scrypt$99999999$8$5$AAAAAAAA$AAAAAAAAAAAAAAAA", "line 1"),
        (b"ana:scrypt$1000$8$5$AAAAAAAA$AAAAAAAAAAAAAAAA", "line 1"),
    ],
)  # fmt: skip
def test_a_bad_file_of_users_is_said_without_what_it_holds(tmp_path: Path, content: bytes, word: str) -> None:
    file = tmp_path / "users"
    file.write_bytes(content)
    with pytest.raises(UserError, match=word) as error:
        read_users(file)
    assert "hunter2" not in str(error.value) and "\n" not in str(error.value)


@given(st.text(max_size=200))
def test_any_text_is_users_or_a_clear_error(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "users"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        with pytest.raises(UserError):
            read_users(file)


def test_logins_outlive_a_restart_and_end_with_the_password(tmp_path: Path, entry: str) -> None:
    key = read_key(tmp_path)
    assert read_key(tmp_path) == key and len(key) == 32
    assert stat.S_IMODE((tmp_path / "login.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["login.key"]
    cookie = Sessions(key, Users({"ana": entry}), ()).issue("ana", now=1000)
    again = Sessions(key, Users({"ana": entry}), ())
    assert again.name_of(cookie, now=1000 + LASTS - 1) == "ana"
    assert again.name_of(cookie, now=1000 + LASTS) is None
    assert Sessions(key, Users({"ana": entry[:-4] + "AAA="}), ()).name_of(cookie, now=1001) is None
    assert Sessions(key, Users({"ben": entry}), ()).name_of(cookie, now=1001) is None
    assert Sessions(bytes(32), Users({"ana": entry}), ()).name_of(cookie, now=1001) is None
    (tmp_path / "login.key").write_bytes(b"half")
    assert len(read_key(tmp_path)) == 32


def test_logins_by_token_end_with_the_token() -> None:
    cookie = Sessions(b"k" * 32, None, (TOKEN,)).issue("")
    assert Sessions(b"k" * 32, None, (TOKEN,)).name_of(cookie) == ""
    assert Sessions(b"k" * 32, None, (TOKEN + "2",)).name_of(cookie) is None


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80) | st.from_regex(r"[\w-]*\.[0-9]*\.[0-9a-f]*"))
def test_no_cookie_is_made_up(text: str) -> None:
    assert Sessions(b"k" * 32, Users({"ana": "x", "": "y"}), ()).name_of(text) is None


@pytest.mark.parametrize(
    ("bound", "host", "holds"),
    [
        ("127.0.0.1", "127.0.0.1:7860", True), ("127.0.0.1", "localhost:1", True), ("127.0.0.1", "[::1]:80", True),
        ("127.0.0.1", "LOCALHOST", True), ("127.0.0.1", "evil.example", False), ("127.0.0.1", "192.168.1.5", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False), ("127.0.0.1", "", False), ("127.0.0.1", "a b", False),
        ("127.0.0.1", "qa.example.org", True), (EVERY, "192.168.1.5:80", True), (EVERY, "[fe80::1]", True),
        (EVERY, "evil.example", False), ("192.168.1.5", "192.168.1.5", True),
        ("127.0.0.1", "user@localhost", False),
    ],
)  # fmt: skip
def test_the_server_answers_to_its_names_only(bound: str, host: str, holds: bool) -> None:
    assert Names(bound, ("qa.example.org",)).holds(host) is holds


@pytest.mark.parametrize(
    ("origin", "host", "trusted"),
    [
        ("http://127.0.0.1:7860", "127.0.0.1:7860", True), ("http://localhost:7860", "127.0.0.1:7860", False),
        ("http://127.0.0.1:8000", "127.0.0.1:7860", False), ("null", "127.0.0.1:7860", False),
        ("https://evil.example", "127.0.0.1:7860", False), ("http://localhost", "localhost", True),
        ("https://localhost", "localhost", True), ("http://localhost:8080", "localhost", False),
        ("https://qa.example.org", "127.0.0.1:7860", True), ("file://", "127.0.0.1", False), ("http://[", "x", False),
        ("http://127.0.0.1:99999", "127.0.0.1:7860", False), ("", "127.0.0.1", False),
    ],
)  # fmt: skip
def test_only_its_own_pages_are_trusted(origin: str, host: str, trusted: bool) -> None:
    assert Names("127.0.0.1", ("qa.example.org",)).trusts(origin, host) is trusted


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_host_and_origin_can_be_judged(host: str, origin: str) -> None:
    names = Names("127.0.0.1")
    assert names.holds(host) in (True, False)
    assert names.trusts(origin, host) in (True, False)


@given(st.integers(1, 300), st.lists(st.floats(0, 90), min_size=1, max_size=400))
def test_no_client_gets_more_than_its_share(limit: int, gaps: list[float]) -> None:
    """In any stretch of time, at most a full bucket and what has flowed in; who waits as told may pass."""
    now = 0.0
    rates = Rates(limit, lambda: now)
    passed = 0
    for gap in gaps:
        now += gap
        wait = rates.wait("a")
        passed += not wait
        assert passed <= limit + now * limit / 60 + 1e-6
        if wait:
            now += wait
            assert rates.wait("a") == 0
            passed += 1
    assert rates.wait("b") == 0


def test_a_client_cannot_change_its_address_for_another() -> None:
    assert household("2001:db8::1") == household("2001:db8::ffff:2") != household("2001:db8:0:1::1")
    assert household("::ffff:192.0.2.1") == household("192.0.2.1") != household("192.0.2.2")
    assert household("testclient") == "testclient"


def test_what_is_remembered_of_clients_is_bounded() -> None:
    rates = Rates(1, lambda: 0.0)
    for number in range(20_000):
        rates.wait(str(number))
    assert len(rates._left) == 10_000
    assert Rates(0).wait("x") == 0


def test_of_gradios_routes_only_those_of_the_page_are_open() -> None:
    """Looks at every route of the installed Gradio, so that a new one is noticed."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.Textbox()
    routes = [each for route in App.create_app(blocks).routes for each in _routes(route)]
    paths = {route.path for route in routes}
    assert len(paths) > 60 and {"/gradio_api/upload", "/gradio_api/file={path_or_url:path}"} <= paths
    opened = {path.rstrip("/") for path in paths if is_open(re.sub(r"\{.*?\}", "x", path), shut=False)}
    assert opened == {
        "", "/config", "/theme.css", "/robots.txt", "/assets/{path:path}", "/static/{path:path}", "/favicon.ico",
        "/gradio_api/cancel", "/gradio_api/heartbeat/{session_hash}", "/gradio_api/info", "/gradio_api/queue/data",
        "/gradio_api/queue/join", "/gradio_api/reset", "/gradio_api/startup-events", "/gradio_api/theme.css",
    }  # fmt: skip


def _routes(route: Any) -> list[Route]:
    """The routes in a route: itself, or those of the router that it includes."""
    included = getattr(route, "original_router", None)
    return [route] if included is None else [each for inner in included.routes for each in _routes(inner)]


def test_paths_are_sorted_into_open_public_and_counted() -> None:
    closed = ("/gradio_api/upload", "/gradio_api/file=x", "/gradio_api/proxy=http://x", "/runs",
                                 "/gradio_api/run/ask", "/gradio_api/stream/x", "/docs", "//", "/gradio_api",
                                 "/gradio_api/call/other", "/monitoring", "/dev/reload", "/login")  # fmt: skip
    assert [path for path in closed if is_open(path, shut=False)] == []
    assert is_open("/login", shut=True) and is_open("/gradio_api/call/ask", shut=False)
    assert [is_public(path) for path in ("/healthz", "/login", "/", "/api/ask", "/page/page.js")] == [True] * 2 + [
        False
    ] * 3
    assert counts("POST", "/login") and counts("GET", "/api/articles") and counts("POST", "/gradio_api/queue/join")
    assert not counts("GET", "/page/page.css") and not counts("GET", "/assets/x.js")
    assert largest_body("/api/ask") < largest_body("/page/evaluate/start")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", EVERY], ["--auth", "--token-file", "--insecure"]),
        (["--host", "::"], ["--auth"]),
        (["--auth", "none"], ["'none'", "polycite password"]),
        (["--token-file", "none"], ["'none'"]),
        (["--allow-host", "http://x"], ["--allow-host", "qa.example.org"]),
        (["--rate-limit", "-1"], ["--rate-limit"]),
    ],
)
def test_doors_that_do_not_close_are_refused(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    done = polycite("serve", "--port", "0", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and all(word in done.stderr for word in words)


def test_a_password_is_made_on_the_command_line(tmp_path: Path) -> None:
    printed = polycite("password", "ana", typed=SECRET + "\n")
    (tmp_path / "users").write_text(printed.stdout)
    assert read_users(tmp_path / "users").check("ana", SECRET)
    polycite("password", "ben", "--auth", "users", typed=SECRET + "\n", cwd=tmp_path)
    assert read_users(tmp_path / "users").check("ben", SECRET)
    short = polycite("password", "ana", typed="short\n")
    assert short.returncode == 2 and "8 to 1024" in short.stderr and "short\n" not in short.stdout


def test_tokens_and_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLYCITE_TOKEN", raising=False)
    assert not open_doors("127.0.0.1").shut
    assert open_doors("127.0.0.1").rate == 0
    assert open_doors(EVERY, insecure=True).rate == RATE
    assert open_doors(EVERY, insecure=True, rate_limit=0).rate == 0
    file = tmp_path / "tokens"
    file.write_text(f"{TOKEN}\n\n{TOKEN}2\n")
    doors = open_doors(EVERY, token_file=file)
    assert doors.tokens == (TOKEN, TOKEN + "2") and TOKEN not in repr(doors)
    monkeypatch.setenv("POLYCITE_TOKEN", TOKEN)
    assert open_doors(EVERY).tokens == (TOKEN,)
    for wrong in ("short", "with space in the middle", "ключ-ключ-ключ-ключ"):
        monkeypatch.setenv("POLYCITE_TOKEN", wrong)
        with pytest.raises(UserError, match="16 ASCII") as error:
            open_doors("127.0.0.1")
        assert wrong not in str(error.value)
