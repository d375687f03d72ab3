"""The collection follows the folder: twice is once, nothing is left behind, damage is mended."""

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_encoder import ToyEncoder

from index.collection import Collection
from index.encoder import SentenceTransformerEncoder
from index.errors import UserError
from index.settings import Settings
from index.store import Store, row_ids
from index.sync import SyncReport, fingerprint, sync
from index.vectors import DamagedRecordError, EncodedArticle, VectorCache
from qa.engine import Engine


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_text(" date 2024-06 The ship left the harbour. It carried grain to the south.")
    (folder / "b.txt").write_text("The museum opened its doors. A painting was stolen at night.")
    (folder / "c.txt").write_text("Rain fell for a week. The river rose by two metres.")
    return folder


def run(
    corpus: Path, encoder: ToyEncoder | None = None, rebuild: bool = False
) -> tuple[SyncReport, Collection, ToyEncoder]:
    encoder = encoder or ToyEncoder()
    report, collection = sync(Settings(corpus=corpus, store=str(corpus.parent / "store")), encoder, rebuild=rebuild)
    return report, collection, encoder


def fingerprint_of(encoder: ToyEncoder) -> str:
    return fingerprint(encoder)


def counts(report: SyncReport) -> tuple[int, int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged, report.sentences_encoded


def same(one: Collection, other: Collection) -> bool:
    """Whether two collections hold the same and find the same."""
    arrays = ("stored", "spans", "passage_of", "article_of")
    return one.names == other.names and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


def stored_texts(corpus: Path, encoder: ToyEncoder) -> set[str]:
    with Store(corpus.parent / "store" / "chroma", fingerprint_of(encoder)) as store:
        return set(store._collection.get(include=["documents"])["documents"] or [])


def test_twice_encodes_nothing_the_second_time(corpus: Path) -> None:
    first, _, _ = run(corpus)
    second, _, encoder = run(corpus)
    assert counts(first) == (3, 0, 0, 0, 6)
    assert counts(second) == (0, 0, 0, 3, 0)
    assert encoder.encoded == []


def test_changed_and_deleted_files_leave_nothing_behind(corpus: Path) -> None:
    run(corpus)
    (corpus / "a.txt").write_text("The ship sank. Nobody was hurt.")
    (corpus / "b.txt").unlink()
    (corpus / "d.txt").write_text("A new bridge was built.")
    report, collection, encoder = run(corpus)
    assert counts(report) == (1, 1, 1, 1, 3)
    texts = {collection.text(i) for i in range(len(collection.spans))}
    assert texts == stored_texts(corpus, encoder)
    assert not any("harbour" in text or "museum" in text for text in texts)
    assert set(collection.names) == {"a.txt", "c.txt", "d.txt"}


def test_moved_file_is_not_encoded_again(corpus: Path) -> None:
    run(corpus)
    (corpus / "a.txt").rename(corpus / "z.txt")
    report, _, encoder = run(corpus)
    assert (report.added, report.removed, report.sentences_encoded) == (1, 1, 0)
    assert encoder.encoded == []


def test_touching_a_file_changes_nothing(corpus: Path) -> None:
    run(corpus)
    (corpus / "a.txt").touch()
    report, _, _ = run(corpus)
    assert counts(report) == (0, 0, 0, 3, 0)


def test_same_text_twice_stays_two_articles(corpus: Path) -> None:
    shutil.copy(corpus / "a.txt", corpus / "copy.txt")
    _, collection, _ = run(corpus)
    assert {"a.txt", "copy.txt"} <= set(collection.names)
    (corpus / "a.txt").unlink()
    _, collection, _ = run(corpus)
    assert "copy.txt" in collection.names and "a.txt" not in collection.names


def test_other_settings_rebuild_and_say_so(corpus: Path) -> None:
    run(corpus)
    report, _, encoder = run(corpus, ToyEncoder("other"))
    assert counts(report) == (3, 0, 0, 0, 6)
    assert any("settings changed" in note and "other" in note for note in report.notes)
    assert len(encoder.encoded) == 6


def test_other_passages_rebuild(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(corpus)
    monkeypatch.setattr("index.sync.LONGEST", 777)
    report, _, encoder = run(corpus)
    assert any("settings changed" in note for note in report.notes)
    assert report.added == 3 and len(encoder.encoded) == 6


def test_rebuild_uses_cached_vectors(corpus: Path) -> None:
    run(corpus)
    report, _, encoder = run(corpus, rebuild=True)
    assert report.added == 3 and report.sentences_encoded == 0 and encoder.encoded == []


def test_lost_rows_come_back(corpus: Path) -> None:
    _, collection, encoder = run(corpus)
    with Store(corpus.parent / "store" / "chroma", fingerprint_of(encoder)) as store:
        store.delete(row_ids(collection.articles["a.txt"], 1))
    report, again, _ = run(corpus)
    assert report.notes == ("the files of the collection are not as they were left: it is written anew",)
    assert report.sentences_encoded == 0
    assert same(again, collection)
    assert len(stored_texts(corpus, encoder)) == 6


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["chroma.sqlite3", "*/header.bin", "*/data_level0.bin", "*/length.bin"])
def test_damaged_chroma_is_rebuilt_without_encoding(corpus: Path, pattern: str) -> None:
    _, collection, _ = run(corpus)
    damaged = list((corpus.parent / "store" / "chroma").glob(pattern))
    for path in damaged:
        path.write_bytes(b"garbage" * 100)
    report, again, encoder = run(corpus)
    assert encoder.encoded == [] and report.sentences_encoded == 0
    assert same(again, collection)


def test_damaged_cache_is_made_again(corpus: Path) -> None:
    _, collection, _ = run(corpus)
    (corpus.parent / "store" / "vectors.sqlite").write_bytes(b"not a database at all" * 50)
    report, again, _ = run(corpus)
    assert report.sentences_encoded == 6
    assert same(again, collection)


def test_flipped_byte_in_a_record_is_found(corpus: Path) -> None:
    _, collection, _ = run(corpus)
    path = corpus.parent / "store" / "vectors.sqlite"
    with sqlite3.connect(path) as connection:
        key, record = connection.execute("SELECT key, record FROM articles LIMIT 1").fetchone()
        broken = bytearray(record)
        broken[len(broken) // 3] ^= 255
        connection.execute("UPDATE articles SET record = ? WHERE key = ?", (bytes(broken), key))
    _, again, _ = run(corpus)
    assert same(again, collection)


@pytest.mark.slow
def test_damaged_tokens_are_found_and_mended(corpus: Path, encoder: SentenceTransformerEncoder) -> None:
    settings = Settings(corpus=corpus, store=str(corpus.parent / "store"))
    report, collection = sync(settings, encoder)
    engine = Engine(settings, encoder, collection, report)
    before = engine.ask("Which ship left the harbour?")
    with sqlite3.connect(corpus.parent / "store" / "vectors.sqlite") as connection:
        codes = connection.execute("SELECT codes FROM tokens LIMIT 1").fetchone()[0]
        broken = bytes([codes[0] ^ 1]) + codes[1:]
        connection.execute("UPDATE tokens SET codes = ? WHERE codes = ?", (broken, codes))
    with pytest.raises(DamagedRecordError):
        collection.passage_tokens(collection.passage_of)
    after = engine.ask("Which ship left the harbour?")
    assert after.citations == before.citations and engine.report.sentences_encoded == 2
    assert engine.collection.passage_tokens(collection.passage_of).sentences.size


def test_nothing_changed_means_the_collection_is_not_opened(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, collection, _ = run(corpus)
    monkeypatch.setattr("index.sync.Store", lambda *given: pytest.fail("opened"))
    report, again, _ = run(corpus)
    assert counts(report) == (0, 0, 0, 3, 0) and same(again, collection)


def test_adding_an_article_reads_no_other_record(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, collection, encoder = run(corpus)
    (corpus / "d.txt").write_text("A new bridge was built.")
    read: list[str] = []
    get = VectorCache.get

    def spy(cache: VectorCache, key: str) -> EncodedArticle | None:
        read.append(key)
        return get(cache, key)

    monkeypatch.setattr(VectorCache, "get", spy)
    report, grown = sync(Settings(corpus=corpus, store=str(corpus.parent / "store")), encoder, previous=collection)
    assert counts(report) == (1, 0, 0, 3, 1) and set(read) == {grown.loaded["d.txt"].key}


def test_adding_is_like_building_anew(corpus: Path, tmp_path: Path) -> None:
    run(corpus)
    (corpus / "d.txt").write_text("A new bridge was built. It is long.")
    _, grown, _ = run(corpus)
    _, fresh = sync(Settings(corpus=corpus, store=str(tmp_path / "fresh")), ToyEncoder())
    assert same(grown, fresh)


def test_empty_folder_keeps_the_collection(corpus: Path) -> None:
    _, _, encoder = run(corpus)
    moved = corpus.rename(corpus.with_name("elsewhere"))
    corpus.mkdir()
    with pytest.raises(UserError, match="holds no article"):
        run(corpus)
    assert len(stored_texts(corpus, encoder)) == 6
    assert moved.exists()


def test_bad_files_are_named(corpus: Path) -> None:
    (corpus / "image.png").write_bytes(b"\x89PNG\0\0")
    report, _, _ = run(corpus)
    assert [left_out.name for left_out in report.left_out] == ["image.png"]
    assert report.added == 3


EDITS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from(["", "One. Two.", "Two.", "Three is here.\n\nFour."]))
)


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_any_edits_end_as_a_fresh_index(edits: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("edits")
    corpus = root / "corpus"
    corpus.mkdir()
    (corpus / "always.txt").write_text("Always here.")
    for name, text in edits:
        path = corpus / f"{name}.txt"
        if text:
            path.write_text(text)
        else:
            path.unlink(missing_ok=True)
        _, collection, encoder = run(corpus)
    _, collection, encoder = run(corpus)
    _, fresh = sync(Settings(corpus=corpus, store=str(root / "fresh")), ToyEncoder())
    assert collection.names == fresh.names
    assert same(collection, fresh)
    assert {collection.text(i) for i in range(len(collection.spans))} == stored_texts(corpus, encoder)
