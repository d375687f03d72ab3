"""The Corpus tab over the HTTP interface: what it takes, what it refuses, and that it never leaves its folder."""

import errno
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from documents import pdf
from starlette.testclient import TestClient
from toy_encoder import ToyEncoder

from index.articles import Article
from index.settings import Settings
from index.sync import sync
from qa.engine import Engine
from qa.page import corpus_api
from qa.page.corpus_view import Row, Wish, chosen
from qa.page.library import indexed
from qa.page.narrowing import EVERYTHING, Narrowing, parse_narrowing, render_chips
from qa.page.opening import Opening, Progress
from qa.page.server import create_app
from qa.page.timeline import render_timeline
from qa.page.trash import DAYS, Trash
from qa.page.uploads import file_name
from qa.page.words import words


class Site:
    """The application over a folder of its own, and a browser of it."""

    def __init__(self, root: Path) -> None:
        self.root, self.corpus = root, root / "corpus"
        self.corpus.mkdir()
        (self.corpus / "a.txt").write_text("The ship left the harbour.")
        (root / "secret.txt").write_text("A secret.")
        self.opening = Opening(Settings(corpus=self.corpus, data=root / "data"), self._open)
        self.app = create_app(self.opening)
        self.browser = self.new_browser()

    @staticmethod
    def _open(settings: Settings, progress: Progress) -> Engine:
        encoder = ToyEncoder()
        report, collection = sync(settings, encoder, progress=progress)
        return Engine(settings, encoder, collection, report)

    def new_browser(self) -> TestClient:
        client = TestClient(self.app)
        client.get("/")
        return client

    def post(self, action: str, content: bytes = b"", **query: str) -> dict[str, Any]:
        answered = self.browser.post(f"/page/corpus/{action}", params=query, content=content)
        assert answered.status_code == 200, answered.text
        return dict(answered.json())

    def names(self) -> set[str]:
        return set(self.opening.engine.articles) if self.opening.engine else set()

    def wait_for(self, *names: str) -> None:
        end = time.monotonic() + 20
        while self.names() != set(names):
            assert time.monotonic() < end, self.names()
            time.sleep(0.02)

    def files(self) -> set[str]:
        return {path.relative_to(self.root).as_posix() for path in self.corpus.rglob("*")}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr("qa.page.library._SHORTEST_PAUSE", 0.05)
    running = Site(tmp_path)
    running.opening.start()
    running.wait_for("a.txt")
    yield running
    running.opening.closed = True


def test_upload_delete_and_restore(site: Site) -> None:
    assert indexed(site.opening.engine)
    kept = site.post("upload", pdf(["Penguins."]), name="../x/b.PDF")
    assert (kept["name"], kept["same"], kept["replaced"]) == ("b.pdf", False, "")
    site.wait_for("a.txt", "b.pdf")
    assert site.post("upload", pdf(["Penguins."]), name="b.pdf")["same"]
    deleted = site.post("delete", name="b.pdf")
    site.wait_for("a.txt")
    assert site.files() == {"corpus/a.txt"}
    assert site.post("restore", key=deleted["key"])["name"] == "b.pdf"
    site.wait_for("a.txt", "b.pdf")
    assert "not in the trash" in site.post("restore", key=deleted["key"])["error"]


