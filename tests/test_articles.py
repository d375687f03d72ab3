"""Reading a folder of articles."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles import Article, list_files, parse_article, read_article, title_of
from index.errors import UserError
from index.folder import LeftOut
from index.formats.plain import decode
from index.languages import detect_language, language_posterior
from index.settings import SEEDS


def parse(raw: bytes) -> Article | LeftOut:
    return parse_article("a.txt", raw, detect_language)


def test_seeds() -> None:
    articles = {name: read_article(name, path, detect_language) for name, path in list_files(SEEDS)}
    assert len(articles) == 5
    facts = {a.name[:3]: (a.date, a.language) for a in articles.values() if isinstance(a, Article)}
    assert facts == {
        "000": ("2025-06", "sq"), "001": ("2024-06", "sl"), "002": ("2023-07", "sq"), "003": ("2024-01", "sq"),
        "004": (None, "sq"),
    }  # fmt: skip
    for article in articles.values():
        assert isinstance(article, Article)
        assert article.text[article.body :].startswith(article.title[:20])


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Čaj è pripravljen. Žal ni sladkorja, šef pa je odšel.".encode(), None),
        (b"\xef\xbb\xbf" + "Mirë se erdhe".encode(), "Mirë se erdhe"),
        ("Mirë se erdhe në Shqipëri".encode("utf-16"), "Mirë se erdhe në Shqipëri"),
        ("Президент прибыл в Северную Корею вечером, его встретили на аэродроме.".encode("cp1251"), None),
    ],
)
def test_encodings(raw: bytes, text: str | None) -> None:
    article = parse(raw)
    assert isinstance(article, Article)
    if text:
        assert article.text == text
    assert "\ufffd" not in article.text


def test_line_ends_are_kept() -> None:
    article = parse(b"One.\r\nTwo.\r\n")
    assert isinstance(article, Article)
    assert article.text == "One.\r\nTwo.\r\n"


@pytest.mark.parametrize(
    ("raw", "reason"), [(b"", "holds no text"), (b" \n\t", "holds no text"), (b"\x7fELF\x00\x01\x02", "is not text")]
)
def test_left_out(raw: bytes, reason: str) -> None:
    assert parse(raw) == LeftOut("a.txt", reason)


def test_unreadable_file_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("A good article.")
    (tmp_path / ".hidden").write_text("no")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "deep.txt").write_text("Another one.")
    (tmp_path / "link.txt").symlink_to(tmp_path / "good.txt")
    assert [name for name, _ in list_files(tmp_path)] == ["good.txt", "sub/deep.txt"]
    gone = read_article("gone.txt", tmp_path / "gone.txt", detect_language)
    assert isinstance(gone, LeftOut) and "cannot be read" in gone.reason


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        list_files(tmp_path / "nowhere")


def test_file_names_with_odd_bytes(tmp_path: Path) -> None:
    (tmp_path / "new\nline.txt").write_text("Text one.")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "ž.txt").write_text("Text two.")
    assert len(list(list_files(tmp_path))) == 2


def test_titles() -> None:
    assert title_of("# A heading\n\nText") == "A heading"
    long = title_of("word " * 100)
    assert len(long) <= 92 and long.endswith("word…")
    assert len(title_of("字" * 300)) <= 92


@given(st.binary(max_size=300))
def test_any_bytes_are_an_article_or_left_out(raw: bytes) -> None:
    assert isinstance(parse(raw), Article | LeftOut)


@given(st.text(max_size=200).filter(lambda text: "\0" not in text and not text.startswith("\ufeff")))
def test_utf8_is_read_as_it_is(text: str) -> None:
    if not text.encode(errors="ignore").startswith((b"\xff\xfe", b"\xfe\xff")):
        assert decode(text.encode(errors="surrogatepass")) == text or any("\ud800" <= c <= "\udfff" for c in text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Çfarë dhuratash i bëri Putini Kimit?", "sq"), ("Kdaj je bil podpisan sporazum o partnerstvu?", "sl"),
        ("When did Putin visit North Korea?", "en"),
        ("普京送给金正恩什么礼物？", "zh"), ("プーチンは何を贈った？", "ja"),
        ("푸틴은 무엇을 선물했나요?", "ko"), ("ماذا أهدى بوتين إلى كيم؟", "ar"), ("Что Путин подарил Киму?", "ru"),
        ("ปูตินมอบอะไรให้คิม", "th"), ("WHAT DID PUTIN GIVE TO KIM?", "en"),
    ],
)  # fmt: skip
def test_languages(text: str, language: str) -> None:
    posterior = language_posterior(text)
    assert next(iter(posterior)) == language
    assert abs(sum(posterior.values()) - 1) < 1e-6


def test_no_letters_no_language() -> None:
    assert language_posterior("1945 ?!") == {}
