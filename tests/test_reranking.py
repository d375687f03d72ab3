"""What is read, and what becomes of the order: with a toy reader, whose every word is known beforehand."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_encoder import ToyEncoder
from toy_reader import ToyReader

from index.collection import Collection
from index.settings import SEEDS, Settings
from index.sync import sync
from qa.engine import Engine
from qa.question import understand
from qa.ranking import rank
from qa.reader import Reading
from qa.reranking import MOST_READ, Read, Reranker, Window, choose_windows, passage_of, reorder

QUESTION = "Kdaj je bil podpisan sporazum?"


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    place = Settings(corpus=SEEDS, store=str(tmp_path_factory.mktemp("store")))
    return sync(place, ToyEncoder())[1]


def test_windows_lie_within_passages_and_share_no_sentence(collection: Collection) -> None:
    ranking = rank(understand(QUESTION, ToyEncoder(), collection), collection)
    ranking = replace(ranking, pieces=np.full(len(ranking.sentences), 50, np.int32))
    windows = choose_windows(ranking, collection, 10)
    assert windows[0].first <= ranking.sentences[0] <= windows[0].last
    seen: set[int] = set()
    for window in windows:
        rows = range(window.first, window.last + 1)
        assert not seen & set(rows) and 1 <= len(rows) <= 2, "of 50 pieces each, two fit"
        assert len({int(collection.passage_of[row]) for row in rows}) == 1
        seen |= set(rows)
        passage = passage_of(window, collection)
        text = collection.articles[collection.names[collection.article_of[window.first]]].text
        start = int(collection.spans[window.first, 0])
        assert passage.text == text[start : start + len(passage.text)]
        for row, begin in zip(rows, passage.starts, strict=True):
            assert passage.text[begin:].startswith(collection.text(row))


def test_the_reader_moves_what_answers_to_the_front(collection: Collection) -> None:
    ranking = rank(understand(QUESTION, ToyEncoder(), collection), collection)
    last = int(ranking.sentences[-1])
    sure = Read(Window(last, last), Reading(20.0, 0.0, np.array([6.0], np.float32)))
    doubtful = Read(Window(*[int(ranking.sentences[0])] * 2), Reading(-20.0, 0.0, np.array([-6.0], np.float32)))
    new = reorder(ranking, [doubtful, sure], answers=1.0, sentence=1.0)
    assert int(new.sentences[0]) == last
    assert sorted(new.sentences.tolist()) == sorted(ranking.sentences.tolist())
    assert (np.diff(new.scores) <= 0).all()
    where = [ranking.sentences.tolist().index(row) for row in new.sentences.tolist()]
    assert (ranking.nearness[where] == new.nearness).all() and (ranking.pieces[where] == new.pieces).all()
    assert reorder(ranking, []) is ranking


def test_less_is_read_where_the_first_is_plain(collection: Collection) -> None:
    sentence = collection.text(int(len(collection.spans) // 2))
    for asked, most in ((" ".join(sentence.split()), 4), ("zzz yyy xxx", MOST_READ)):
        reader = ToyReader()
        question = understand(asked, ToyEncoder(), collection)
        _, read = Reranker(reader).rerank(question, rank(question, collection), collection)
        assert len(read) == len(reader.read_passages) <= most
        assert len(read) == most or most == MOST_READ


def test_less_is_read_for_each_the_more_ask(collection: Collection) -> None:
    reader = ToyReader()
    reader.hold.clear()
    reranker = Reranker(reader)
    question = understand("zzz yyy xxx", ToyEncoder(), collection)
    ranking = rank(question, collection)
    counts: dict[int, int] = {}

    def ask(i: int) -> None:
        counts[i] = len(reranker.rerank(question, ranking, collection)[1])

    askers = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for asker in askers:
        asker.start()
        assert reader.waiting.acquire(timeout=30)
    reader.hold.set()
    for asker in askers:
        asker.join(30)
    assert counts[0] > counts[3] >= 2, counts


def test_an_engine_without_a_reader_is_another_state(collection: Collection, tmp_path: Path) -> None:
    place = Settings(corpus=SEEDS, store=str(tmp_path))
    report, own = sync(place, ToyEncoder())
    with_reader, without = (Engine(place, ToyEncoder(), own, report, reader=each) for each in (ToyReader(), None))
    assert with_reader.state != without.state
    assert with_reader.ask(QUESTION).citations and without.ask(QUESTION).citations
