"""Questions with several parts, and those that only look so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.parts import MOST, parts_of


@pytest.mark.parametrize(
    ("language", "question", "parts"),
    [
        ("en", "Who signed, and what does it say?", ["Who signed", "what does it say?"]),
        ("en", "Who signed it? What does it say?", ["Who signed it?", "What does it say?"]),
        ("en", "who came and what did he say and where", ["who came", "what did he say", "where"]),
        ("de", "Wer unterzeichnete, und in welchem Jahr?", ["Wer unterzeichnete", "in welchem Jahr?"]),
        ("sl", "Kdo je podpisal sporazum in kdaj?", ["Kdo je podpisal sporazum", "kdaj?"]),
        ("sq", "Kush e nënshkroi dhe çfarë thotë ajo?", ["Kush e nënshkroi", "çfarë thotë ajo?"]),
        ("sr", "Ко је потписао и шта пише?", ["Ко је потписао", "шта пише?"]),
        ("ru", "Кто подписал договор и что там сказано?", ["Кто подписал договор", "что там сказано?"]),
        ("fr", "Qui a signé et que dit-il ?", ["Qui a signé", "que dit-il ?"]),
        ("el", "Ποιος υπέγραψε; Τι λέει;", ["Ποιος υπέγραψε;", "Τι λέει;"]),
        ("zh", "谁签署了协议，协议怎么说？", ["谁签署了协议", "协议怎么说？"]),
        ("ja", "誰が署名し、何と書いてありますか？", ["誰が署名し", "何と書いてありますか？"]),
        ("tr", "Kim imzaladı ve orada ne diyor?", ["Kim imzaladı", "orada ne diyor?"]),
        ("ar", "من وقع الاتفاق وماذا يقول؟", ["من وقع الاتفاق", "ماذا يقول؟"]),
        ("he", "מי חתם על ההסכם ומה נאמר בו?", ["מי חתם על ההסכם", "מה נאמר בו?"]),
        ("hi", "किसने हस्ताक्षर किए और इसमें क्या लिखा है?", ["किसने हस्ताक्षर किए", "इसमें क्या लिखा है?"]),
    ],
)
def test_parts(language: str, question: str, parts: list[str]) -> None:
    assert parts_of(question, [language]) == parts


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What did Kim and Putin sign?"),
        ("en", "When and where was it signed?"),
        ("en", "Which states and which banks signed?"),
        ("en", "What did Kim, who visited Russia, say?"),
        ("en", "How old were Ford and Kavanaugh when it happened?"),
        ("en", "Why does it matter where and how you receive care?"),
        ("en", "One looked like a boat; what did another resemble?"),
        ("sl", "Kaj je rekel Putin o tem, kdo je dal avto?"),
        ("ar", "كيف تمكن تايغر وودز من هزيمة جون رام؟"),
        ("xx", "Who signed, and what does it say?"),
    ],
)
def test_one_question_stays_one(language: str, question: str) -> None:
    assert parts_of(question, [language]) == [question]


@given(st.text(alphabet="who what and, ?和谁；kaj in", max_size=60), st.sampled_from(["en", "zh", "sl", "ar", "tr"]))
def test_parts_stand_in_the_question(text: str, language: str) -> None:
    parts = parts_of(text, [language])
    assert 1 <= len(parts) <= MOST and all(part in text for part in parts)
    assert len(parts) == 1 or all(parts)
