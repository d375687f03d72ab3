"""What a careless typist meant."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.spelling import as_meant, bare, corrected, unshouted
from qa.transliteration import frequencies, native_script


def nowhere(word: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("WHO SIGNED THE AGREEMENT?", "who signed the agreement?"),
        ("КТО ПОДПИСАЛ ДОГОВОР?", "кто подписал договор?"),
        ("NATO", "NATO"),
        ("NATO, EU, UN?", "NATO, EU, UN?"),
        ("WHO signed the AGREEMENT?", "WHO signed the AGREEMENT?"),
        ("谁签署了协议", "谁签署了协议"),
        ("ஷெர்சரின் இந்த சீசன் ERA எவ்வளவு", "ஷெர்சரின் இந்த சீசன் ERA எவ்வளவு"),
    ],
)
def test_capitals_alone_are_no_more_than_small_letters(typed: str, meant: str) -> None:
    assert unshouted(typed) == meant


@pytest.mark.parametrize(
    ("typed", "language", "meant"),
    [
        ("who sigend the agreement with Palu", "en", "who signed the agreement with Palu"),
        ("Kdo je podpsial sporazum?", "sl", "Kdo je podpisal sporazum?"),
        ("Was machte die Wissenschfat?", "de", "Was machte die Wissenschaft?"),  # begins with a capital: names one
        ("Koliko casa je trajalo?", "sl", "Koliko časa je trajalo?"),
        ("Koliko časa je se trajalo?", "sl", "Koliko časa je se trajalo?"),
        ("Sporocilo je bilo kratko", "sl", "Sporočilo je bilo kratko"),
        ("kdo je rpvi", "xx", "kdo je rpvi"),
        ("summarise the article", "en", "summarise the article"),
    ],
)
def test_slips_are_put_right(typed: str, language: str, meant: str) -> None:
    known = {"Wissenschaft"}
    assert corrected(typed, language, known.__contains__) == meant


def test_what_the_articles_have_is_no_slip() -> None:
    assert corrected("who is form Goergia", "en", nowhere) == "who is form Goergia"
    assert corrected("who fuond Goergia", "en", {"Georgia"}.__contains__) == "who found Georgia"
    assert corrected("who fuond it", "en", {"fuond"}.__contains__) == "who fuond it"


@given(st.text(max_size=80))
def test_any_text_has_a_meaning_of_about_its_length(text: str) -> None:
    meant = as_meant(text, {"en": 0.9}, nowhere)
    assert bool(meant.strip()) == bool(text.strip())
    assert len(meant) <= 3 * len(text) and as_meant(text, {"en": 0.9}, nowhere) == meant


@given(st.lists(st.sampled_from(sorted(frequencies("en"))[:3000] + list(string.ascii_lowercase)), max_size=8))
def test_words_of_the_list_stay(words: list[str]) -> None:
    text = corrected(" ".join(words), "en", nowhere)
    assert "".join(map(bare, text)) == "".join(map(bare, " ".join(words))), "nothing but accents"


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("putin ne kim ko kaun se uphaar diye?", "पुतिन ने किम को कौन से उपहार दिये?"),
        ("aspatal mein kitne bistar hain", "अस्पताल में कितने बिस्तर हैं"),
        ("kogda putin vpervye priehal v severnuyu koreyu?", "когда путин впервые приехал в северную корею?"),
        ("chto shoigu peredal kim chen ynu?", "что шойгу передал ким чен ыну?"),
        ("pote ypegrapsan ti symfonia gia ton polemo", "ποτέ υπέγραψαν τη συμφωνία για τον πόλεμο"),
        ("What gifts did Putin give to Kim?", None),
        ("Kdaj je bil podpisan sporazum?", None),
        ("Šta je Šojgu predao Kim Džong Unu?", None),
        ("Wann wurde das Abkommen unterzeichnet?", None),
        ("Kush e shoqëroi Kimin në ekspozitë?", None),
        ("Берлин", None),
        ("ok", None),
    ],
)
def test_another_script_is_told_by_its_words(typed: str, written: str | None) -> None:
    assert native_script(typed, {"en": 0.4, "sl": 0.3, "de": 0.2}) == written
