"""The folder of articles as it is found: emptied, unmounted, oddly named, full of links; and what is kept of it."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from documents import pdf
from toy_encoder import ToyEncoder

from index.collection import Collection
from index.errors import UserError
from index.folder import LeftOut, scan
from index.formats.guard import Extractor
from index.settings import PROJECT, Settings
from index.sync import SyncReport, sync
from qa.engine import Engine

_AGO = time.time() - 3600


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_text("The ship left the harbour. It carried grain.")
    (folder / "b.pdf").write_bytes(pdf(["The museum opened its doors."]))
    age(folder)
    return folder


def age(folder: Path) -> None:
    """Sets times back, so that no file counts as changing still; the time of change of its entry cannot be set."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (_AGO, _AGO))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were just written count as old."""
    monkeypatch.setattr("index.texts._FRESH", -(10**12))


def run(corpus: Path, *, allow_empty: bool = False, rebuild: bool = False) -> tuple[SyncReport, Collection, ToyEncoder]:
    encoder = ToyEncoder()
    settings = Settings(corpus=corpus, store=str(corpus.parent / "store"), allow_empty=allow_empty)
    report, collection = sync(settings, encoder, rebuild=rebuild)
    return report, collection, encoder


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the files that are parsed."""
    sizes: list[int] = []
    real = Extractor.extract

    def extract(self: Extractor, kind: str, raw: bytes) -> object:
        sizes.append(len(raw))
        return real(self, kind, raw)  # type: ignore[arg-type]

    monkeypatch.setattr(Extractor, "extract", extract)
    return sizes


@pytest.mark.usefixtures("settled")
def test_an_unchanged_folder_is_not_even_opened(
    corpus: Path, parsed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first, _ = run(corpus)
    assert len(parsed) == 2
    with monkeypatch.context() as patch:
        patch.setattr("index.reading.read_bytes", lambda name, path: pytest.fail(f"opened {name}"))
        report, second, encoder = run(corpus)
    assert len(parsed) == 2 and encoder.encoded == [] and report.unchanged == 2
    assert second.articles == first.articles
    assert np.array_equal(second.stored, first.stored)


def test_a_file_that_may_be_changing_still_is_read_but_not_parsed_again(corpus: Path, parsed: list[int]) -> None:
    run(corpus)
    run(corpus)
    assert len(parsed) == 2


@pytest.mark.usefixtures("settled")
def test_a_change_that_keeps_size_and_time_is_seen(corpus: Path, parsed: list[int]) -> None:
    run(corpus)
    time.sleep(0.02)  # the clock of a file system ticks in steps of up to 10 ms
    (corpus / "a.txt").write_text("The ship left the harbour. It carried stone.")
    os.utime(corpus / "a.txt", (_AGO, _AGO))
    report, collection, _ = run(corpus)
    assert report.changed == 1 and len(parsed) == 3
    assert collection.articles["a.txt"].text.endswith("stone.")


@pytest.mark.usefixtures("settled")
def test_moved_and_copied_files_are_not_parsed_again(corpus: Path, parsed: list[int]) -> None:
    run(corpus)
    (corpus / "b.pdf").rename(corpus / "z.pdf")
    (corpus / "copy.pdf").write_bytes((corpus / "z.pdf").read_bytes())
    _, collection, _ = run(corpus)
    assert set(collection.names) == {"a.txt", "copy.pdf", "z.pdf"} and len(parsed) == 2


@pytest.mark.usefixtures("settled")
def test_what_cannot_be_read_is_not_tried_again_until_it_is_asked_for(corpus: Path, parsed: list[int]) -> None:
    (corpus / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    first, _, _ = run(corpus)
    second, _, _ = run(corpus)
    assert first.left_out == second.left_out and first.left_out[0].name == "broken.pdf"
    assert len(parsed) == 3
    run(corpus, rebuild=True)
    assert len(parsed) == 6


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("damage", ["garbage", "flip", "rows"])
def test_a_damaged_cache_of_texts_is_made_again(corpus: Path, parsed: list[int], damage: str) -> None:
    _, first, _ = run(corpus)
    path = corpus.parent / "store" / "texts.sqlite"
    if damage == "garbage":
        path.write_bytes(b"no database" * 500)
    else:
        with sqlite3.connect(path) as connection:
            change = "replace(CAST(record AS TEXT), 'ship', 'shop')" if damage == "flip" else "'{}'"
            connection.execute(f"UPDATE texts SET record = CAST({change} AS BLOB)")  # noqa: S608 - ours
        connection.close()
    _, second, _ = run(corpus)
    assert second.articles == first.articles
    assert len(parsed) > 2


def test_an_empty_folder_is_not_taken_for_deleted_articles(corpus: Path) -> None:
    _, first, _ = run(corpus)
    aside = corpus.rename(corpus.with_name("aside"))
    with pytest.raises(UserError, match="there is no folder"):
        run(corpus)
    corpus.mkdir()  # an empty mount point
    with pytest.raises(UserError, match=r"holds no article.*--allow-empty"):
        run(corpus)
    corpus.rmdir()
    aside.rename(corpus)
    report, again, encoder = run(corpus)
    assert (report.unchanged, report.added, encoder.encoded) == (2, 0, [])
    assert np.array_equal(again.stored, first.stored)


def test_an_empty_folder_that_is_meant_is_forgotten(corpus: Path) -> None:
    run(corpus)
    for path in corpus.iterdir():
        path.unlink()
    report, collection, encoder = run(corpus, allow_empty=True)
    assert report.removed == 2 and collection.articles == {} and len(collection.spans) == 0
    engine = Engine(Settings(corpus=corpus), encoder, collection, report)
    answer = engine.ask("Where is the ship?")
    assert not answer.answered and answer.citations == () and answer.answer
    (corpus / "c.txt").write_text("Rain fell.")
    assert run(corpus)[0].added == 1


ODD_NAMES = (
    "new\nline.txt", "\u202etxt.exe.txt", "x" * 251 + ".txt", "A.txt", "a b\t'\"<i>&amp;.txt", "@1:2.txt", "é.txt",
    "e\u0301.txt", "😀.txt", "-rf.txt", "%2e%2e.txt", "مقال.txt", "con.txt", "trailing. .txt",
)  # fmt: skip


def test_odd_names_are_names_like_others(corpus: Path) -> None:
    for n, name in enumerate(ODD_NAMES):
        (corpus / name).write_text(f"Article number {n} has words of its own.")
    report, collection, _ = run(corpus)
    assert report.left_out == () and set(ODD_NAMES) <= set(collection.names)
    again, _, encoder = run(corpus)
    assert again.unchanged == len(ODD_NAMES) + 2 and encoder.encoded == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps such names")
def test_a_name_that_is_no_text_is_left_out_in_one_line(corpus: Path) -> None:
    (corpus / os.fsdecode(b"caf\xe9.txt")).write_text("Words.")
    (corpus / os.fsdecode(b"d\xff")).mkdir()
    (corpus / os.fsdecode(b"d\xff") / "in.txt").write_text("Words.")
    report, _, _ = run(corpus)
    why = "has a name that is no Unicode text: rename it"
    assert report.left_out == (LeftOut("caf\\xe9.txt", why), LeftOut("d\\xff/in.txt", why))
    assert report.added == 2


def test_links_are_named_and_not_followed(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("A secret outside of the folder.")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "more.txt").write_text("More secrets.")
    links = {"out.txt": tmp_path / "secret.txt", "dir": tmp_path / "outside", "loop": corpus, "self": corpus / "self"}
    for name, target in links.items():
        (corpus / name).symlink_to(target)
    os.mkfifo(corpus / "pipe.txt")
    report, collection, _ = run(corpus)
    assert set(collection.names) == {"a.txt", "b.pdf"}
    said = {each.name: each.reason for each in report.left_out}
    assert set(said) == {*links, "pipe.txt"}
    assert all("links are not followed" in said[name] for name in links)


def test_a_folder_inside_that_cannot_be_read_is_named(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (corpus / "closed").mkdir()
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("index.folder.os.scandir", scandir)
    found = scan(corpus)
    assert found.left_out == (LeftOut("closed/", "cannot be read (Permission denied)"),)
    assert [file.name for file in found.files] == ["a.txt", "b.pdf"]
    with pytest.raises(UserError, match="cannot be read"):
        scan(corpus / "closed")


def test_a_store_that_cannot_be_written_gets_one_line(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(corpus=corpus, store=str(tmp_path / "file" / "store"))
    with pytest.raises(UserError, match=r"cannot be written \(Not a directory\): make room or mend its rights"):
        sync(settings, ToyEncoder())


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as only Linux does")
@pytest.mark.parametrize("most", [0, 200_000])
def test_a_full_disk_gets_one_line_and_loses_nothing(corpus: Path, most: int) -> None:
    for n in range(60):
        (corpus / f"{n}.txt").write_text(f"Article {n} has words. It has {n} words more, and then some others.")
    code = (
        "import resource, signal, sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path; from toy_encoder import ToyEncoder\n"
        "from index.settings import Settings; from index.sync import sync; from index.errors import UserError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))\n"
        "try: sync(Settings(corpus=Path(sys.argv[1]), store=sys.argv[1] + '/../store'), ToyEncoder())\n"
        "except UserError as error: print('SAID', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, corpus, str(most)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert [line[:4] for line in done.stdout.splitlines()] == ["SAID"], done.stdout + done.stderr
    assert "cannot be written" in done.stdout
    report, collection, _ = run(corpus)
    assert len(collection.articles) == 62 and report.left_out == ()
