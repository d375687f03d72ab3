"""The strings of the page: complete in every language, with the same placeholders, and well chosen."""

import string

import pytest

from qa.cldr import language_name
from qa.page.words import (
    LANGUAGES,
    choose_language,
    fixed,
    fixed_sentences,
    words,
)

ENGLISH = words("en").strings


def _placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_is_missing_or_left_over(language: str) -> None:
    strings = words(language).strings
    assert set(strings) == set(ENGLISH)
    assert all(text if isinstance(text, str) else all(text.values()) for text in strings.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_agree_with_english(language: str) -> None:
    for key, english in ENGLISH.items():
        text = words(language).strings[key]
        if isinstance(english, str) and isinstance(text, str):
            assert _placeholders(text) == _placeholders(english), key
        else:
            assert isinstance(text, dict), key
            assert "other" in text, key
            assert all(_placeholders(form) <= {"n"} for form in text.values()), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_strings_are_translated(language: str) -> None:
    same = [key for key, text in words(language).strings.items() if text == ENGLISH[key]]
    alike = {"conversation", "article", "sources", "seconds", "articles", "position"}
    alike |= {"page", "view_corpus", "lib_heading", "lib_date", "lib_acts"}  # in French
    assert language == "en" or set(same) <= alike


@pytest.mark.parametrize(
    ("language", "n", "expected"),
    [
        ("en", 1, "1 article"), ("en", 5, "5 articles"), ("sl", 1, "1 članek"), ("sl", 2, "2 članka"),
        ("sl", 4, "4 članki"), ("sl", 5, "5 člankov"), ("sl", 101, "101 članek"), ("ru", 1, "1 статья"),
        ("ru", 3, "3 статьи"), ("ru", 11, "11 статей"), ("ru", 21, "21 статья"), ("ru", 25, "25 статей"),
        ("fr", 0, "0 article"), ("fr", 2, "2 articles"), ("ar", 2, "مقالان"), ("ar", 5, "5 مقالات"),
        ("ar", 11, "11 مقالًا"), ("ar", 100, "100 مقال"), ("zh", 1, "1 篇文章"), ("sq", 4, "4 artikuj"),
    ],
)  # fmt: skip
def test_numbers_take_the_right_plural(language: str, n: int, expected: str) -> None:
    assert words(language).count("articles", n) == expected


@pytest.mark.parametrize(
    ("chosen", "accepted", "expected"),
    [
        (None, None, "en"), ("sl", "de", "sl"), ("xx", "de-AT,en;q=0.5", "de"),
        (None, "pt-BR, fr;q=0.8, en;q=0.9", "en"),
        (None, "zh-Hant-TW", "zh"), (None, "sq;q=0", "en"), (None, "*, ;;q=x,ja;q=nonsense,, tr", "tr"),
        ("../en", "", "en"),
    ],
)  # fmt: skip
def test_language_is_the_readers_choice_then_the_browsers(
    chosen: str | None, accepted: str | None, expected: str
) -> None:
    assert choose_language(chosen, accepted) == expected


def test_unknown_language_speaks_english() -> None:
    assert words("tlh").language == "en"
    assert words("ar").direction == "rtl"
    assert words("en").direction == "ltr"


_FIXED = {
    "not_answered", "nearest_passages", "no_articles", "hello", "welcome", "alright", "goodbye", "ask_me", "articles",
    "newest", "oldest",
}  # fmt: skip


def test_fixed_sentences_are_complete_in_many_languages() -> None:
    table = fixed_sentences()
    assert len(table) >= 30
    assert set(LANGUAGES) <= set(table)
    assert all(language_name(language, "en") != language for language in table)
    for language, sentences in table.items():
        assert set(sentences) == _FIXED, language
        assert all(sentence.strip() == sentence != "" for sentence in sentences.values()), language
    assert len({sentences["not_answered"] for sentences in table.values()}) >= len(table) - 2


def test_fixed_falls_back_to_english() -> None:
    assert fixed("de", "not_answered") == "Die Artikel beantworten das nicht."
    assert fixed("tlh", "nearest_passages") == "Nearest passages"
    with pytest.raises(KeyError):
        fixed("en", "nonsense")
