"""Dates in questions."""

from datetime import date

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


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Kaj se je zgodilo lani junija?", "sl", (202306, 202306)),
        ("Kaj se je zgodilo prejšnjega meseca?", "sl", (202407, 202407)),
        ("last month's articles", "en", (202407, 202407)),
        ("articles from 2 months ago", "en", (202406, 202406)),
        ("Was geschah im letzten Jahr?", "de", (202301, 202312)),
        ("Was geschah letztes Jahr im Juni?", "de", (202306, 202306)),
        ("ngjarjet e muajit të kaluar", "sq", (202407, 202407)),
        ("Что произошло в прошлом месяце?", "ru", (202407, 202407)),
        ("В октябре прошлого года", "ru", (202310, 202310)),
        ("上个月发生了什么？", "zh", (202407, 202407)),
        ("3年前の記事", "ja", (202101, 202112)),
        ("지난달에 무슨 일이 있었나요?", "ko", (202407, 202407)),
        ("पिछले साल क्या हुआ?", "hi", (202301, 202312)),
        ("जुलाई 2023 में क्या हुआ?", "hi", (202307, 202307)),
        ("ماذا حدث في الشهر الماضي؟", "ar", (202407, 202407)),
        ("que s'est-il passé le mois dernier ?", "fr", (202407, 202407)),
        ("прошле године", "sr", (202301, 202312)),
        ("yesterday", "en", (202408, 202408)),
    ],
)
def test_times_told_from_today(text: str, language: str, expected: tuple[int, int]) -> None:
    assert periods(text, [language], 202408, today=date(2024, 8, 15)) == [Period(*expected)]


@pytest.mark.parametrize(
    ("text", "language"),
    [("Sa vjet zgjati lufta?", "sq"), ("무슨 일이 있었나요?", "ko"), ("It took 3 years.", "en"), ("5 m lang", "de")],
)
def test_spans_of_time_are_no_times(text: str, language: str) -> None:
    assert periods(text, [language], 202408, today=date(2024, 8, 15)) == []
