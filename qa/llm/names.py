"""How alike two spellings of a name are, across scripts and inflections: Путиным and Putin, Phenianit and Phenian."""

import re
from difflib import SequenceMatcher
from functools import lru_cache

_REWRITES = (
    (re.compile(r"sch|sh|sz|cz|tch|ch|zh|dzh|dj|gj|xh|ts|tz"), "s"), (re.compile(r"ph|v|w"), "f"),
    (re.compile(r"[ck]h?|q|x"), "k"), (re.compile(r"b"), "p"), (re.compile(r"l"), "r"), (re.compile(r"d|th"), "t"),
    (re.compile(r"g"), "k"), (re.compile(r"z|c|j(?=[aeiou])"), "s"), (re.compile(r"[aeiouyhj']"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
)  # fmt: skip
_KANA = re.compile(r"[\u3040-\u30ff]")
_ENDING = 3  # letters that inflection may add
_SHORTEST_SKELETON = 2
_SHORT_MATCH = 0.6  # two consonants agree by chance


def likeness(one: str, other: str, *, by_sound: bool = True) -> float:
    """From 0 to 1: whether two words are the same name written in other letters or with another ending.

    Without ``by_sound`` only a common beginning counts, as of a country and its adjective.
    """
    one, other = _latin(one), _latin(other)
    if not one or not other:
        return 0.0
    shorter = min(len(one), len(other))
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), shorter)
    if shared == shorter or (shared >= max(3, shorter - 2) and max(len(one), len(other)) - shared <= _ENDING + 1):
        return min(1.0, 0.75 + 0.25 * shared / shorter) if shared >= 3 or one == other else 0.5
    if not by_sound:
        return 0.5 * shared / shorter
    return max(SequenceMatcher(None, one, other).ratio(), 0.95 * _bones_alike(_bones(one), _bones(other)))


def _bones_alike(one: str, other: str) -> float:
    """The same for consonants alone: the shorter may be followed by an ending."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < _SHORTEST_SKELETON:
        return 0.0
    if longer.startswith(shorter) and len(longer) - len(shorter) <= _ENDING - 1:
        return 1.0 if len(shorter) > _SHORTEST_SKELETON else _SHORT_MATCH
    return SequenceMatcher(None, one, other).ratio()


def stands_in(word: str, text: str) -> bool:
    """Whether the consonants of a name, three at least, follow each other in a text of a script without spaces."""
    bones = _bones(_latin(word))
    return len(bones) > _SHORTEST_SKELETON and bones in _bones(_latin(text))


@lru_cache(maxsize=20_000)
def _latin(word: str) -> str:
    """A word in lower-case Latin letters, whatever its script."""
    from anyascii import anyascii

    latin = re.sub(r"[^a-z]", "", anyascii(word).lower())
    if _KANA.search(word):  # Putin is Puuchin
        latin = latin.replace("chi", "ti").replace("tsu", "tu").replace("ji", "di")
    return latin


@lru_cache(maxsize=20_000)
def _bones(word: str) -> str:
    """The consonants of a word, those that languages write differently made one."""
    for pattern, letter in _REWRITES:
        word = pattern.sub(letter, word)
    return word
