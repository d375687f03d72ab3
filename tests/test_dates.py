"""Dates in questions."""

import pytest

from qa.dates import Period, periods


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("What did Shoigu do in North Korea in July 2023?", "en", (202307, 202307)),
        ("Çfarë ndodhi në korrik 2023?", "sq", (202307, 202307)),
        ("Kaj se je zgodilo julija 2023?", "sl", (202307, 202307)),
        ("2024年1月，谁访问了莫斯科？", "zh", (202401, 202401)),
        ("2024년 1월에 누가 방문했나요?", "ko", (202401, 202401)),
        ("Co się stało w lipcu 2023 roku?", "pl", (202307, 202307)),
        ("Что произошло в январе 2024 года?", "ru", (202401, 202401)),
        ("ماذا حدث في يوليو ٢٠٢٣؟", "ar", (202307, 202307)),
        ("What was signed in 2024-06?", "en", (202406, 202406)),
        ("Was geschah 06/2024?", "de", (202406, 202406)),
        ("What happened in 2023?", "en", (202301, 202312)),
        ("What happened last June?", "en", (202506, 202506)),
        ("What happened last July?", "en", (202407, 202407)),
        ("Τι έγινε τον Ιανουάριο του 2024;", "el", (202401, 202401)),
    ],
)
def test_periods(text: str, language: str, expected: tuple[int, int]) -> None:
    assert periods(text, [language], newest=202506) == [Period(*expected)]


@pytest.mark.parametrize("text", ["Who is Ankit Panda?", "How many 12345 things?", "What may he say?"])
def test_no_period(text: str) -> None:
    assert periods(text, ["en"], 202506) == []
