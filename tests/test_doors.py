"""The doors in front of the running app: who gets in, what is closed, what is too much, what leaks."""

import base64
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_engine import opener
from gradio_client import Client
from gradio_client.exceptions import AuthenticationError
from serving import serving
from starlette.testclient import TestClient

from index.errors import UserError
from index.settings import Settings
from qa.doors.doors import Doors
from qa.doors.names import Names
from qa.doors.users import Users, make_entry
from qa.page.opening import Answerer, Opening, Progress
from qa.page.server import create_app

PASSWORD, OTHER, TOKEN = "correct horse", "battery staple", "token-" + "x" * 24
LOCAL = "http://127.0.0.1:7860"
QUESTION = {"question": "What gifts?"}
Entering = Callable[..., TestClient]


@pytest.fixture(scope="module")
def users() -> Users:
    return Users({"ana": make_entry("ana", PASSWORD), "ben": make_entry("ben", OTHER)})


@contextmanager
def entering(doors: Doors, data: Path) -> Iterator[TestClient]:
    """A client of an app behind doors."""
    opening = Opening(Settings(data=data), opener([]))
    opening.start()
    app = create_app(opening, doors, mcp=True)
    with TestClient(app, base_url=LOCAL, follow_redirects=False, raise_server_exceptions=False) as client:
        while client.get("/healthz").json() != {"status": "ready"}:
            time.sleep(0.02)
        yield client


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Nobody has to log in."""
    with entering(Doors(Names("127.0.0.1")), tmp_path_factory.mktemp("data")) as client:
        yield client


@pytest.fixture(scope="module")
def locked(users: Users, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Ana, Ben and whoever has the token may come in."""
    with entering(Doors(Names("127.0.0.1"), users, (TOKEN,)), tmp_path_factory.mktemp("data")) as client:
        yield client


@pytest.fixture(autouse=True)
def _no_cookies(request: pytest.FixtureRequest) -> None:
    for name in ("client", "locked"):
        if name in request.fixturenames:
            request.getfixturevalue(name).cookies.clear()


def log_in(client: TestClient, name: str = "ana", password: str = PASSWORD, **headers: str) -> None:
    client.cookies.clear()
    answered = client.post("/login", data={"username": name, "password": password}, headers=headers)
    assert answered.status_code in (200, 303), answered.text


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/upload", "/gradio_api/file=README.md", "/gradio_api/proxy=http://127.0.0.1", "/gradio_api/run/ask",
     "/gradio_api/component_server", "/gradio_api/stream/x", "/runs", "/monitoring", "/docs", "/redoc", "/login",
     "/gradio_api/vibe-code", "/gradio_api/openapi.json", "/%2e%2e/ui.py", "/static/../ui.py"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_page_does_not_need_is_closed(client: TestClient, path: str, method: str) -> None:
    answered = client.request(method, path, content=b"x")
    assert answered.status_code in (403, 404, 405)
    assert "traceback" not in answered.text.lower()


def test_other_names_and_other_pages_are_refused(client: TestClient) -> None:
    refused = client.get("/healthz", headers={"host": "evil.example"})
    assert refused.status_code == 400 and "--allow-host" in refused.json()["error"]
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:8000"},
                    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}):  # fmt: skip
        for method, path in (("POST", "/api/ask"), ("GET", "/api/articles"), ("POST", "/gradio_api/queue/join")):
            refused = client.request(method, path, json=QUESTION, headers=headers)
            assert refused.status_code == 403
            assert "access-control-allow-origin" not in refused.headers
    assert client.post("/api/ask", json=QUESTION, headers={"origin": LOCAL}).status_code == 200
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200


