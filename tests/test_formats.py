"""Articles out of PDF, Word, HTML and Markdown files."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import docx, paragraph, pdf
from toy_encoder import ToyEncoder

from index.articles import Article, parse_article
from index.folder import LeftOut
from index.formats.extracted import UnreadableError, date_in, tidy
from index.formats.guard import Extractor
from index.formats.pdf import join_pages
from index.languages import detect_language
from index.settings import PROJECT, Settings
from index.sync import sync
from qa.engine import Engine


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(20) as shared:
        yield shared


def article(extractor: Extractor, name: str, raw: bytes) -> Article:
    read = parse_article(name, raw, detect_language, extractor)
    assert isinstance(read, Article), read
    return read


def reason(extractor: Extractor, name: str, raw: bytes) -> str:
    read = parse_article(name, raw, detect_language, extractor)
    assert isinstance(read, LeftOut), read
    assert read.name == name
    return read.reason


def test_pdf_by_pages(extractor: Extractor) -> None:
    head = "The Daily Paper, 4 May"
    first = [head, "date 2024-05 The harbour was closed for the winter, since the ice had", "come early. Ships waited.",
             "The mayor spoke of a hard season for everybody who lives by the", "1"]  # fmt: skip
    second = [head, "sea. Nobody knows when it opens again.", "2"]
    third = [head, "A last word of the edi-", "tor follows here.", "3"]
    read = article(extractor, "a.PDF", pdf(first, second, third))
    assert read.text == (
        "date 2024-05 The harbour was closed for the winter, since the ice had come early. Ships waited.\n\n"
        "The mayor spoke of a hard season for everybody who lives by the sea. Nobody knows when it opens again.\n\n"
        "A last word of the editor follows here."
    )
    assert (read.date, read.title[:11]) == ("2024-05", "The harbour")
    pages = [read.page_at(read.text.index(word)) for word in ("harbour", "mayor", "sea.", "opens", "editor")]
    assert pages == [1, 1, 2, 2, 3]


def test_letters_of_print_become_letters() -> None:
    from index.formats.pdf import _lines

    assert _lines("ﬁle \x00of\r\n  the\u00a0 ofﬁce\nﻻﻓﺮوف") == ["file of", "the office", "لافروف"]


def test_pages_without_words_count_too() -> None:
    found = join_pages([[], ["One."], [], ["Two."]])
    assert found.text == "One.\n\nTwo."
    assert Article("a", found.text, "", None, "", "en", 0, found.pages).page_at(0) == 2
    assert found.pages == (0, 0, 4, 6)


def test_chinese_lines_are_joined_without_spaces() -> None:
    assert (
        join_pages([["普京送给金正恩一辆汽", "车。他们在平壤会面。"]]).text
        == "普京送给金正恩一辆汽车。他们在平壤会面。"
    )


def test_docx(extractor: Extractor) -> None:
    run = "<w:r><w:t>{}</w:t></w:r>"
    body = (
        paragraph("date 2023-01-05 Kryetari & miqtë <folën>.")
        + f"<w:p><w:ins>{run.format('Neu ')}</w:ins><w:del><w:r><w:delText>alt</w:delText></w:r></w:del>"
        + f"<w:moveFrom>{run.format('moved')}</w:moveFrom><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        + "<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>und</w:t></w:r><w:r><w:tab/><w:t>gut.</w:t></w:r></w:p>"
        + f"<w:tbl><w:tr><w:tc>{paragraph('cell one')}</w:tc><w:tc>{paragraph('cell two')}</w:tc></w:tr></w:tbl>"
        + f"<w:sdt><w:sdtContent><w:p><w:hyperlink>{run.format('A link.')}</w:hyperlink></w:p></w:sdtContent></w:sdt>"
        + f"<w:p><w:r><mc:AlternateContent><mc:Choice>{paragraph('Box.')}</mc:Choice>"
        + f"<mc:Fallback>{paragraph('Box.')}</mc:Fallback></mc:AlternateContent></w:r>{run.format('Around.')}</w:p>"
    )
    notes = {"word/footnotes.xml": f"<w:footnotes>{paragraph('A note.')}</w:footnotes>"}
    read = article(extractor, "a.docx", docx(body, parts=notes))
    assert read.text.split("\n\n") == [
        "date 2023-01-05 Kryetari & miqtë <folën>.", "Neu und gut.", "cell one", "cell two", "A link.", "Box.",
        "Around.", "A note.",
    ]  # fmt: skip
    assert (read.date, read.pages) == ("2023-01-05", ())


def test_html(extractor: Extractor) -> None:
    page = (
        "<!doctype html><html><head><title>A &amp; B</title><meta name=date content='2024-06-07T10:00'>"
        "<style>p {color: red}</style><script>alert(1)</script></head><body><nav>Menu</nav><h1>Head</h1>"
        "<p>One <b>bo</b>ld&nbsp;&eacute;\n  word.<br>Line two.<p hidden>no</p><p style='Display : none'>no</p>"
        "<table><tr><td>a</td><td>b</td></tr></table><template>no</template><!-- no --><?no?>tail &#1234567890;"
    )
    read = article(extractor, "a.html", page.encode())
    assert read.text.split("\n\n") == ["Head", "One bold é word.\nLine two.", "a b", "tail \ufffd"]
    assert (read.title, read.date) == ("A & B", "2024-06-07")
    deep = "<div>" * 1500 + "Deep down.</div>"
    assert article(extractor, "a.htm", deep.encode()).text == "Deep down."
    assert "nested too deeply" in reason(extractor, "a.htm", b"<div>" * 100_000 + b"Deep down.")


@pytest.mark.parametrize(("encoding", "named"), [("cp1251", "windows-1251"), ("koi8-r", "koi8-r"), ("utf-16", "")])
def test_encoding_of_html(extractor: Extractor, encoding: str, named: str) -> None:
    page = f'<html><meta http-equiv=x content="text/html; charset={named}"><p>Президент прибыл вечером.'
    assert article(extractor, "a.html", page.encode(encoding)).text == "Президент прибыл вечером."


def test_unknown_encodings_are_guessed(extractor: Extractor) -> None:
    for named in ("nonsense", "zip", "idna", "undefined"):
        page = f"<meta charset={named}><p>Die Größe der Häuser wächst in den Städten über die Jahre.".encode("cp1252")
        assert "Größe" in article(extractor, "a.html", page).text


def test_markdown(extractor: Extractor) -> None:
    raw = (
        b"---\r\ntitle: 'A title'\r\nDate: 2024-03-02\r\n---\r\n# Head\r\n\r\nSome *bold* [link](http://a.org/y)"
        b" and `code`"
        b" ~~gone~~.\r\n\r\n- one\r\n- two\r\n\r\n|a|b|\r\n|-|-|\r\n|c|d|\r\n\r\n<script>no</script>\r\n<b>html</b>\r\n"
    )
    read = article(extractor, "a.md", raw)
    assert read.text.split("\n\n") == ["Head", "Some bold link and code gone.", "one", "two", "a b", "c d", "html"]
    assert (read.title, read.date) == ("A title", "2024-03-02")


def test_the_same_bytes_in_another_format_are_another_article(extractor: Extractor) -> None:
    raw = b"# Head\n\n*Words* here."
    plain, marked = article(extractor, "a.txt", raw), article(extractor, "a.md", raw)
    assert plain.text != marked.text and plain.digest != marked.digest


def test_content_counts_more_than_the_name(extractor: Extractor) -> None:
    assert article(extractor, "a.txt", pdf(["A PDF by another name."])).pages == (0,)
    assert article(extractor, "a.bin", docx(paragraph("A document by another name."))).text.startswith("A document")
    assert article(extractor, "a.dat", b"Just some text.").text == "Just some text."


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("a.pdf", b"Not a PDF at all.", "named like a PDF"), ("a.docx", b"Words.", "named like a Word document"),
        ("a.docx", b"PK\x03\x04 and so on", "is damaged"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", "old Word"),
        ("a.html", b"<p>\x00\x01", "is not text"), ("a.pdf", b"%PDF-1.7\n" + b"\x00" * 3000, "is damaged"),
        ("a.pdf", pdf([]), "holds no text"), ("a.docx", docx(""), "holds no text"),
        ("a.html", b"<p>", "holds no text"),
    ],
)  # fmt: skip
def test_unreadable(extractor: Extractor, name: str, raw: bytes, said: str) -> None:
    assert said in reason(extractor, name, raw)


def test_encrypted_pdf(extractor: Extractor) -> None:
    from pypdf import PdfReader, PdfWriter

    for user, said in (("secret", "has a password"), ("", "")):
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(["Open to everybody."]))))
        writer.encrypt(user, "owner", algorithm="RC4-128")
        out = io.BytesIO()
        writer.write(out)
        if said:
            assert said in reason(extractor, "a.pdf", out.getvalue())
        else:
            assert article(extractor, "a.pdf", out.getvalue()).text == "Open to everybody."


def test_limits(extractor: Extractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = pdf(*([["Words."]] * 3), objects={2: b"<< /Type /Pages /Count 3001 /Kids [%s] >>" % (b"4 0 R " * 3001)})
    assert reason(extractor, "a.pdf", many) == "has 3,001 pages, more than 3,000: split it"
    bomb = docx("<w:p/>" * 17_000_000)
    assert len(bomb) < 1_000_000 and "unpacks to" in reason(extractor, "a.docx", bomb)
    assert "characters of text, more than 5,000,000" in reason(extractor, "a.txt", b"word " * 1_100_000)
    assert "bytes of text, more than 20,000,000" in reason(extractor, "a.txt", b"word " * 10_000_000)
    monkeypatch.setattr("index.articles.MOST_BYTES", 10)
    from index.articles import read_article

    (tmp_path / "a.txt").write_text("More than ten bytes.")
    read = read_article("a.txt", tmp_path / "a.txt", detect_language)
    assert read == LeftOut("a.txt", "has 20 bytes, more than 10: split it")


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_read() -> None:
    with Extractor(seconds=0.001) as hasty:
        with pytest.raises(UnreadableError, match="takes longer than 0 s"):
            hasty.extract("markdown", b"*a_ " * 100_000)
        hasty._seconds = 20
        assert hasty.extract("markdown", b"*Words*").text == "Words"


def test_a_reader_that_dies_takes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.formats.guard._exchange", lambda process, message: b"half a li")
    with Extractor() as extractor, pytest.raises(UnreadableError, match="breaks the program that reads it"):
        extractor.extract("markdown", b"Words")


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not hold processes to their memory")
def test_memory_of_the_reader_is_limited() -> None:
    code = (
        "import index.formats.worker as w; w._limit_memory()\n"
        "w._extractor = lambda kind: lambda raw: bytearray(3_000_000_000)\nprint(w._answer('pdf', b''))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert "needs more than 1,000 MB of memory" in run.stdout


def test_tidy() -> None:
    assert tidy(" a\x00\x07b\ud800 \r\n\r\n\r\n c\u2028d\t e ") == "ab\n\nc\nd e"
    assert [date_in(text) for text in ("2024-05-06T", "'2024-05'", "2024-13-01", "May", None, "20240506")] == [
        "2024-05-06", "2024-05", None, None, None, None,
    ]  # fmt: skip


def test_citations_of_every_format_are_exact_and_name_pages(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.pdf").write_bytes(pdf(["Rain fell for a week."], ["The museum", "opened its gilded doors."]))
    (corpus / "b.docx").write_bytes(docx(paragraph("The ship carried grain.") + paragraph("It sank in the bay.")))
    (corpus / "c.html").write_text("<p>A <i>painting</i> was\n stolen at night.</p><p>Nobody saw it.")
    (corpus / "d.md").write_text("# River\n\nThe *river* rose by two metres.")
    settings, encoder = Settings(corpus=corpus, store=str(tmp_path / "store")), ToyEncoder()
    report, collection = sync(settings, encoder)
    assert report.added == 4 and report.left_out == ()
    engine = Engine(settings, encoder, collection, report)
    pages = set()
    for question in ("museum gilded doors", "ship grain", "painting stolen", "river rose metres", "rain week"):
        for cited in engine.ask(question).citations:
            assert cited.text == engine.articles[cited.article].text[cited.start : cited.end]
            assert (cited.page is not None) == (cited.article == "a.pdf")
            assert cited.as_json()["page"] == cited.page
            pages.add(cited.page)
    assert pages >= {1, 2}
