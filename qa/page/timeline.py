"""Articles over time by language, as SVG of our own: a stacked bar for every month, or year of a long span."""

from collections import Counter
from collections.abc import Sequence

from index.articles import Article
from qa.page.facts import date_shown, language_name
from qa.page.marks import attribute, escape
from qa.page.words import Words

_MOST_LANGUAGES = 6  # with a colour of their own
_MOST_MONTHS = 72
_WIDTH, _HEIGHT, _FOOT, _HEAD = 720.0, 160.0, 26.0, 24.0  # of the picture; room for text below and above
_WIDEST = 36.0  # of a bar
_ROOM, _EDGE = 64.0, 26.0  # that the number of a year takes, and half of it


def render_timeline(articles: Sequence[Article], words: Words) -> str:
    """The figure; "" where fewer than two articles are dated."""
    dated = [article for article in articles if article.date]
    if len(dated) < 2:
        return ""
    named = [code for code, _ in Counter(article.language for article in articles).most_common(_MOST_LANGUAGES)]
    periods = _periods([str(article.date) for article in dated])
    counts = Counter((str(article.date)[: len(periods[0])], _rank(article.language, named)) for article in dated)
    undated = len(articles) - len(dated)
    note = f'<span class="pc-lib-undated">{escape(words.count("lib_undated", undated))}</span>' if undated else ""
    title = escape(words.say("lib_plot"))
    legend = _legend(articles, named, words)
    return (
        f'<figure class="pc-lib-plot"><figcaption>{title}{note}</figcaption>'
        f"{_bars(periods, counts, words.say('lib_plot'))}{legend}</figure>"
    )


def _periods(dates: Sequence[str]) -> list[str]:
    """Every month from the first to the last date, or every year where these are too many."""
    first, last = min(dates)[:7], max(dates)[:7]
    count = (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1
    if count > _MOST_MONTHS:
        return [f"{year:04}" for year in range(int(first[:4]), int(last[:4]) + 1)]
    start = int(first[:4]) * 12 + int(first[5:]) - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(start, start + count)]


def _rank(language: str, named: Sequence[str]) -> int:
    return named.index(language) if language in named else _MOST_LANGUAGES


def _bars(periods: Sequence[str], counts: Counter[tuple[str, int]], name: str) -> str:
    totals = Counter[str]()
    for (period, _), n in counts.items():
        totals[period] += n
    highest, step = max(totals.values()), _WIDTH / len(periods)
    width = min(_WIDEST, step * 0.78)
    scale = (_HEIGHT - _FOOT - _HEAD) / highest
    shapes = [f'<line class="pc-lib-axis" x1="0" x2="{_WIDTH:.0f}" y1="{_HEIGHT - _FOOT}" y2="{_HEIGHT - _FOOT}"/>']
    for place, period in enumerate(periods):
        left, foot = place * step + (step - width) / 2, _HEIGHT - _FOOT
        for rank in range(_MOST_LANGUAGES + 1):
            if n := counts[period, rank]:
                foot -= n * scale
                shapes.append(
                    f'<rect class="pc-lib-c{rank}" x="{left:.1f}" y="{foot:.1f}" width="{width:.1f}" '
                    f'height="{n * scale:.1f}"/>'
                )
        if totals[period] and (len(periods) <= 24 or totals[period] == highest):
            shapes.append(f'<text x="{left + width / 2:.1f}" y="{foot - 4:.1f}">{totals[period]}</text>')
    shapes += [
        f'<text x="{min(max(_EDGE, (place + 0.5) * step), _WIDTH - _EDGE):.1f}" y="{_HEIGHT - 6}">{period[:4]}</text>'
        for place, period in _labelled(periods)
    ]
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" direction="ltr"{attribute("aria-label", name)}>'
        f"{''.join(shapes)}</svg>"
    )


def _labelled(periods: Sequence[str]) -> list[tuple[int, str]]:
    """The periods that bear the number of their year: the first of each year, as many as there is room for."""
    firsts = [
        (place, period) for place, period in enumerate(periods) if not place or period[:4] != periods[place - 1][:4]
    ]
    kept: list[tuple[int, str]] = []
    for place, period in firsts:
        if not kept or (place - kept[-1][0]) * _WIDTH / len(periods) >= 48:
            kept.append((place, period))
    return kept


def _legend(articles: Sequence[Article], named: Sequence[str], words: Words) -> str:
    counts = Counter(_rank(article.language, named) for article in articles)
    items = [
        f'<li><span class="pc-lib-key pc-lib-c{rank}" aria-hidden="true"></span>'
        f"{language_name(named[rank], words) if rank < len(named) else escape(words.say('lib_others'))} "
        f'<span class="pc-lib-n">{n}</span></li>'
        for rank, n in sorted(counts.items())
    ]
    dates = sorted(str(article.date)[:7] for article in articles if article.date)
    span = " – ".join(date_shown(date, words) for date in dict.fromkeys((dates[0], dates[-1])))
    return f'<ul class="pc-lib-legend">{"".join(items)}<li class="pc-lib-span">{span}</li></ul>'
