"""Sentences and passages: exact spans, right boundaries."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.passages import LONGEST, group_passages
from index.sentences import split_blocks, split_sentences

CASES = [
    ("sq", "Dr. Agim Leka erdhi më 18. qershor. Ai qëndroi p.sh. dy ditë.", 2),
    ("sq", "Ata u takuan, sipas z. Gashi, në Tiranë. Pastaj u nisën.", 2),
    ("sl", "Dne 5. maja je dr. Novak odprl most. Bilo je npr. zelo toplo itd. Nato je odšel.", 3),
    ("sl", "V 20. stoletju je bilo drugače. Danes ni.", 2),
    ("de", "Am 5. Mai kam Dr. Meier z.B. nach St. Gallen. Er blieb.", 2),
    ("en", "Mr. J. K. Smith paid 3.5 million. Why? He said so!", 3),
    ("en", "It happened in 2000. Nobody knew.", 2),
    ("en", '"Why?" he asked. "Because." She left.', 3),
    ("fr", "M. Dupont est venu. « Oui ! » dit-il. Puis il partit.", 3),
    ("zh", "普京访问了朝鲜。他带来了礼物！金正恩高兴吗？是的。", 4),
    ("ja", "大統領は「行きます。」と言った。そして出発した。", 3),
    ("ar", "وصل الرئيس أمس. لماذا؟ لم يقل أحد.", 3),
    ("ur", "صدر آئے۔ وہ چلے گئے۔", 2),
    ("hi", "राष्ट्रपति आए। उन्होंने उपहार दिया। क्या यह सच है?", 3),
    ("hy", "Նա եկավ։ Նա գնաց։", 2),
    ("am", "መጣ። ሄደ።", 2),
    ("el", "Ήρθε χθες. Πότε έφυγε; Δεν ξέρω.", 3),
    ("en", "He came; he saw. He won.", 2),
    ("ru", "В 1990 г. он приехал в г. Москву. Там жил А. С. Иванов.", 2),
]


@pytest.mark.parametrize(("language", "text", "count"), CASES)
def test_counts(language: str, text: str, count: int) -> None:
    spans = split_sentences(text, language)
    assert [text[s.start : s.end] for s in spans] and len(spans) == count, [text[s.start : s.end] for s in spans]


def test_thai_is_cut_at_spaces() -> None:
    clause = "ประธานาธิบดีเดินทางถึงกรุงเปียงยางเมื่อคืนวันอังคาร"
    text = " ".join([clause] * 8)
    pieces = [text[s.start : s.end] for s in split_sentences(text, "th")]
    assert len(pieces) > 2
    assert all(piece.startswith("ประธาน") and piece.endswith("อังคาร") for piece in pieces)


def test_line_breaks() -> None:
    lines = ["The president came to the city late", "in the evening and was met by", "the mayor at the port. He"]
    hard_wrapped = "\n".join([*lines, "stayed for two days."])
    assert len(split_sentences(hard_wrapped, "en")) == 2
    headings = "First heading\n\nOne sentence.\nAnother line\nThird one."
    assert len(split_blocks(headings)) == 4


TEXTS = st.text(
    alphabet=st.sampled_from(list('aB é.!?…。？؟।ก ข\n\t"”»)1235٣čЖ中あ한ا')) | st.characters(), max_size=800
)


@given(TEXTS, st.sampled_from(["", "sl", "th", "zh"]))
def test_spans_are_exact_and_complete(text: str, language: str) -> None:
    spans = split_sentences(text, language)
    kept = "".join(text[s.start : s.end] for s in spans)
    assert "".join(kept.split()) == "".join(text.split())
    assert all(s.start < s.end and text[s.start : s.end] == text[s.start : s.end].strip() for s in spans)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


@given(TEXTS)
def test_every_sentence_is_in_one_passage(text: str) -> None:
    sentences = split_sentences(text)
    passages = group_passages(sentences, split_blocks(text))
    assert [i for p in passages for i in range(p.first, p.last)] == list(range(len(sentences)))
    for passage in passages:
        assert passage.span.start == sentences[passage.first].start
        assert passage.span.end == sentences[passage.last - 1].end
        longest = max(s.end - s.start for s in sentences[passage.first : passage.last])
        assert passage.span.end - passage.span.start <= LONGEST * 1.5 + longest
