"""Puts a question that was typed in Latin letters back into the script of its language.

"putin ne kim ko kya diya" is Hindi, "kogda on priehal" Russian, and an encoder that learnt from written texts knows few
of their words in that spelling. Each typed word is looked up among the language's frequent words (wordfreq), all
reduced to how they sound in Latin letters; which language it is, if any, the words tell together.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import islice
from typing import NamedTuple

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_LATIN = re.compile(r"[a-z']+")
_LEAST_WORDS = 3
_COMPARED = 3  # of the likeliest languages
_SURE = 0.9
_ALWAYS = ("en", "hr", "sl", "pl", "cs", "sk")  # compared with whatever the question may be in: much sounds alike
_COVERED = 0.4  # share of the letters in words that the language has
_MARGIN = 0.3  # by which its words must be more frequent (powers of ten) than those of any language in Latin letters
_ALIKE = 3.0  # powers of ten that a word spelt just as typed is the likelier for it
_UNKNOWN = 1.5  # the frequency (Zipf scale) that a word counts with which a language does not have
_COMMONEST, _HINTED = 400, 0.1
_TELLING = 12000  # of a language's words, from which it is told
_LISTED_AS = {"hr": "sh", "sr": "sh", "bs": "sh", "no": "nb", "tl": "fil"}
_RARE = 2.5  # rarer words are not looked up

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "h", "ц": "c", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
    "і": "i", "ї": "i", "є": "e", "ґ": "g",
}  # fmt: skip
_BULGARIAN = _CYRILLIC | {"ъ": "a", "щ": "sht"}
_TO_CYRILLIC = {
    "uyu": "ую", "ayu": "аю", "oyu": "ою", "eyu": "ею", "iyu": "ию", "aya": "ая", "oya": "оя", "eya": "ея", "iya": "ия",
    "uya": "уя", "shch": "щ", "sch": "щ", "zh": "ж", "kh": "х", "ts": "ц", "ch": "ч", "sh": "ш", "yu": "ю", "ju": "ю",
    "iu": "ю", "ya": "я", "ja": "я", "ia": "я", "yo": "ё", "jo": "ё", "iy": "ий", "yy": "ый", "oy": "ой", "oj": "ой",
    "ey": "ей", "ej": "ей", "ay": "ай", "aj": "ай", "uy": "уй", "yj": "ый", "ij": "ий", "a": "а", "b": "б", "v": "в",
    "w": "в", "g": "г", "d": "д", "e": "е", "z": "з", "i": "и", "j": "й", "k": "к", "l": "л", "m": "м", "n": "н",
    "o": "о", "p": "п", "r": "р", "s": "с", "t": "т", "u": "у", "f": "ф", "h": "х", "c": "ц", "y": "ы", "x": "кс",
    "'": "ь",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "ks", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "i", "φ": "f",
    "χ": "h", "ψ": "ps", "ω": "o", "ά": "a", "έ": "e", "ή": "i", "ί": "i", "ό": "o", "ύ": "i", "ώ": "o", "ϊ": "i",
    "ΐ": "i", "ϋ": "i", "ΰ": "i",
}  # fmt: skip
_CONSONANTS = dict(zip(
    "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह",
    "k kh g gh n ch chh j jh n t th d dh n t th d dh n p ph b bh m y r l v sh sh s h".split(),
    strict=True,
))  # fmt: skip
_VOWELS = dict(zip("अआइईउऊऋएऐओऔऑऍ", "a aa i ee u oo ri e ai o au o e".split(), strict=True))
_SIGNS = dict(zip("ािीुूृेैोौॉॅ", "aa i ee u oo ri e ai o au o e".split(), strict=True))
_DOTTED = {"j": "z", "d": "R", "dh": "Rh", "ph": "f"}
_SILENT, _DOT, _NASAL = "\u094d", "\u093c", "ंँ"
_SAME_SOUND = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        ("'", ""), ("shch|sch", "sch"), ("tz|ts", "c"), ("kh", "h"), ("y|j", "i"), ("ii+", "i"), ("w", "v"),
        ("x", "ks"), (r"([a-z])\1+", r"\1"),
    )
)  # fmt: skip
_SAME_SOUND_GREEK = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        ("8", "th"), ("mp", "b"), ("nt", "d"), ("gk|gg", "g"), ("ei|oi|ui|h(?=[^aeiou]|$)", "i"), ("ai", "e"),
        ("ou", "u"), ("ch|x", "h"), ("ph", "f"), ("y", "i"), ("w", "o"), ("b", "v"), (r"([a-z])\1+", r"\1"),
    )
)  # fmt: skip
_SAME_SOUND_HINDI = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        ("aa", "a"), ("ee|ii", "i"), ("oo|uu", "u"), ("ai|ei|ay(?![aeiou])", "e"), ("au|ou", "o"), ("w", "v"),
        ("ph", "f"), ("chh", "ch"), ("jh|z|x", "j"), ("q", "k"), ("gh", "g"), ("(?<=a)y(?=e)|(?<=i)y(?=a)", ""),
        ("ea", "ia"), ("e(?=h[^aeiou])", "a"), ("m(?=[bp])", "n"), (r"([a-z])\1+", r"\1"),
    )
)  # fmt: skip


class _Word(NamedTuple):
    word: str
    spelt: str  # in Latin letters
    frequency: float  # Zipf scale


class _Script(NamedTuple):
    spelt: Callable[[str], str]  # a word in its script, in Latin letters; "?" where it has others
    same: tuple[tuple[re.Pattern[str], str], ...]  # spellings of the same sound
    native: Mapping[str, str] = {}  # letters for those of a word that is not known

    def spellings(self, word: str) -> set[str]:
        """How a word of the language is typed."""
        spelt = self.spelt(word)
        return set() if "?" in spelt else {spelt.replace("R", r).replace("N", n) for r, n in (("r", "n"), ("d", ""))}

    def key(self, typed: str) -> str:
        """What spellings of a word have in common."""
        for pattern, by in self.same:
            typed = pattern.sub(by, typed)
        return typed


def _letters(alphabet: Mapping[str, str]) -> Callable[[str], str]:
    return lambda word: "".join(alphabet.get(letter, "?") for letter in word)


def _hindi(word: str) -> str:
    """In Latin letters, the vowel that every consonant carries dropped where it is not spoken (at a word's end)."""
    sounds: list[list[str]] = []
    for letter in word:
        if letter in _CONSONANTS:
            sounds.append([_CONSONANTS[letter], "a"])
        elif letter == _DOT and sounds:
            sounds[-1][0] = _DOTTED.get(sounds[-1][0], sounds[-1][0])
        elif letter == _SILENT and sounds:
            sounds[-1][1] = ""
        elif letter in _SIGNS and sounds:
            sounds[-1][1] = _SIGNS[letter] + "_"
        elif letter in _VOWELS:
            apart = "'" if letter in "उऊ" and sounds and sounds[-1][1].startswith("a") else ""  # no "au"
            sounds.append([apart, _VOWELS[letter] + "_"])
        elif letter in _NASAL:
            sounds.append(["n", ""])
        else:
            return "?"
    for i in range(1, len(sounds)):
        last = i == len(sounds) - 1
        between = not last and sounds[i - 1][1] and sounds[i + 1][1].endswith("_")
        if sounds[i][1] == "a" and (last or between):
            sounds[i][1] = ""
    vowels = [vowel.rstrip("_") for _, vowel in sounds]
    vowels[-1] = {"aa": "a", "ee": "i", "oo": "u"}.get(vowels[-1], vowels[-1])  # few type them long at the end
    spelt = "".join(sound[0] + vowel for sound, vowel in zip(sounds, vowels, strict=True))
    return f"{spelt[:-1]}N" if word[-1] in _NASAL else spelt  # a nasal at the end is often left out


_SCRIPTS = {
    "hi": _Script(_hindi, _SAME_SOUND_HINDI),
    "ru": _Script(_letters(_CYRILLIC), _SAME_SOUND, _TO_CYRILLIC),
    "uk": _Script(_letters(_CYRILLIC | {"и": "i", "г": "h"}), _SAME_SOUND, _TO_CYRILLIC | {"y": "и", "i": "і"}),
    "bg": _Script(_letters(_BULGARIAN), _SAME_SOUND, _TO_CYRILLIC | {"y": "й"}),
    "mk": _Script(_letters(_CYRILLIC | {"ј": "i", "љ": "li", "њ": "ni", "ќ": "k", "ѓ": "g", "џ": "dzh", "ѕ": "dz"}),
                  _SAME_SOUND),
    "el": _Script(_letters(_GREEK), _SAME_SOUND_GREEK),
}  # fmt: skip


def native_script(text: str, languages: Mapping[str, float]) -> str | None:
    """The text in the script of the language that it is typed in with Latin letters; None where it is in none.

    ``languages``: probabilities of those that it is in as it stands, likeliest first, with which it is compared.
    """
    typed = [word.lower() for word in _WORD.findall(text)]
    if len(typed) < _LEAST_WORDS or not all(_LATIN.fullmatch(word) for word in typed):
        return None
    likely = list(islice(languages, _COMPARED))
    if likely and languages[likely[0]] >= _SURE and not frequencies(likely[0]):
        return None  # nothing could be set against it
    best, found = "", 0.0
    for language in _SCRIPTS:
        # Reducing thousands of words to their keys takes a while, so a language is first told by its commonest.
        if _covered(typed, language, _COMMONEST) >= _HINTED and _covered(typed, language, _TELLING) >= _COVERED:
            score = _frequency(typed, language)
            best, found = max((best, found), (language, score), key=lambda each: each[1])
    if not best or found < _MARGIN + max(_plain_frequency(typed, each) for each in {*_ALWAYS, *likely}):
        return None
    return _WORD.sub(lambda word: _native(word[0], best), text)


def _covered(typed: Sequence[str], language: str, most: int) -> float:
    """The share of the letters that stands in words which the language has."""
    words, script = _words(language, most), _SCRIPTS[language]
    return sum(len(word) for word in typed if script.key(word) in words) / sum(map(len, typed))


def _frequency(typed: Iterable[str], language: str) -> float:
    words, script = _words(language, _TELLING), _SCRIPTS[language]
    known = ((word, words.get(script.key(word))) for word in typed)
    return _mean((word, found[0].frequency if found else _UNKNOWN) for word, found in known)


def _plain_frequency(typed: Iterable[str], language: str) -> float:
    words = frequencies(language)
    return _mean((word, words.get(word, _UNKNOWN)) for word in typed)


def _mean(words: Iterable[tuple[str, float]]) -> float:
    """Mean frequency, long words counting more: short ones are found in every language."""
    counted = [(min(len(word), 6), frequency) for word, frequency in words]
    return sum(n * frequency for n, frequency in counted) / sum(n for n, _ in counted)


def _native(word: str, language: str) -> str:
    """A typed word in the script: letter by letter, or as it is, where the language does not have it."""
    script, typed = _SCRIPTS[language], word.lower()
    known = _words(language).get(script.key(typed))
    if not known:
        return _spelt_out(typed, script.native) or word
    return max(known, key=lambda each: each.frequency + _ALIKE * SequenceMatcher(None, typed, each.spelt).ratio()).word


def _spelt_out(word: str, letters: Mapping[str, str]) -> str:
    """Letter by letter, several Latin ones for one where they stand for it."""
    spelt, at = "", 0
    while at < len(word) and letters:
        size = next((size for size in (4, 3, 2, 1) if word[at : at + size] in letters), 0)
        if not size:
            return ""
        spelt, at = spelt + letters[word[at : at + size]], at + size
    return spelt


@cache
def _words(language: str, most: int | None = None) -> Mapping[str, list[_Word]]:
    """Words by their keys, the most frequent first; ``most``: of the most frequent words alone."""
    script, found = _SCRIPTS[language], defaultdict[str, list[_Word]](list)
    for word, frequency in _zipf(language)[:most]:
        for spelt in script.spellings(word):
            found[script.key(spelt)].append(_Word(word, spelt, frequency))
    return dict(found)


def listed(word: str, language: str) -> bool:
    """Whether even the longest list of the language has a word; it takes a while to load."""
    from wordfreq import available_languages, word_frequency

    code = _LISTED_AS.get(language, language)
    return code in available_languages("best") and word_frequency(word, code, "best") > 0


@cache
def frequencies(language: str) -> Mapping[str, float]:
    """The words of a language and how frequent they are (Zipf scale), the most frequent first; none without a list."""
    return dict(_zipf(language))


@cache
def _zipf(language: str) -> list[tuple[str, float]]:
    """Words and their frequencies, the most frequent first."""
    from wordfreq import available_languages, get_frequency_dict

    code = _LISTED_AS.get(language, language)
    if code not in available_languages("small"):
        return []
    words = get_frequency_dict(code, "small")
    common = ((word, math.log10(share) + 9) for word, share in words.items())
    return sorted(((word, zipf) for word, zipf in common if zipf >= _RARE), key=lambda each: -each[1])