def test_only_an_emptying_in_the_page_is_believed(site: Site) -> None:
    deleted = site.post("delete", name="a.txt")
    site.wait_for()
    site.post("restore", key=deleted["key"])
    site.wait_for("a.txt")
    (site.corpus / "a.txt").rename(site.root / "a.txt")  # by somebody else
    end = time.monotonic() + 20
    while "holds no article" not in site.browser.get("/page/corpus/state").json()["error"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert site.names() == {"a.txt"}


REFUSED = (
    ("x.exe", b"MZ", "none of the kinds"), ("", b"words", "none of the kinds"), ("noending", b"w", "none of the"),
    (".txt", b"words", "none of the kinds"), ("x.pdf", b"words", "x.pdf: is named like a PDF"),
    ("x.txt", b"", "x.txt: holds no text"), ("x.txt", b"\0\1", "x.txt: is not text"),
    ("A.txt", b"Words.", "differs from 'a.txt' by capitals alone"), ("x.docx", b"PK\x03\x04", "x.docx: is damaged"),
    ("x.md", b"word " * 11_000_000, "x.md: has more than 50,000,000 bytes"),
)  # fmt: skip


def test_what_cannot_be_taken_is_refused_by_name(site: Site) -> None:
    for name, content, said in REFUSED:
        assert said in site.post("upload", content, name=name)["error"]
    assert site.files() == {"corpus/a.txt"}


def test_only_articles_can_be_deleted_and_only_what_was_deleted_restored(site: Site) -> None:
    (site.corpus / "link.txt").symlink_to(site.root / "secret.txt")
    for name in (
        "../secret.txt",
        "/etc/hosts",
        "..",
        ".",
        "",
        "nothing.txt",
        "a.txt/",
        "./a.txt",
        "link.txt",
        "a\0.txt",
    ):
        assert "not there" in site.post("delete", name=name)["error"]
    for key in ("", "..", "../../corpus", "20240101-000000-00000000", "x" * 5000, "\n"):
        assert "not in the trash" in site.post("restore", key=key)["error"]
    assert (site.root / "secret.txt").read_text() == "A secret." and (site.corpus / "a.txt").exists()


def test_other_pages_can_change_nothing(site: Site) -> None:
    stranger = TestClient(site.app)  # has never loaded the page
    for action in ("upload", "delete", "restore"):
        address = f"/page/corpus/{action}?name=a.txt"
        assert stranger.post(address, content=b"Words.").status_code == 400
        for origin in ("http://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"):
            refused = site.browser.post(address, content=b"Words.", headers={"Origin": origin})
            assert refused.status_code == 403 and "pages of other servers" in refused.json()["error"]
    own = site.browser.post("/page/corpus/delete?name=a.txt", headers={"Origin": "http://testserver"})
    assert own.json()["name"] == "a.txt"


def test_a_full_disk_loses_neither_the_old_version_nor_the_new_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    said = site.post("upload", b"New words.", name="b.txt")["error"]
    assert said == "b.txt: cannot be kept (No space left on device): make room or mend the rights"
    assert "No space" in site.post("upload", b"New words.", name="a.txt")["error"]
    assert site.files() == {"corpus/a.txt"}
    assert (site.corpus / "a.txt").read_text() == "The ship left the harbour."


def test_names_of_uploads() -> None:
    names = {
        "C:\\docs\\Ein Brief.PDF": "Ein Brief.pdf", "..\\..\\x.txt": "x.txt", "a\n\u202eb.txt": "a b.txt",
        ".hidden.txt": "hidden.txt", "x" * 300 + ".md": "x" * 197 + ".md", "é" * 150 + ".txt": "é" * 98 + ".txt",
        "e\u0301.txt": "é.txt", 'a<b>:"c.html': "a_b___c.html", "مقال.docx": "مقال.docx",
    }  # fmt: skip
    assert {asked: file_name(asked) for asked in names} == names


def test_trash_forgets_after_a_month(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    trash = Trash(tmp_path / "trash", corpus)
    for name in ("old.txt", "new.txt"):
        (corpus / name).write_text(name)
    old, new = trash.put("old.txt"), trash.put("new.txt")
    about = tmp_path / "trash" / old.key / "about.json"
    long_ago = (datetime.now(UTC) - timedelta(days=DAYS + 1)).isoformat(timespec="seconds")
    about.write_text(json.dumps({"name": "old.txt", "when": long_ago}))
    trash.empty_old()
    assert [deleted.key for deleted in trash.all()] == [new.key]
    (tmp_path / "trash" / new.key / "about.json").write_text("{")
    assert trash.all() == []


def test_tab_bears_any_query(site: Site) -> None:
    for query in ("page=99999999", "page=-1", "page=x", "sort=nonsense", "down=x", "text=%00%ff", "language=<b>",
                  "since=9999-99", "until=-1", "ui=../x", "text=" + "x" * 5000, "page=²"):  # fmt: skip
        for path in ("/page/corpus", "/page/corpus/list"):
            assert site.browser.get(f"{path}?{query}").status_code == 200, query
    assert site.browser.get("/page/corpus/state").json()["ready"] is True


def test_a_fault_of_ours_is_one_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_api, "render_body", lambda *given: 1 / 0)
    answered = site.browser.get("/page/corpus/list")
    assert answered.status_code == 500 and answered.json() == {"error": ""}


def article(name: str, date: str | None, language: str, title: str = "") -> Article:
    return Article(name, "Words.", "0", date, title or name, language, 0)


ARTICLES = [
    article("a", "2023-05", "en", "Zebra"), article("b", "2024-06-18", "sq", "apple"),
    article("c", None, "en", "Mango"), article("d", "2024-07", "de", "Äpfel"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("narrowing", "names"),
    [
        (EVERYTHING, "abcd"), (Narrowing(language="en"), "ac"), (Narrowing(since="2024-06"), "bd"),
        (Narrowing(until="2024-06"), "ab"), (Narrowing("en", "2024-01"), ""),
        (Narrowing(None, "2023-01", "2024-06"), "ab"),
    ],
)  # fmt: skip
def test_narrowing_admits_what_the_engine_would(narrowing: Narrowing, names: str, tmp_path: Path) -> None:
    assert "".join(each.name for each in ARTICLES if narrowing.admits(each)) == names
    rows = [Row(each.name, "ready", each, 1) for each in ARTICLES] + [Row("x", "left_out", reason="is bad")]
    found = chosen(rows, Wish(narrowing=narrowing, sort="title", down=False))
    assert {row.name for row in found} == set(names) | (set() if narrowing else {"x"})


def test_narrowing_and_engine_agree(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for n, date in enumerate(("date 2023-05 ", "date 2024-06 ", "", "date 2024-07 ")):
        (corpus / f"{n}.txt").write_text(f"{date}The ship left the harbour for the {n}th time in the long year.")
    encoder = ToyEncoder()
    settings = Settings(corpus=corpus, data=tmp_path / "data")
    report, collection = sync(settings, encoder)
    engine = Engine(settings, encoder, collection, report)
    for narrowing in (Narrowing(since="2024-06"), Narrowing(until="2024-06"), Narrowing("en", "2023-01", "2024-06"),
                      Narrowing(language="sq"), EVERYTHING):  # fmt: skip
        cited = {citation.article for citation in engine.ask("ship harbour", **narrowing.options).citations}
        assert cited == {each.name for each in engine.articles.values() if narrowing.admits(each)}


def test_what_browsers_send_for_a_narrowing() -> None:
    assert parse_narrowing({"language": "sq", "since": "2024-01", "until": ""}) == Narrowing("sq", "2024-01")
    wrong: tuple[object, ...] = (None, 3, [], {"language": "<b>", "since": "2024-13", "until": 7}, {"language": ["sq"]})
    for given in wrong:
        assert parse_narrowing(given) == EVERYTHING
    assert Narrowing("sq", "2024-01").without("language") == Narrowing(None, "2024-01")
    assert Narrowing("sq").without("__class__") == Narrowing("sq")
    assert render_chips(EVERYTHING, words("en")) == ""
    assert render_chips(Narrowing("sq", "2024-01", "2024-02"), words("sl")).count("pc-only-drop") == 3


def test_sorting() -> None:
    rows = [Row(each.name, "ready", each, n) for n, each in enumerate(ARTICLES)] + [Row("x", "left_out", reason="bad")]

    def order(sort: str, down: bool) -> str:
        return "".join(row.name for row in chosen(rows, Wish(sort=sort, down=down)))

    assert order("date", True) == "xdbac" and order("sentences", True)[:3] == "dcb"
    assert order("title", False) == "xbcad" and order("language", False)[1] == "d" and order("state", False)[0] == "x"


def test_timeline() -> None:
    here = words("en")
    drawn = render_timeline(ARTICLES, here)
    assert drawn.count("<rect") == 3 and "undated: 1" in drawn
    assert render_timeline(ARTICLES[2:], here) == ""
    many = [article(str(n), f"{1900 + n}-01", f"l{n % 9}") for n in range(90)]
    drawn = render_timeline(many, here)
    assert drawn.count("<rect") == 90 and "pc-lib-c6" in drawn and "others" in drawn and "1989-12" not in drawn
