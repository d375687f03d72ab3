"""Splits text into sentences, each an exact span of the text, in any language.

One scan finds the places where a sentence may end; a short list of rules then says which of them are real:
abbreviations, initials and ordinals (``18. qershor``, ``5. maja``) keep their full stop, ``。？！ । ؟ ۔`` need no
space behind them, and scripts without sentence marks (Thai, Lao, Khmer) are cut at spaces.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 400  # characters; a longer sentence is cut at its weaker marks
_PIECE = 220  # characters aimed at when a long sentence is cut
_UNMARKED_PIECE = 110  # the same in scripts without sentence marks

_CLOSERS = "\"'”’»›)]}」』】〉》）］＂＇“"
_HARD_STOPS = "。！？．｡؟۔।॥։።፧።။៕༎⸮"
_END = re.compile(
    # A run of marks is tried once, from its beginning: else a million of them would take for ever.
    rf"(?P<hard>[{_HARD_STOPS}]+)[{re.escape(_CLOSERS)}]*|"
    rf"(?<![.!?…;\u037E])(?P<soft>[.!?…;\u037E]++)[{re.escape(_CLOSERS)}]*+(?=\s|$)"
)
_BREAK = re.compile(r"\n\s*")
_UNMARKED = re.compile(r"[\u0E00-\u0EFF\u1780-\u17FF]")
_WEAK_MARKS = (re.compile(r"[;:；：،؛]\s*"), re.compile(r"[,，、]\s*"), re.compile(r"\s+"))

# Words whose full stop never ends a sentence: titles, references and "for example" of many languages.
_ABBREVIATIONS = frozenset(
    """
    dr prof mr mrs ms st sv sr jr gen col lt sgt capt cmdr adm gov sen rep rev hon pres messrs mme mlle mgr
    nr no nos vol fig figs art par p pp cf vs viz ca approx e.g i.e eg ie al bzw z.b d.h u.a vgl evtl ggf hl
    npr tj t.j t.i sl oz gl št str mag inž dipl ur čl odst kan gosp ga gdč doc akad red izr univ vl min polk
    zt znj z sh p.sh psh d.m.th dmth v lidh krh fq
    tzv tzn např č čís ing mgr atd resp odd kpt gen
    p.ej ej d.c a.c sra srta dña av avda pág
    sig dott ing avv on geom es pag cit
    г гг ул им тыс млн млрд руб т.е т.к т.н т.д проф акад
    d.w.z bijv dhr mevr nl m.a.w
    kl f.eks eks bl.a bla osv t.ex ca
    ul al pl godz tzw m.in np hab inż ks
    kb ún pl dl ill
    dl örn doç yrd alb
    """.split()
)
# Languages that write ordinals with a full stop, so that "5. Mai" and "20. Jahrhundert" hold together.
_ORDINAL_LANGUAGES = frozenset("sl sq hr sr bs cs sk pl de da nb nn no fi hu et lv is fo tr lb eo mk".split())
_BEFORE = re.compile(r"([^\s\"'“”„«»()\[\]–—-]+)$")
_NUMBER = re.compile(r"^\d{1,3}$|^[IVXLC]{1,5}$")


@dataclass(frozen=True, order=True)
class Span:
    """Characters ``start`` to ``end`` (exclusive) of a text."""

    start: int
    end: int


def split_sentences(text: str, language: str = "", start: int = 0) -> list[Span]:
    """Spans of the sentences of ``text[start:]``, in order, without surrounding white space.

    Together they hold every character that is not white space. ``language`` (ISO 639-1) only decides whether a
    number with a full stop is read as an ordinal.
    """
    spans: list[Span] = []
    for block in split_blocks(text, start):
        for sentence in _sentences_of(text, block, language):
            spans.extend(_cut_long(text, sentence))
    return spans


def split_blocks(text: str, start: int = 0) -> list[Span]:
    """Spans of the paragraphs of ``text[start:]``: runs of lines up to a break that ends one.

    A blank line always ends a paragraph. A single line break does too, unless the text is hard-wrapped or the
    next line goes on with a small letter.
    """
    wrapped = _is_hard_wrapped(text[start:])
    blocks, begin = [], start
    for match in _BREAK.finditer(text, start):
        blank = match.group().count("\n") > 1
        continued = not blank and (wrapped or _goes_on(text, match.end()))
        if not continued:
            blocks.append(_trim(text, begin, match.start()))
            begin = match.end()
    blocks.append(_trim(text, begin, len(text)))
    return [block for block in blocks if block.start < block.end]


def _is_hard_wrapped(text: str) -> bool:
    """Whether single line breaks fall inside sentences: lines of like length that mostly end without a mark."""
    lines = [line.strip() for block in re.split(r"\n\s*\n", text) for line in block.split("\n")[:-1]]
    lines = [line for line in lines if line]
    if len(lines) < 3 or max(map(len, lines)) > 120:
        return False
    unfinished = sum(line[-1] not in ".!?…:" + _HARD_STOPS + _CLOSERS for line in lines)
    return unfinished > 0.6 * len(lines)


def _goes_on(text: str, at: int) -> bool:
    return at < len(text) and text[at].islower()


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


def _sentences_of(text: str, block: Span, language: str) -> Iterator[Span]:
    begin = block.start
    for match in _END.finditer(text, block.start, block.end):
        if match.group("hard") is None and not _ends_sentence(text, match, block.end, language):
            continue
        if match.start() > begin or begin == block.start:
            yield _trim(text, begin, match.end())
            begin = match.end()
    rest = _trim(text, begin, block.end)
    if rest.start < rest.end:
        yield rest


def _ends_sentence(text: str, match: re.Match[str], limit: int, language: str) -> bool:
    """Whether a mark followed by white space, at ``match``, ends its sentence."""
    if match.group("soft")[0] in ";\u037e" and language != "el":
        return False
    following = _next_character(text, match.end(), limit)
    if following == "":
        return True
    if following.islower():
        return False
    if match.group("soft") != ".":
        return True
    if match.end() > match.start() + 1:  # a full stop before a closing quote or bracket
        return True
    before = _BEFORE.search(text, max(0, match.start() - 40), match.start())
    word = before.group(1) if before else ""
    if word.lower() in _ABBREVIATIONS:
        # "No." and "Art." abbreviate only in front of a number or a name; as whole sentences they end.
        return (
            word.lower() in {"no", "art", "on", "fig", "al", "es", "ill", "min", "red", "sr", "sl"}
            and not following.isdigit()
        )
    if len(word) == 1 and word.isalpha() and (word.isupper() or "." in text[match.start() - 3 : match.start()]):
        return False
    if _NUMBER.match(word):
        return language not in _ORDINAL_LANGUAGES and not following.isdigit()
    return True


def _next_character(text: str, at: int, limit: int) -> str:
    """The first letter or digit that follows, past spaces, quotes and dashes; "" at the end."""
    for character in text[at:limit]:
        if character.isalnum() or unicodedata.category(character) == "Lo":
            return character
    return ""


def _cut_long(text: str, sentence: Span) -> Iterator[Span]:
    """The sentence itself, or, where it is too long or its script has no sentence marks, pieces of it."""
    unmarked = len(_UNMARKED.findall(text, sentence.start, sentence.end)) * 2 > sentence.end - sentence.start
    longest, piece = (1.5 * _UNMARKED_PIECE, _UNMARKED_PIECE) if unmarked else (LONGEST, _PIECE)
    start = sentence.start
    while sentence.end - start > longest:
        cut = _best_cut(text, start, min(sentence.end, start + int(longest)), piece, unmarked)
        yield _trim(text, start, cut)
        start = cut
    rest = _trim(text, start, sentence.end)
    if rest.start < rest.end:
        yield rest


def _best_cut(text: str, start: int, limit: int, piece: int, unmarked: bool) -> int:
    """The place nearest to ``start + piece`` behind the strongest mark found; mid-word where there is none."""
    for mark in _WEAK_MARKS[-1:] if unmarked else _WEAK_MARKS:
        places = [m.end() for m in mark.finditer(text, start + piece // 2, limit)]
        if places:
            return min(places, key=lambda place: abs(place - start - piece))
    return min(limit, start + piece)
