"""A whole article as the reading panel shows it, one excerpt shaded and the answering sentence marked."""

from dataclasses import dataclass

from index.articles import Article
from qa.page.facts import date_shown, language_name
from qa.page.marks import attribute, escape, shaded
from qa.page.words import Words


@dataclass(frozen=True)
class Place:
    """What to set off in an article, in characters of its text."""

    excerpt: tuple[int, int] = (0, 0)
    highlight: tuple[int, int] = (0, 0)


def render_article(article: Article, place: Place, words: Words) -> str:
    """The article for the panel. The head that only carries the date is left out of the text."""
    begin = min([article.body, *(at[0] for at in (place.excerpt, place.highlight) if at[0] < at[1])])
    text = shaded(article.text[begin:], _moved(place.excerpt, -begin), _moved(place.highlight, -begin))
    facts = f"{date_shown(article.date, words)} · {language_name(article.language, words)} · "
    language = attribute("lang", article.language)
    return (
        '<header class="pc-article-head">'
        f'<h2 class="pc-article-title" dir="auto"{language}>{escape(article.title)}</h2>'
        f'<p class="pc-facts">{facts}<span class="pc-file" dir="ltr">{escape(article.name)}</span></p></header>'
        f'<div class="pc-article-text" dir="auto"{language}>{text}</div>'
    )


def _moved(span: tuple[int, int], by: int) -> tuple[int, int]:
    return span[0] + by, span[1] + by
