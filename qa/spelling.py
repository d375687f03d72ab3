"""What a careless typist meant: capitals alone, Latin letters for another script, exchanged letters, missing accents.

A word is put right only where neither its language (wordfreq's list) nor the articles have it as it stands, and one of
them has what it is a slip of.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from qa.transliteration import frequencies, listed, native_script

_ACRONYM = 4  # letters at most
_SHOUTED = 2  # words that are no acronym
_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 5  # letters of a word that is put right
_SHORTEST_ACCENTED = 3
_OFTEN = 3.0  # frequency (Zipf scale) of what a word is put right to
_MORE = 1.0  # powers of ten by which the accented form must be more frequent
_SURE = 0.5  # probability of the language
Occurs = Callable[[str], bool]
_ALSO = {"ł": "l", "đ": "d", "ı": "i", "ø": "o"}


def as_meant(text: str, languages: Mapping[str, float], occurs: Occurs) -> str:
    """The text as a careful person would have typed it, or as it is.

    ``languages``: probabilities, likeliest first; ``occurs``: whether the articles have a word, which then is no slip.
    """
    text = unshouted(text)
    native = native_script(text, languages)
    if native is not None:
        return native
    language = next((code for code, share in languages.items() if share >= _SURE), None)
    return corrected(text, language, occurs) if language else text


def unshouted(text: str) -> str:
    """A text typed in capitals alone in small letters, which is how the encoder knows its words; any other as it is."""
    words = sum(len(word) > _ACRONYM and word.isupper() for word in text.split())
    return text.lower() if words >= _SHOUTED and text == text.upper() != text.lower() else text


def corrected(text: str, language: str, occurs: Occurs) -> str:
    """Words with two letters exchanged put right; and accents put where the whole text has none."""
    known = frequencies(language)
    accents = _accented(language) if all(bare(letter) == letter for letter in text) else {}

    def right(word: re.Match[str]) -> str:
        typed = word[0].lower()
        if len(typed) >= _SHORTEST_ACCENTED and typed in accents:
            return _as_typed(word[0], accents[typed])
        if len(typed) < _SHORTEST or typed in known or not typed.isalpha() or occurs(word[0]):
            return word[0]
        slips = [_as_typed(word[0], each) for each in _exchanged(typed)]
        named = [each for each in slips if occurs(each)]
        # What begins with a capital may be a name that no list has.
        often = [each for each in slips if known.get(each, 0.0) >= _OFTEN] if word[0] == typed else []
        if not (named or often) or listed(typed, language):
            return word[0]
        return named[0] if named else max(often, key=known.__getitem__)

    return _WORD.sub(right, text)


def bare(letter: str) -> str:
    """A letter without its accent, in the scripts in which people leave them out."""
    base = unicodedata.normalize("NFD", letter)[0]
    base = _ALSO.get(base, base)
    return base if unicodedata.name(base, "").startswith(("LATIN", "GREEK")) else letter


def _as_typed(typed: str, meant: str) -> str:
    return meant.capitalize() if typed[0].isupper() else meant


def _exchanged(word: str) -> Iterator[str]:
    """All that become the word when two neighbouring letters are exchanged."""
    for i in range(len(word) - 1):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


@cache
def _accented(language: str) -> Mapping[str, str]:
    """The accented word for a bare one that the language has far more rarely, or not at all."""
    known, found = frequencies(language), dict[str, str]()
    for word, frequency in known.items():  # the most frequent first
        plain = "".join(map(bare, word))
        if plain != word and frequency >= _OFTEN and frequency >= known.get(plain, 0.0) + _MORE:
            found.setdefault(plain, word)
    return found
