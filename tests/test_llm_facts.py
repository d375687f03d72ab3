"""Numbers, names and places as the check of a model's sentences finds them."""

import pytest

from qa.answer import Citation
from qa.llm.facts import is_verbatim, missing_countries, missing_numbers
from qa.llm.names import likeness
from qa.llm.numbers import find_numbers
from qa.llm.places import places


def quote(text: str, language: str, date: str | None = None) -> Citation:
    return Citation(1, "a.txt", "", date, language, 0, len(text), text, (0, len(text)), 1.0)


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("twenty-four years, two dogs and 2.5 million", "en", [{24}, {2}, {2.5e6}]),
        ("tens of thousands in 1950–53", "en", [{10_000}, {1950}, {53}]), ("1,500 or 1.500", "en", [{1.5, 1500}] * 2),
        ("štiriindvajset, desettisoče, 10 000", "sl", [{24}, {10_000}, {10_000}]),
        ("vierundzwanzig um 9 Uhr", "de", [{24}, {9}]), ("nëntë orë, dhjetëra mijëra", "sq", [{9}, {10_000}]),
        ("двадцать четыре, десятки тысяч, 70-летие", "ru", [{24}, {10_000}, {70}]),
        ("٢٤ عامًا، أربعة وعشرون", "ar", [{24}, {24}]), ("二十四年，430万，1億2千万", "zh", [{24}, {4.3e6}, {1.2e8}]),
        ("3천만 원", "ko", [{3e7}]), ("২৫ লাখ", "bn", [{2.5e6}]),
    ],
)  # fmt: skip
def test_numbers_of_many_languages(text: str, language: str, values: list[set[float]]) -> None:
    assert [set(number.values) for number in find_numbers(text, language)] == values


@pytest.mark.parametrize(
    ("sentence", "language", "cited", "lacking"),
    [
        ("It took twenty-four hours.", "en", quote("Zgjati 24 orë.", "sq"), ()),
        ("It took 42 hours.", "en", quote("Zgjati 24 orë.", "sq"), ("42",)),
        ("Am 18. Juni kamen sie.", "de", quote("Erdhën më 18 qershor.", "sq"), ()),
        ("Am 18. Juli kamen sie.", "de", quote("Erdhën më 18 qershor.", "sq"), ("month 7",)),
        ("They came in June 2024.", "en", quote("Erdhën.", "sq", "2024-06"), ()),
        ("They came in May 2023.", "en", quote("Erdhën.", "sq", "2024-06"), ("2023", "month 5")),
        ("Dve državi sta podpisali.", "sl", quote("Two countries signed.", "en"), ()),
        ("It rose to 562 cm.", "en", quote("Dosegla je 5,62 metra.", "sl"), ()),
        ("It starts at 5.15.", "en", quote("Começa às 2.15.", "pt"), ("5.15",)),
    ],
)  # fmt: skip
def test_what_numbers_and_months_a_quote_lacks(
    sentence: str, language: str, cited: Citation, lacking: tuple[str, ...]
) -> None:
    assert missing_numbers(sentence, language, [cited]) == lacking


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Putin", "Путиным"), ("Putin", "Putinit"), ("Shoigu", "Шойгу"), ("Kim", "Kimin"), ("プーチン", "Putin"),
        ("Anya", "आन्या"), ("Lavrov", "Лавровым"), ("بوتين", "Putin"),
    ],
)  # fmt: skip
def test_spellings_of_one_name_are_alike(one: str, other: str) -> None:
    assert likeness(one, other) > 0.75


@pytest.mark.parametrize(("one", "other"), [("Putin", "Lavrov"), ("Goran", "Grabner"), ("Kim", "Choe"), ("Doda", "")])
def test_different_names_are_not(one: str, other: str) -> None:
    assert likeness(one, other) < 0.75


@pytest.mark.parametrize(
    ("text", "language", "codes"),
    [
        ("Severno Korejo je obiskal", "sl", {"KP"}), ("президент России в Северной Корее", "ru", {"RU"}),
        ("朝鲜和俄罗斯", "zh", {"KP", "RU"}), ("كوريا الشمالية وروسيا", "ar", {"KP", "RU"}),
        ("North Korean missiles over Tokyo", "en", {"KP", "JP"}),
    ],
)  # fmt: skip
def test_countries_inflected_and_by_their_cities(text: str, language: str, codes: set[str]) -> None:
    assert places(text, language, lenient=False) == codes


def test_a_country_that_the_quote_does_not_name_is_missing() -> None:
    cited = quote("Lideri i Koresë së Veriut vizitoi Rusinë.", "sq")
    assert missing_countries("The North Korean leader visited Russia.", "en", [cited]) == ()
    assert missing_countries("The North Korean leader visited Japan.", "en", [cited]) == ("JP",)


def test_only_the_quotes_own_words_in_a_row_are_verbatim() -> None:
    cited = quote("The engineer Ana Doda led the work for two years.", "en")
    assert is_verbatim("The engineer Ana Doda led the work.", [cited])
    assert not is_verbatim("The engineer led the work.", [cited])
    assert not is_verbatim("Ana Doda", [cited])
