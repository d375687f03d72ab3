"""The numbers in a text, in digits of any script, in words of some twenty languages, and in Chinese characters."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Vowel signs of Indic scripts and of Thai are letters here, although Unicode calls them marks.
LETTER = r"(?:[^\W\d_]|[\u0300-\u036f\u064b-\u065f\u0900-\u0963\u0980-\u0d7f\u0e31-\u0e4e])"
_TOKEN = re.compile(rf"\d+(?:[.,'’\u00a0\u202f]\d+)*|{LETTER}+(?:['’]{LETTER}+)*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,'’\u00a0\u202f]\d{3})+")
_SPACED = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")
_HAN = re.compile(r"\d[\d.]*[十百千万萬亿億][\d.十百千万萬亿億]*|[零〇一二两兩三四五六七八九十百千万萬亿億数數幾几]+")
_COUNTED = re.compile(r"[年月日人个個次天小时時度名周週岁歳代届回歩步段位件艘隻只条票枚冊本]")
_HAN_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_HANGUL = str.maketrans("십백천만억", "十百千万億")
_HANGUL_RUN = re.compile(
    r"\d[\d.]*[십백천만억]+"
    r"|(?<![가-힣])[일이삼사오육칠팔구]?[십백천만억][일이삼사오육칠팔구십백천만억]*(?= ?[명원년개인마톤])"
)
_HANGUL_DIGITS = str.maketrans("일이삼사오육칠팔구", "一二三四五六七八九")
_CONNECTORS = frozenset("of de di des d e y und and in i и і та і ja en na و".split())
_SAME = {"bs": "hr", "sr": "hr", "mk": "hr", "be": "ru", "bg": "ru", "gl": "pt", "ca": "es"}
_UNSURE = ("th", "vi", "ko", "bn", "sw", "id")  # scales and a few words only
_TELLING = 3  # digits from which on the same ones are the same number in another unit
_LONGEST_ENDING = 3  # letters that inflection may add to a stem
_SCALE = 100
_SHORT_SCALE = re.compile(r"(\d+(?:[.,]\d+)?)(m|k|bn)\b")  # €95m; or metres, so that it is never required
_SHORT_SCALES = {"m": 10**6, "k": 1000, "bn": 10**9}


@dataclass(frozen=True)
class Number:
    """One number as it may be read (``1.500`` is 1500 or 1.5); ``required``: it cannot be another word.

    ``pieces`` are the numbers that it may be made of: 18 and 6 in ``18.6.``
    """

    values: frozenset[float]
    required: bool
    start: int
    pieces: frozenset[float] = frozenset()

    def among(self, known: AbstractSet[float]) -> bool:
        """Whether it is one of some values, all its pieces are, or its digits are: 562 cm are 5.62 m."""
        if self.values & known or (self.pieces and self.pieces <= known):
            return True
        digits = {_significant(value) for value in self.values}
        return any(len(each) >= _TELLING for each in digits) and bool(digits & {_significant(value) for value in known})


def find_numbers(text: str, language: str) -> list[Number]:
    """Every number of a text, in order."""
    text = _western(text)
    return sorted([*_in_tokens(text, language), *_in_han(text)], key=lambda number: number.start)


def knows_words(language: str) -> bool:
    """Whether small numbers in words are found reliably in a language."""
    return language in ("zh", "ja") or (language not in _UNSURE and bool(_lexicon(_SAME.get(language, language))))


def values_of(text: str, language: str) -> set[float]:
    """Every value that a text may be said to name."""
    return {value for number in find_numbers(text, language) for value in number.values | number.pieces}


def _western(text: str) -> str:
    """Digits of every script as 0-9, and 10 000 written together."""
    text = "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in text)
    text = _HANGUL_RUN.sub(lambda match: match[0].translate(_HANGUL).translate(_HANGUL_DIGITS), text)
    return _SPACED.sub("", text)


def _in_tokens(text: str, language: str) -> Iterator[Number]:
    """Numbers in digits and words; words that stand together ("twenty-four", "10 million") make one."""
    run: list[_Part] = []
    end = 0
    for match in _TOKEN.finditer(text):
        if match[0][0].isdigit() and text[match.end() : match.end() + 1] in _HAN_SCALES:
            continue
        if run and match[0].casefold() in _CONNECTORS and not match[0][0].isdigit():
            end = match.end()
            continue
        found = _read(match[0], language)
        if run and (found is None or match[0][0].isdigit() or text[end : match.start()].strip(" -\u2010\u2011")):
            yield _one(run)
            run = []
        if run and found and run[0].in_digits and max(found[0]) < _SCALE:
            yield _one(run)
            run = []
        if found:
            in_digits = match[0][0].isdigit()
            pieces = _pieces(match[0]) if in_digits else frozenset()
            run.append(_Part(*found, match.start(), pieces, in_digits))
        end = match.end()
    if run:
        yield _one(run)
    for match in _SHORT_SCALE.finditer(text):
        yield Number(frozenset({_float(match[1].replace(",", ".")) * _SHORT_SCALES[match[2]]}), False, match.start())


@dataclass(frozen=True)
class _Part:
    """A token that is or may be a number."""

    values: frozenset[float]
    certain: bool
    start: int
    pieces: frozenset[float]
    in_digits: bool  # then only a scale can follow

    @property
    def value(self) -> float:
        """The likeliest one before a scale: 2.5 in "2.5 million"."""
        return next((value for value in self.values if value % 1), max(self.values))


def _one(run: list[_Part]) -> Number:
    if len(run) == 1:
        return Number(run[0].values, run[0].certain, run[0].start, run[0].pieces)
    whole = _compose([part.value for part in run])
    return Number(frozenset({whole}), run[0].certain, run[0].start)


def _compose(values: list[float]) -> float:
    """The number that parts make: units and tens add up, hundreds and more multiply what stands before them."""
    total = current = 0.0
    for value in values:
        if value >= _SCALE:
            current = max(current, 1) * value
            if value >= 10 * _SCALE:
                total, current = total + current, 0.0
        else:
            current += value
    return total + current


def _read(token: str, language: str) -> tuple[frozenset[float], bool] | None:
    """The values of a token and whether it is certain to be a number."""
    if token[0].isdigit():
        return frozenset(_digits(token)), True
    return _word(_fold(token), _SAME.get(language, language))


def _digits(token: str) -> set[float]:
    """What a number in digits may mean as a whole; nothing but its pieces for a date such as 18.6.2024."""
    plain = re.sub(r"\D", "", token)
    pieces = re.split(r"\D", token)
    if token == plain:
        return {float(plain)}
    values = {float(plain)} if _GROUPED.fullmatch(token) else set()
    if len(pieces) == 2:
        values.add(float(f"{pieces[0]}.{pieces[1]}"))
    return values or {float(plain)}


def _pieces(token: str) -> frozenset[float]:
    pieces = re.split(r"\D", token)
    return frozenset(map(float, pieces)) if len(pieces) > 1 and not _GROUPED.fullmatch(token) else frozenset()


def _significant(value: float) -> str:
    """The digits of a number without point and outer zeros."""
    return f"{value:.10g}".replace(".", "").strip("0")


def _word(word: str, language: str) -> tuple[frozenset[float], bool] | None:
    """The longest stem that a word begins with; a long ending ("two-day" in one word) makes it uncertain."""
    lexicon = _lexicon(language)
    for length in range(len(word), 1, -1):
        found = lexicon.get(word[:length])
        if not found:
            continue
        value, certain = found
        ending = len(word) - length
        if ending == 0 or (length > 3 and ending <= _LONGEST_ENDING):
            return frozenset({value}), certain and (ending == 0 or length > 3)
        if length > 3 or not certain:
            return frozenset({value}), False
    return None


@cache
def _lexicon(language: str) -> Mapping[str, tuple[float, bool]]:
    """Stems of number words: the value, and whether the word is always a number."""
    table = json.loads(files("qa.llm").joinpath("number_words.json").read_text(encoding="utf-8"))
    words = table.get(language, {})
    known = {_fold(stem.lstrip("~")): (float(value), not stem.startswith("~")) for stem, value in words.items()}
    units = {stem: value for stem, (value, certain) in known.items() if certain and value < 10}
    tens = {stem: value for stem, (value, certain) in known.items() if certain and 20 <= value < _SCALE}
    glue = {"de": "und", "sl": "in", "nl": "en"}.get(language)
    if glue:  # vierundzwanzig, štiriindvajset
        known |= {f"{unit}{glue}{ten}": (n + m, True) for unit, n in units.items() for ten, m in tens.items()}
    if language in ("it", "es"):  # ventiquattro, veinticuatro
        known |= {f"{ten}{unit}": (n + m, True) for unit, n in units.items() for ten, m in tens.items()}
    return known


def _fold(word: str) -> str:
    """Lower case without accents and Arabic articles."""
    folded = unicodedata.normalize("NFKD", word.casefold().replace("ß", "ss").replace("ı", "i"))
    folded = "".join(c for c in folded if not unicodedata.combining(c) and c not in "'’ʼـ")
    folded = folded.replace("ة", "ه").replace("أ", "ا").replace("إ", "ا")
    return re.sub(r"^و?(?:ال)?(?=[\u0600-\u06ff]{2})", "", folded)


def _in_han(text: str) -> Iterator[Number]:
    """Numbers in Chinese characters, alone (二十四) or behind digits (430万). A single one is often no number."""
    for match in _HAN.finditer(text):
        run = match[0]
        if not any(c in _HAN_DIGITS or c in _HAN_SCALES for c in run):
            continue
        mixed = run[0].isdigit()
        value = _han(run)
        counted = len(run) == 1 and bool(_COUNTED.match(text, match.end()))
        yield Number(frozenset({value}), value > 1 and (mixed or len(run) > 1 or counted), match.start())


def _han(run: str) -> float:
    """The value of a number in Chinese characters and digits."""
    if all(c in _HAN_DIGITS for c in run):
        return float("".join(str(_HAN_DIGITS[c]) for c in run))
    total = section = digit = 0.0
    for part in re.findall(r"[\d.]+|\D", run):
        if part[0].isdigit():
            digit = _float(part)
        elif part in _HAN_DIGITS:
            digit = _HAN_DIGITS[part]
        elif part in _HAN_SCALES and _HAN_SCALES[part] >= 10**4:
            total += max(section + digit, 1) * _HAN_SCALES[part]
            section = digit = 0
        elif part in _HAN_SCALES:
            section += max(digit, 1) * _HAN_SCALES[part]
            digit = 0
    return total + section + digit


def _float(digits: str) -> float:
    try:
        return float(digits)
    except ValueError:
        return 0.0
