"""Training batches: the right sentence is where it should be, nothing else that answers counts as wrong."""

from pathlib import Path

import numpy as np
import pytest

from index.settings import PROJECT
from training.groups import Claims, Questions, Source, Statements, article_questions, carelessly, own_rows
from training.pairs import Sentences, corpora, kept_back
from training.reader import halves

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


def confusable() -> dict[str, list[Source]]:
    """Sources of what is in the repository."""
    rows = own_rows(OWN / "confusable", frozenset())
    asked = [each for row in rows for each in row.asked]
    texts = [row.text for row in rows]
    claims = [each for row in rows for each in row.claims]
    kinds = (Questions([a for a in asked if a.lines], texts), Questions([a for a in asked if not a.lines], texts))
    return {"own": [*kinds], "statements": [Statements(rows)], "own claims": [Claims(claims)]}


def test_every_question_comes_with_both_labels() -> None:
    """Of each question one window answers and one does not, and the sentence that answers is where it should be."""
    found = confusable()
    labels = []
    for seed in range(150):
        for kind in ("own", "statements"):
            group = found[kind][seed % len(found[kind])].group(np.random.default_rng(seed))
            assert group is not None and group.head == "answers" and len({e.asked for e in group.examples}) <= 2
            labels.append(sorted(example.label for example in group.examples))
            for example in group.examples:
                assert bool(example.gold) == example.label and all(i < len(example.sentences) for i in example.gold)
    assert np.mean([each == [False, True] for each in labels]) > 0.9


def test_claims_come_in_pairs_before_the_same_window() -> None:
    (source,) = confusable()["own claims"]
    for seed in range(60):
        group = source.group(np.random.default_rng(seed))
        assert group is not None and group.head == "supports"
        true, false, *elsewhere = group.examples
        assert (true.label, false.label) == (True, False) and true.sentences == false.sentences
        assert all(each.asked == true.asked and not each.label for each in elsewhere)


def test_articles_of_ours_are_asked_where_they_answer() -> None:
    asked = list(article_questions(OWN))
    assert len(asked) > 1300
    for row in asked[::25]:
        (sentences,) = row.text.versions.values()
        assert all(0 <= line < len(sentences) for line in row.lines)


def test_what_is_typed_carelessly_keeps_its_letters() -> None:
    typed = {carelessly("Kaj je dal Šojgu?", np.random.default_rng(seed)) for seed in range(200)}
    assert typed == {"Kaj je dal Šojgu?", "KAJ JE DAL ŠOJGU?", "kaj je dal šojgu?", "Kaj je dal Šojgu",
                     "Kaj je dal Sojgu?"}  # fmt: skip


def test_batches_are_made_in_two_halves_without_loss() -> None:
    found = confusable()
    batch = [
        group
        for kind in found
        for seed in range(5)
        if (group := found[kind][0].group(np.random.default_rng(seed))) is not None
    ]
    parts = halves(batch)
    assert len(parts) == 2 and sorted(map(id, batch)) == sorted(id(group) for part in parts for group in part)
