"""Hostile text, JSON and bytes for property tests: what breaks parsers, mixed with what they are made for."""

import json
from typing import Any

from hypothesis import strategies as st

PIECES = (
    ". ", "! ", "?", "… ", "。", "؟ ", "। ", "\n", "\n\n", "\r\n", "\t", "\u2028", "\x00", "\x1c", "\x85", "\ufeff",
    "\u202e", "\u200f", "\u200d", "a\u0301\u0302", "Dr. ", "npr. ", "5. maja 2024 ", "18. qershor ", "No. 5 ",
    "e.g. ", "J. R. R. ", "2024-13 ", "2024年1月", "³²", "१२ ", "٠٣/٢٠٢٤", "12/2023", "0000-00", "20232023",
    "May 1999", "korrik", "июля 2023 г. ", "MMXXIV. ", "สวัสดีครับ", "ខ្មែរ", "中文没有空格", "日本語。", "مرحبا ",
    "עברית ", "\U0001f600", "\U0001f468\u200d\U0001f469", "ﷺ", "ǅ", "İ", "ß", "ﬁ", "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>", "{{7*7}}", "${1+1}", "[1]", "](javascript:x)", "</mark>",
    "'; DROP TABLE x; --", "%00", "..\\..\\", "../../etc/passwd", "$(id)", "`id`", "%s%n", "\\ud800", "A" * 450,
    "a " * 300, "«»“”‘’\"'", "((((", "¡¿", "-" * 50, "1" * 400, "é" * 200,
)  # fmt: skip

TEXTS = st.lists(
    st.sampled_from(PIECES) | st.text(max_size=20) | st.from_regex(r"[A-Za-zčšžë]{1,9}[.,!?]? ", fullmatch=True),
    max_size=25,
).map("".join)
"""Any characters, halves of surrogate pairs too, and stretches of what languages and attackers write."""

ENCODABLE = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())
"""The same as a file could hold them."""

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from((10**400, -0.0, 5.0, 2**53)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
"""Any value that Python writes as JSON, NaN and endless numbers too."""

LANGUAGES = st.sampled_from(("", "en", "sq", "sl", "de", "ru", "zh", "ja", "th", "ar", "el", "hi", "tr", "xx"))


def objects(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects in which the keys that a parser knows stand for whatever may come, besides others."""
    fields = st.dictionaries(st.sampled_from(keys) | st.text(max_size=5), JSON, max_size=len(keys) + 1)
    return fields


def bodies(values: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Bytes of JSON: as it should be, damaged, in another encoding, or none at all."""
    written = values.map(lambda value: json.dumps(value).encode())
    cut = st.tuples(written, st.integers(0, 200)).map(lambda pair: pair[0][: pair[1]])
    broken = st.tuples(written, st.integers(0, 200), st.binary(max_size=4)).map(
        lambda given: given[0][: given[1]] + given[2] + given[0][given[1] :]
    )
    wide = values.map(lambda value: json.dumps(value).encode("utf-16"))
    deep = st.integers(0, 3000).map(lambda depth: b"[" * depth + b"]" * depth)
    return written | cut | broken | wide | deep | st.binary(max_size=100)
