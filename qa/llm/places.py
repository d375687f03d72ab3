"""Countries, and cities that CLDR knows, by name in any language, inflected or as an adjective: "Severno Korejo" is KP.

A capital often stands for its country, so that a city counts as the country it lies in.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PARTICLE = 2  # letters; "e", "of", "di" inside a name need not agree
_CODE = re.compile(r"[A-Z]{2}")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_ARTICLE = re.compile(r"^[وبكف]?(?:ال|لل)")
_OTHER_SCRIPT = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def places(text: str, language: str, *, lenient: bool) -> set[str]:
    """ISO 3166 codes of the countries that a text names. ``lenient`` also takes words that only begin alike."""
    folded = fold(text)
    if _OTHER_SCRIPT.search(folded):
        return {code for name, code in _names(language) if len(name) > 1 and "".join(name.split()) in folded}
    words = [fold(word) for word in _WORD.findall(text) if lenient or not word[0].islower()]
    return {code for name, code in _names(language) if _stands(tuple(name.split()), words, lenient)}


def fold(text: str) -> str:
    """Lower case, without accents."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i").replace("-", " "))
    return "".join(c for c in folded if not unicodedata.combining(c))


def _stands(name: tuple[str, ...], words: list[str], lenient: bool) -> bool:
    """Whether the words of a name follow each other in a text, give or take their endings."""
    parts = [part for part in name if len(part) > _PARTICLE or len(name) == 1]
    for at, word in enumerate(words if parts else ()):
        if not _alike(parts[0], word, lenient):
            continue
        rest = iter(words[at + 1 : at + 1 + 2 * len(parts)])
        if all(any(_alike(part, other, lenient) for other in rest) for part in parts[1:]):
            return True
    return False


def _alike(part: str, word: str, lenient: bool) -> bool:
    """Whether a word is a form of a part of a name: it shares all but the last letters, and is not much longer."""
    part = part.removeprefix("ال")
    if len(part) <= 3:
        return part == word
    stem = part[: max(4, len(part) - 1)] if not lenient else part[: max(3, len(part) - 3)]
    forms = [word] if not _ARABIC.match(word) else [word, word[1:], _ARTICLE.sub("", word)]
    return any(form.startswith(stem) for form in forms) and len(word) <= len(part) + (5 if lenient else 3)


@cache
def _names(language: str) -> tuple[tuple[str, str], ...]:
    """Folded names and country codes in a language; none where CLDR does not know it."""
    return tuple({(fold(name).strip(), code) for name, code in _cldr(language) if len(name) > 1 and fold(name).strip()})


def _cldr(language: str) -> Iterator[tuple[str, str]]:
    from babel import Locale, UnknownLocaleError
    from babel.core import get_global

    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return
    for code, name in locale.territories.items():
        if _CODE.fullmatch(code):
            yield name, code
    zones = get_global("zone_territories")
    english = {zone: zone.rsplit("/", 1)[-1].replace("_", " ") for zone in zones}
    for zone, code in zones.items():
        city = dict(locale.time_zones.get(zone, {})).get("city")
        if city or "Etc" not in zone:
            yield str(city or english[zone]), code
