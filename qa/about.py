"""What the collection holds, told from its own records: how many articles, in what languages, the newest, the oldest.

Every such question is answered by the same lines, narrowed down to a language or a time that it names: so none of them
is mistaken for another, in whatever language it is asked.
"""

from collections import Counter

import numpy as np

from index.collection import Collection
from qa.cldr import date_name, language_name, named_languages
from qa.excerpts import Excerpt, of_sentence
from qa.page.words import fixed, fixed_sentences
from qa.question import Question
from qa.ranking import Filters, admitted


def describe(question: Question, collection: Collection, filters: Filters, top: int) -> tuple[str, list[Excerpt]]:
    """The lines of the answer, and the first sentence of each article that they number, newest first."""
    chosen = admitted(question, collection, filters)
    named = named_languages(question.text, question.spoken, sorted({*fixed_sentences(), *collection.languages}))
    if named:
        chosen = [i for i in chosen if collection.languages[collection.article_languages[i]] in named]
    chosen.sort(key=lambda i: (-int(collection.article_dates[i]), collection.names[i]))
    # The oldest has a number, too.
    numbered = chosen[:top] if len(chosen) <= top else [*chosen[: top - 1], chosen[-1]]
    counted = Counter(collection.languages[collection.article_languages[i]] for i in chosen)
    firsts = np.searchsorted(collection.article_of, numbered).tolist()
    said = "\n".join(_lines(question.language, chosen, numbered, counted, collection))
    return said, [of_sentence(first) for first in firsts]


def _lines(
    language: str, chosen: list[int], numbered: list[int], counted: Counter[str], collection: Collection
) -> list[str]:
    shares = ", ".join(f"{language_name(code, language)}: {n}" for code, n in counted.most_common())
    lines = [f"{fixed(language, 'articles')}: {len(chosen)}" + (f" ({shares})" if shares else "")]
    for n, i in enumerate(numbered, 1):
        article = collection.articles[collection.names[i]]
        date = f" ({date_name(article.date, language)})" if article.date else ""
        last = i == chosen[-1] and len(chosen) > 1
        said = f"{fixed(language, 'newest')}: " if n == 1 else f"{fixed(language, 'oldest')}: " if last else ""
        lines.append(f"{said if article.date else ''}{article.title}{date} [{n}]")
    return lines
