"""Everything at once, as a user has it: ``polycite serve`` in a process that cannot leave this machine; a browser."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index.encoder import Encoder
from index.settings import PROJECT, SEEDS

pytestmark = pytest.mark.slow

GIFTS = "What gifts did Putin give to Kim?"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Python imports a module of this name at its start, in every process that has the folder on its path.
BLOCKER = """
import ipaddress, sys

def guard(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback:
            raise OSError(f"blocked: {address}")
    if event == "socket.getaddrinfo" and arguments[0] not in (None, "", "localhost", "127.0.0.1", "::1", b"127.0.0.1"):
        raise OSError(f"blocked: {arguments[0]}")

sys.addaudithook(guard)
"""


@pytest.fixture(scope="module")
def environment(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a process whose network ends at loopback; the encoder has been built before."""
    assert encoder.dimension == 384
    folder = tmp_path_factory.mktemp("blocked")
    (folder / "sitecustomize.py").write_text(BLOCKER)
    path = os.pathsep.join([str(folder), str(PROJECT)])
    return {**os.environ, "PYTHONPATH": path, "POLYCITE_STORE": str(folder / "store")}


@pytest.fixture(scope="module")
def address(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a served app that is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    command = [sys.executable, "-m", "qa.cli", "serve", "--port", str(port)]
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=environment, cwd=log.parent, stdout=output, stderr=subprocess.STDOUT) as server,
    ):
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def wait_until_ready(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answered:  # noqa: S310 - our own server
                if json.load(answered)["status"] == "ready":
                    return
        except (urllib.error.URLError, TimeoutError):
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def post(address: str, **body: Any) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(f"{address}/api/ask", json.dumps(body).encode())  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=60) as answered:  # noqa: S310
            return answered.status, json.load(answered)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_blocker_blocks(environment: dict[str, str]) -> None:
    script = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert "blocked: " in done.stderr


def test_index_and_ask_without_network(environment: dict[str, str], tmp_path: Path) -> None:
    """The first thing a process does with a fresh store."""
    place = environment | {"POLYCITE_STORE": str(tmp_path / "store")}
    for arguments in (["index", "--json"], ["ask", GIFTS, "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "qa.cli", *arguments],
            env=place,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout)


def test_http_interface(address: str) -> None:
    status, answer = post(address, question=GIFTS)
    assert status == 200 and answer["answered"]
    for citation in answer["citations"]:
        text = (SEEDS / citation["article"]).read_text(encoding="utf-8")
        assert citation["text"] == text[citation["start"] : citation["end"]]
    status, wrong = post(address, question="")
    assert status == 400 and "empty" in wrong["error"]


# What a person types, what is to come of it, and the article that stands first, or None for none at all.
CONVERSATIONS = {
    "en": [
        ("hi there!", "chat", None),
        ("which articles do you have?", "about", "00"),
        ("What gifts did Putin give to Kim?", "answer", "004"),
        ("And what did he get in return?", "leaning", "004"),
        ("thank you!", "chat", None),
        ("what happened in July 2023?", "summary", "002"),
        ("HOW MUCH DID THE CAR COST?", "declined", "00"),
        ("summarise the Slovenian article", "summary", "001"),
        ("who is Ankit Panda, and where is Putin going after North Korea?", "answer", "002"),
        ("ok, bye", "chat", None),
    ],
    "sl": [
        ("živjo", "chat", None),
        ("koliko člankov je v albanščini?", "about", "00"),
        ("Kateri avto je Putin podaril Kim Džong Unu?", "answer", "004"),
        ("What did Kim give him in return?", "leaning", "004"),
        ("hvala lepa", "chat", None),
        ("povzemi slovenski članek", "summary", "001"),
        ("kam bo putin odpotoval po obisku severne koreje", "answer", "001"),
        ("Živjo! Koga je Lavrov sprejel v Moskvi? Hvala.", "answer", "003"),
        ("Koliko stane karta za bled?", "declined", "00"),
        ("adijo", "chat", None),
    ],
    "zh": [
        ("你好", "chat", None),
        ("你是谁？", "chat", None),
        ("普京送了金正恩一辆什么车？", "answer", "004"),
        ("那金正恩送给他什么？", "leaning", "004"),
        ("谢谢", "chat", None),
        ("2023年7月发生了什么？", "summary", "002"),
        ("最新的文章是哪篇？", "about", "00"),
        ("普京访问朝鲜后将去哪里？", "answer", "00"),
        ("法国的首都是哪里？", "declined", "00"),
        ("再见", "chat", None),
    ],
}
SHOWN = {
    "chat": ".pc-told", "about": ".pc-told", "summary": ".pc-quotes", "answer": ".pc-quotes", "leaning": ".pc-alone",
    "declined": ".pc-declined",
}  # fmt: skip


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: the page is not tested in a browser")
@pytest.mark.parametrize("language", CONVERSATIONS)
def test_a_conversation_of_ten_turns(address: str, language: str) -> None:
    """Each turn gets what a person expects of it, whatever was spoken of before."""
    from playwright.sync_api import sync_playwright

    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page(viewport={"width": 1100, "height": 900}, locale=language, reduced_motion="reduce")
        page.set_default_timeout(60_000)
        page.goto(address)
        for i, (typed, kind, article) in enumerate(CONVERSATIONS[language]):
            page.fill("#pc-question textarea", typed)
            page.press("#pc-question textarea", "Enter")
            turn = page.locator(".pc-turn").nth(i)
            turn.locator(".pc-confidence, .pc-told, .pc-quotes, .pc-declined").first.wait_for()
            page.wait_for_function("!document.querySelector('.pc-is-waiting')")
            assert turn.locator(SHOWN[kind]).count(), (typed, turn.inner_text())
            assert bool(turn.locator(".pc-confidence").count()) == (kind in ("answer", "leaning", "declined")), typed
            files = [str(each.get_attribute("data-article")) for each in turn.locator(".pc-card").all()]
            assert files[0].startswith(article) if article else not files, (typed, files)
            if folder := os.environ.get("POLYCITE_SCREENSHOTS"):
                page.screenshot(path=str(Path(folder) / f"conversation-{language}-{i}.png"))
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: the page is not tested in a browser")
def test_gifts_in_a_browser(address: str) -> None:
    """Typed into the page, the question is answered from article 004; a click opens it at the gifts."""
    from playwright.sync_api import sync_playwright

    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page(viewport={"width": 1360, "height": 860}, locale="en-US", reduced_motion="reduce")
        page.set_default_timeout(60_000)
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        page.fill("#pc-question textarea", GIFTS)
        page.press("#pc-question textarea", "Enter")
        page.locator(".pc-turn .pc-confidence").first.wait_for()
        page.locator('.pc-turn .pc-chip[data-cite="1"]').first.click()
        page.wait_for_selector("#pc-panel mark")
        marked = str(page.locator("#pc-panel mark").text_content())
        assert "Aurus" in marked or "një kamë dhe një set çaji" in marked
        assert page.locator("#pc-panel .pc-file").text_content() == "004_d3aeb010e0d73a70.txt"
        assert all(url.startswith((address, "data:")) for url in requests)
        if folder := os.environ.get("POLYCITE_SCREENSHOTS"):
            page.screenshot(path=str(Path(folder) / "answer.png"))
        browser.close()
