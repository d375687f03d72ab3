"""Summaries made of the articles' own sentences.

Of one article, those that tell most: near to the middle of its own vectors, early ones before late ones, no two alike
(centroid and lead, Radev et al. 2004; maximal marginal relevance, Carbonell & Goldstein 1998). Of several articles one
or two each, newest first; what is near to the subject that is asked for comes before what tells most.
"""

import numpy as np
from numpy.typing import NDArray

from index.collection import Collection
from index.encoder import FloatMatrix
from qa.cldr import named_languages
from qa.excerpts import Excerpt, of_sentence
from qa.question import Question
from qa.ranking import Filters, admitted

_LEAD = 0.25  # what the first sentence is preferred by; halved every few sentences
_HALVED = 3  # sentences
_ALIKE = 0.6  # weight of likeness to what is chosen already
_NAMED = 0.1  # cosine that an article is preferred by whose language is named
_SUBJECT = 0.15  # cosine of the nearest sentence from which on a subject is taken to be asked for
_NEAR = 0.65  # of the best article's cosine: others above it are of the same subject
_ASKED = 4.0  # weight of nearness to the subject where several articles are summed up
_SHORTEST, _LONGEST = 40, 500  # characters of a sentence that tells something, and of one that can be quoted


def summarise(
    question: Question, subject: FloatMatrix, collection: Collection, filters: Filters, most: int, *, several: bool
) -> list[Excerpt]:
    """At most ``most`` sentences, in the order in which they are to be told; none where no article is left.

    ``subject``: what the question is about, a unit vector. ``several``: of what the articles tell of a subject or of a
    time, else of the one article that is meant.
    """
    articles = admitted(question, collection, filters)
    if not articles:
        return []
    nearness = collection.nearness(subject)
    worth = np.full(len(collection.names), -np.inf, np.float32)
    np.maximum.at(worth, collection.article_of, nearness)
    named = named_languages(question.text, question.spoken, collection.languages)
    preferred = np.array([code in named for code in collection.languages], np.bool_)
    worth[preferred[collection.article_languages]] += _NAMED
    articles.sort(key=lambda article: -worth[article])
    if not several:
        return [of_sentence(sentence) for sentence in _sentences(articles[0], collection, most, None)]
    best = worth[articles[0]]
    if best >= _SUBJECT:
        articles = [article for article in articles if worth[article] >= _NEAR * best]
    else:
        articles.sort(key=lambda article: -int(collection.article_dates[article]))
    chosen = articles[:most]
    each = max(1, min(2, most // len(chosen)))
    chosen.sort(key=lambda article: -int(collection.article_dates[article]))
    asked = _ASKED * nearness
    return [of_sentence(sentence) for article in chosen for sentence in _sentences(article, collection, each, asked)]


def _sentences(article: int, collection: Collection, most: int, asked: FloatMatrix | None) -> list[int]:
    """Sentences of an article that tell most, in its order; ``asked`` [sentences]: what each gains by the question."""
    rows = np.arange(*np.searchsorted(collection.article_of, [article, article + 1]))
    lengths = np.diff(collection.spans[rows], axis=1)[:, 0]
    fitting = rows[(lengths >= _SHORTEST) & (lengths <= _LONGEST)]
    rows = fitting if len(fitting) else rows
    vectors = collection.stored[rows]
    middle = vectors.mean(axis=0)
    worth = vectors @ (middle / (np.linalg.norm(middle) + 1e-9))
    worth += _LEAD * 0.5 ** (np.arange(len(rows)) / _HALVED)
    if asked is not None:
        worth += asked[rows]
    return sorted(rows[_unlike(worth, vectors, most)].tolist())


def _unlike(worth: FloatMatrix, vectors: FloatMatrix, most: int) -> NDArray[np.intp]:
    """Places of at most ``most`` rows, each worth much and unlike those before it."""
    chosen: list[int] = []
    likeness = np.zeros(len(worth), np.float32)
    for _ in range(min(most, len(worth))):
        value = worth - _ALIKE * likeness
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
        likeness = np.maximum(likeness, vectors @ vectors[chosen[-1]])
    return np.array(chosen)