def test_bodies_are_limited_also_where_they_do_not_say_their_length(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    for path in ("/api/ask", "/gradio_api/queue/join", "/mcp"):
        assert client.post(path, content=b"x" * 2_000_001).status_code == 413
        assert client.post(path, content=endless()).status_code == 413
    for length in ("-1", "x", "9" * 30):
        assert client.post("/api/ask", content=b"{}", headers={"content-length": length}).status_code == 413


def test_deep_and_broken_json_is_refused_everywhere(client: TestClient) -> None:
    bodies = [b"[" * 100_000, b'{"data":' * 50_000, b"{", b"\xff\xfe", b"null", b'{"session_hash": 3}', b"[]",
              b'{"data": ["\\ud800"], "fn_index": -1, "session_hash": "x"}', b"1e999999", b"9" * 5000]  # fmt: skip
    for path in ("/api/ask", "/gradio_api/queue/join", "/gradio_api/cancel", "/gradio_api/reset", "/mcp",
                 "/gradio_api/call/ask", "/page/evaluate/start"):  # fmt: skip
        for body in bodies:
            answered = client.post(path, content=body, headers={"content-type": "application/json"})
            assert answered.status_code < 500, (path, body[:30], answered.text)


def test_queries_and_forms_of_very_many_fields_are_refused(client: TestClient, locked: TestClient) -> None:
    many = b"&".join(b"a%d=b" % number for number in range(50)) + b"&" * 50
    assert locked.post("/login", content=many).status_code == 400
    assert locked.post("/login", content=b"\xff&username=%ff&password=%00").status_code == 401
    assert client.get("/gradio_api/queue/data?" + many.decode()).status_code == 400


def test_no_stream_of_messages_is_held_open(client: TestClient) -> None:
    for accept in ("text/event-stream", "application/json, text/event-stream", "*/*"):
        refused = client.get("/mcp", headers={"accept": accept})
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_every_response_has_the_security_headers(client: TestClient, locked: TestClient) -> None:
    wanted = {
        "content-security-policy": "frame-ancestors 'none'", "x-content-type-options": "nosniff",
        "x-frame-options": "DENY", "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin", "permissions-policy": "camera=()",
    }  # fmt: skip
    for asked in (client, locked):
        for path in ("/", "/login", "/healthz", "/api/articles", "/gradio_api/upload", "/page/page.css", "/nothing"):
            headers = asked.get(path).headers
            assert [name for name, value in wanted.items() if value not in headers.get(name, "")] == []
    assert client.get("/", headers={"host": "evil.example"}).headers["x-frame-options"] == "DENY"
    assert locked.get("/api/articles").headers["content-type"] == "application/json"


def test_without_a_login_only_the_door_is_seen(locked: TestClient) -> None:
    for path in ("/api/articles", "/api/openapi.json", "/page/page.js", "/gradio_api/info", "/config", "/assets/x.js",
                 "/mcp", "/page/article/x", "/page/evaluate"):  # fmt: skip
        refused = locked.get(path)
        assert refused.status_code == 401, path
        assert refused.json() == {"error": "log in first, or send a token: Authorization: Bearer ..."}
        assert refused.headers["www-authenticate"].startswith("Basic")
    assert "www-authenticate" not in locked.get("/config", headers={"sec-fetch-mode": "cors"}).headers
    page = locked.get("/", params={"q": "What gifts?"})
    assert (page.status_code, page.headers["location"]) == (303, "login?then=q%3DWhat%2Bgifts%253F")
    assert locked.get("/healthz").json() == {"status": "ready"}
    assert locked.get("/login").status_code == locked.get("/page/login.css").status_code == 200
    for path in ("/login/", "/page/login.css/../../api/articles", "/healthz/", "/LOGIN"):
        assert locked.get(path).status_code in (401, 404)


@pytest.mark.parametrize("given", ["Bearer wrong", "Bearer", "Basic !!!", "Basic " + base64.b64encode(b"ana").decode(),
                                   "Bearer " + TOKEN[:-1], "Digest x", "Bearer " + TOKEN + "x"])  # fmt: skip
def test_wrong_credentials_are_refused(locked: TestClient, given: str) -> None:
    assert locked.post("/api/ask", json=QUESTION, headers={"authorization": given}).status_code == 401
    assert locked.get("/", headers={"authorization": given}).status_code == 401


def test_token_password_and_cookie_all_open(locked: TestClient) -> None:
    basic = "Basic " + base64.b64encode(f"ana:{PASSWORD}".encode()).decode()
    for headers in ({"authorization": f"Bearer {TOKEN}"}, {"authorization": basic}):
        assert locked.post("/api/ask", json=QUESTION, headers=headers).status_code == 200
        assert locked.get("/", headers=headers).status_code == 200
    log_in(locked)
    answered = locked.post("/api/ask", json=QUESTION)
    assert answered.status_code == 200 and answered.headers["cache-control"] == "no-store"
    assert locked.get("/login").headers["location"] == "./"
    assert locked.post("/logout").headers["location"] == "login"
    assert locked.get("/api/articles").status_code == 401


def test_the_login_of_a_browser(locked: TestClient) -> None:
    browser = {"accept": "text/html"}
    wrong = locked.post("/login", data={"username": "ana", "password": "x" * 9, "then": 'q="><b>'}, headers=browser)
    assert wrong.status_code == 401 and "wrong" in wrong.text and "<b>" not in wrong.text
    right = locked.post("/login", data={"username": "ana", "password": PASSWORD, "then": "q=a"}, headers=browser)
    assert (right.status_code, right.headers["location"]) == (303, "./?q=a")
    cookies = {line.partition("=")[0]: line for line in right.headers.get_list("set-cookie")}
    assert all("HttpOnly" in line and "SameSite=lax" in line for line in cookies.values())
    assert {"polycite_login", "polycite_last"} <= set(cookies)
    locked.cookies.clear()
    assert 'lang="sl"' in locked.get("/login", headers={"accept-language": "sl"}).text
    foreign = locked.post(
        "/login", data={"username": "ana", "password": PASSWORD}, headers={"origin": "https://evil.example"}
    )
    assert foreign.status_code == 403


def test_whoever_logs_in_next_in_a_browser_finds_nothing_of_the_one_before(locked: TestClient) -> None:
    browser = {"accept": "text/html"}
    locked.post("/login", data={"username": "ana", "password": PASSWORD}, headers=browser)
    again = locked.post("/login", data={"username": "ana", "password": PASSWORD}, headers=browser)
    assert again.status_code == 303 and "clear-site-data" not in again.headers
    other = locked.post("/login", data={"username": "ben", "password": OTHER}, headers=browser)
    assert other.headers["clear-site-data"] == '"storage"' and "page/forget.js" in other.text


def test_runs_and_feedback_of_a_user_are_hidden_from_others(locked: TestClient) -> None:
    """Also in the same browser, and also from whoever sends another's browser cookie."""
    question = b'{"id": "1", "question": "What gifts?", "articles": [], "answers": []}\n'
    log_in(locked)
    shelf = {"polycite_browser": "0" * 32}
    locked.cookies.update(shelf)
    run = locked.post("/page/evaluate/start", params={"name": "mine.jsonl"}, content=question).json()["run"]
    address = f"/page/evaluate/runs/{run}/predictions.jsonl"
    for _ in range(200):
        if locked.get(address).status_code == 200:
            break
        time.sleep(0.05)
    assert locked.get(address).status_code == 200
    assert "mine.jsonl" in locked.get("/page/evaluate").text
    cookie = locked.cookies["polycite_login"]
    log_in(locked, "ben", OTHER)
    locked.cookies.update(shelf)
    assert locked.get(address).status_code == 404
    assert "mine.jsonl" not in locked.get("/page/evaluate").text
    locked.cookies.clear()
    locked.cookies.update({"polycite_login": cookie})  # Ana in another browser
    assert locked.get(address).status_code == 200


def test_the_pages_of_a_user_are_closed_to_others(locked: TestClient) -> None:
    """Whoever learns the random name of another's page can neither act nor listen in it."""
    message = {"data": [], "fn_index": 1, "session_hash": "abc123", "event_data": None}
    log_in(locked)
    assert locked.post("/gradio_api/queue/join", json=message).status_code == 200
    log_in(locked, "ben", OTHER)
    refused = locked.post("/gradio_api/queue/join", json=message)
    assert refused.status_code == 400 and "another user" in refused.json()["error"]
    for path in (
        "/gradio_api/heartbeat/abc123",
        "/gradio_api/queue/data?session_hash=abc123",
        "/gradio_api/call/ask/abc123",
    ):
        assert locked.get(path).status_code == 400
    assert locked.post("/gradio_api/queue/join", json=message | {"session_hash": "other"}).status_code == 200


def test_wrong_passwords_have_to_wait(users: Users, tmp_path: Path) -> None:
    with entering(Doors(Names("127.0.0.1"), None, (TOKEN,)), tmp_path) as client:
        answers = [client.post("/login", data={"password": "no"}).status_code for _ in range(12)]
        assert answers[:10] == [401] * 10 and answers[11] == 429
        waiting = client.post("/login", data={"password": "no"}, headers={"accept": "text/html"})
        assert int(waiting.headers["retry-after"]) >= 1 and "Try again in" in waiting.text
        assert 'name="username"' not in waiting.text
        log_in(client, "", TOKEN)
        assert client.get("/").status_code == 200


def test_a_client_that_asks_too_often_has_to_wait(users: Users, tmp_path: Path) -> None:
    with entering(Doors(Names("127.0.0.1"), users, (TOKEN,), rate=5), tmp_path) as client:
        token = {"authorization": f"Bearer {TOKEN}"}
        answers = [client.post("/api/ask", json=QUESTION, headers=token) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 12
        assert "come again in" in answers[-1].json()["error"]
        assert client.get("/page/page.css").status_code == 200
        basic = "Basic " + base64.b64encode(f"ana:{PASSWORD}".encode()).decode()
        assert client.post("/api/ask", json=QUESTION, headers={"authorization": basic}).status_code == 200


def test_secrets_stay_out_of_logs_and_answers(
    users: Users, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    with entering(Doors(Names("127.0.0.1"), users, (TOKEN,)), tmp_path) as client:
        for headers in ({"authorization": f"Bearer {TOKEN}"}, {"authorization": f"Bearer {TOKEN}?"}):
            for body in (QUESTION, {"question": "explode"}, {"question": 3}):
                said.append(client.post("/api/ask", json=body, headers=headers).text)
            said.append(client.post("/mcp", json={"jsonrpc": "2.0"}, headers=headers).text)
        log_in(client)
        said.append(client.get("/").text + client.get("/config").text)
        cookie = client.cookies["polycite_login"]
        said.append(client.post("/login", data={"username": "ana", "password": PASSWORD + "?"}).text)
    everything = "\n".join([*said, caplog.text, *capfd.readouterr()])
    assert "as asked" in everything, "what failed is in the log"
    for secret in (TOKEN, PASSWORD, cookie, users.entries["ana"]):
        assert secret not in everything


def test_why_the_articles_do_not_open_is_for_insiders(users: Users, tmp_path: Path) -> None:
    def fail(settings: Settings, progress: Progress) -> Answerer:
        raise UserError("no folder /secret/place")

    opening = Opening(Settings(data=tmp_path), fail)
    opening.start()
    with TestClient(create_app(opening, Doors(Names("127.0.0.1"), users)), base_url=LOCAL) as client:
        while opening.status.state != "failed":
            time.sleep(0.02)
        assert client.get("/healthz").json() == {"status": "failed"}
        assert "secret" not in client.get("/login").text
        log_in(client)
        assert "secret" in client.get("/healthz").json()["error"]


def test_gradio_client_gets_in_by_password_and_by_token(users: Users, tmp_path: Path) -> None:
    opening = Opening(Settings(data=tmp_path), opener([]))
    opening.start()
    with serving(create_app(opening, Doors(Names("127.0.0.1"), users, (TOKEN,)))) as address:
        options = {"verbose": False, "analytics_enabled": False}
        for way in ({"auth": ("ana", PASSWORD)}, {"headers": {"Authorization": f"Bearer {TOKEN}"}}):
            assert Client(address, **options, **way).predict("gifts?", api_name="/ask")["answered"]
        for wrong in ({}, {"auth": ("ana", "wrong password")}):
            with pytest.raises((AuthenticationError, ValueError)):
                Client(address, **options, **wrong)


def test_the_page_says_who_has_logged_in(users: Users) -> None:
    from qa.page.frame import render_header
    from qa.page.opening import Status
    from qa.page.words import words

    header = render_header(words("sl"), None, Status(), "<ana>")
    assert re.search(r'<form method="post" action="logout"><button[^>]*title="&lt;ana&gt;">Odjava<', header)
    assert "logout" not in render_header(words("sl"), None, Status())
