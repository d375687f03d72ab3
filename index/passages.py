"""Groups sentences into passages: the context that a sentence's vector carries."""

import math
from dataclasses import dataclass

from index.sentences import Span

LONGEST = 1000  # characters of a passage, unless one sentence is longer
SHORTEST = 300  # characters below which a paragraph is joined by the next one


@dataclass(frozen=True)
class Passage:
    """Sentences ``first`` to ``last`` (exclusive) of an article, and the characters they span."""

    span: Span
    first: int
    last: int


def group_passages(
    sentences: list[Span], blocks: list[Span], longest: int = LONGEST, shortest: int = SHORTEST
) -> list[Passage]:
    """Passages over ``sentences``, in order, every sentence in exactly one.

    A passage follows the paragraphs (``blocks``): short ones are joined, one longer than ``longest`` is cut into
    parts of about equal length at the ends of sentences.
    """
    groups: list[list[int]] = []
    for paragraph in _by_block(sentences, blocks):
        first, last = sentences[paragraph[0]], sentences[paragraph[-1]]
        begun = sentences[groups[-1][0]].start if groups else 0
        joins = groups and sentences[groups[-1][-1]].end - begun < shortest and last.end - begun <= longest
        if joins:
            groups[-1].extend(paragraph)
        elif last.end - first.start <= longest:
            groups.append(paragraph)
        else:
            groups.extend(_cut(sentences, paragraph, longest))
    return [Passage(Span(sentences[g[0]].start, sentences[g[-1]].end), g[0], g[-1] + 1) for g in groups]


def _by_block(sentences: list[Span], blocks: list[Span]) -> list[list[int]]:
    """Indices of the sentences of each paragraph."""
    paragraphs: list[list[int]] = [[] for _ in blocks]
    block = 0
    for i, sentence in enumerate(sentences):
        while blocks[block].end < sentence.end:
            block += 1
        paragraphs[block].append(i)
    return [p for p in paragraphs if p]


def _cut(sentences: list[Span], paragraph: list[int], longest: int) -> list[list[int]]:
    size = sentences[paragraph[-1]].end - sentences[paragraph[0]].start
    target = size / math.ceil(size / longest)
    parts: list[list[int]] = [[]]
    for i in paragraph:
        begun = sentences[parts[-1][0]].start if parts[-1] else sentences[i].start
        # A sentence goes where its middle lies, so that the parts come out about even.
        if parts[-1] and (sentences[i].start + sentences[i].end) / 2 - begun > target:
            parts.append([])
        parts[-1].append(i)
    return parts
