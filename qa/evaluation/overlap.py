"""Token F1 of an answer: SQuAD's definition (Rajpurkar et al. 2016, arXiv 1606.05250), for any script.

SQuAD lowers case, deletes punctuation and English articles, splits at white space and takes the harmonic mean of the
precision and recall of the bag of tokens. Here case folding follows NFKC, punctuation is all of Unicode's, articles
are deleted from English only ("a" is a word of its own in Romanian), and in scripts written without spaces every
character is a token, as MLQA does for Chinese (Lewis et al. 2019, arXiv 1910.07475).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection

_ARTICLES = frozenset(("a", "an", "the"))
# Thai, Lao, Tibetan, Myanmar, Khmer, kana, Han (with its extensions).
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def tokens(text: str, language: str = "") -> list[str]:
    """The tokens that F1 compares."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(character for character in folded if unicodedata.category(character)[0] not in "PS")
    parted = _UNSPACED.sub(lambda match: f" {match[0]} ", kept).split()
    return [token for token in parted if token not in _ARTICLES] if language == "en" else parted


def token_f1(text: str, accepted: Collection[str], language: str = "") -> float:
    """The best F1, 0 to 1, of ``text`` against any of the ``accepted`` strings; ``language`` is the article's."""
    found = tokens(text, language)
    return max((_f1(found, tokens(answer, language)) for answer in accepted), default=0.0)


def _f1(found: list[str], wanted: list[str]) -> float:
    if not found or not wanted:
        return float(found == wanted)
    shared = (Counter(found) & Counter(wanted)).total()
    return 2 * shared / (len(found) + len(wanted))
