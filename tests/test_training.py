"""Training batches: the right sentence is where it should be, nothing else that answers counts as wrong."""

from pathlib import Path

import numpy as np
import pytest

from index.settings import PROJECT
from training.pairs import Sentences, corpora, kept_back

OWN = PROJECT / "benchmarks" / "training"


@pytest.mark.parametrize("seed", range(3))
def test_batches_of_our_own_texts(seed: int) -> None:
    source = corpora(OWN)
    pairs = source.batch(56, np.random.default_rng([1, seed]))
    assert pairs == source.batch(56, np.random.default_rng([1, seed])), "a batch depends on its seed alone"
    assert 40 <= len(pairs) <= 56
    languages = {source.texts[pair.keys[0][0]][0] for pair in pairs}
    assert 1 < len(languages) <= 5
    for pair in pairs:
        assert len(pair.sentences) == len(pair.keys) and pair.answered_by == {pair.keys[pair.gold]}
        name, line = pair.keys[pair.gold]
        assert source.texts[name][1][line] == pair.sentences[pair.gold]


def test_questions_in_the_language_of_their_text_are_no_more_than_chance() -> None:
    source = corpora(OWN)
    asked = {(row[0], row[2]): row[1] for rows in source.by_language.values() for row in rows}
    same = []
    for seed in range(20):
        for pair in source.batch(56, np.random.default_rng(seed)):
            key = next(iter(pair.answered_by))
            same.append(asked[pair.asked, key] == source.texts[key[0]][0])
    assert np.mean(same) <= 0.25


def test_short_pairs_and_what_is_kept_back(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(f'{{"lang": "x{i % 4}", "src": "s{i}", "en": "e{i // 2}"}}\n' for i in range(80)), "utf-8")
    pairs = Sentences(path).batch(20, np.random.default_rng(1))
    assert len({pair.keys for pair in pairs}) == len(pairs) == 20
    assert all(pair.asked[0] != pair.sentences[0][0] for pair in pairs), "the two sides are of different languages"
    names = [f"n{i:02d}" for i in range(24)]
    assert kept_back(names) == kept_back(names[::-1]) == {"n05", "n13", "n21"}
