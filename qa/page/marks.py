"""Escapes text and marks stretches of it by character offsets. Nothing else in the page turns text into HTML."""

import html


def escape(text: str) -> str:
    """The text as HTML that shows it, character for character, and never anything else."""
    # A parser turns a bare carriage return into a line feed, which would make a shown quote differ from its source.
    return html.escape(text, quote=True).replace("\r", "&#13;")


def attribute(name: str, value: object) -> str:
    """`` name="value"``, escaped."""
    return f' {name}="{escape(str(value))}"'


def marked(text: str, mark: tuple[int, int], around: str = "") -> str:
    """Escaped text with the characters ``mark[0]`` to ``mark[1]`` in a <mark>; the rest in spans of class ``around``.

    Offsets count characters of ``text`` and are cut to its length; an empty mark marks nothing.
    """
    start, end = clamp(mark, len(text))
    middle = f"<mark>{escape(text[start:end])}</mark>" if start < end else ""
    return _around(text[:start], around) + middle + _around(text[end:], around)


def shaded(text: str, shade: tuple[int, int], mark: tuple[int, int]) -> str:
    """Escaped text with ``shade`` set off as the excerpt and ``mark``, inside it, as the sentence that answers."""
    mark_start, mark_end = clamp(mark, len(text))
    start, end = clamp(shade, len(text))
    if mark_start < mark_end:
        start, end = min(start, mark_start), max(end, mark_end)
    if start >= end:
        return escape(text)
    inside = marked(text[start:end], (mark_start - start, mark_end - start))
    return f'{escape(text[:start])}<span class="pc-shade">{inside}</span>{escape(text[end:])}'


def clamp(span: tuple[int, int], length: int) -> tuple[int, int]:
    """The span cut to ``0 <= start <= end <= length``."""
    start = min(max(span[0], 0), length)
    return start, min(max(span[1], start), length)


def _around(text: str, style: str) -> str:
    if not style or not text:
        return escape(text)
    return f"<span{attribute('class', style)}>{escape(text)}</span>"
