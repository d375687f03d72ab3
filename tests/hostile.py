# ruff: noqa: E501 - a table of cases reads better unbroken
"""Hostile contents of articles: what they try, in every format, and files that are made to break their reader."""

import random
import zlib
from collections.abc import Iterator

from documents import docx, paragraph, pdf, stream

_P = "window.__pwned=1"
PAYLOADS = (
    f"<script>{_P}</script>", f"<img src=x onerror={_P}>", f'"><svg onload={_P}>', f"<svg><script>{_P}</script></svg>",
    f"</title></textarea></style></script><script>{_P}</script>", f"<iframe srcdoc='<script>parent.{_P}</script>'>",
    f"<a href='javascript:{_P}'>click</a>", f"<a href=data:text/html,<script>{_P}</script>>x</a>",
    f"[click](javascript:{_P})", f"![x](x' onerror='{_P})", f"[x]: javascript:{_P}", f"<javascript:{_P}>",
    f"${{{_P}}}", f"{{{{{_P}}}}}", f"{{{{constructor.constructor('{_P}')()}}}}", f"<%= {_P} %>", f"#{{{_P}}}",
    f"`${{{_P}}}`", f"\\href{{javascript:{_P}}}{{x}}", f"$$\\unicode{{<img src=x onerror={_P}>}}$$",
    f"<details open ontoggle={_P}>", f"<body onload={_P}>", f"<input autofocus onfocus={_P}>",
    f"<math><mtext><img src=x onerror={_P}></mtext></math>", f"<style>@import 'http://192.0.2.1/x'; *{{x:y}}</style>{_P}",
    f"<link rel=stylesheet href=http://192.0.2.1/x.css>{_P}", f"<meta http-equiv=refresh content='0;url=http://192.0.2.1/'>{_P}",
    f"<img src=http://192.0.2.1/track.png>{_P}", f"<form action=http://192.0.2.1/><button>{_P}</button></form>",
    f"<base href=http://192.0.2.1/>{_P}", f"&lt;script&gt;{_P}&lt;/script&gt;", f"&#60;script&#62;{_P}",
    f"</mark></blockquote></div><script>{_P}</script>", f"<!--><script>{_P}</script>-->", f"<x/onclick={_P}>click</x>",
    f"\u202e<script>{_P}</script>\u2066", f"data-name=\"x\" onclick=\"{_P}\" '", f"<template><script>{_P}</script></template>",
)  # fmt: skip


def in_format(ending: str, text: str) -> bytes:
    """A file of a format whose words are a text: escaped where the format has markup, so that it comes out whole."""
    if ending == ".docx":
        return docx(paragraph("Before it.") + paragraph(text) + paragraph("And after it."))
    if ending == ".pdf":
        return pdf(["Before it.", text, "And after it."])
    if ending == ".html.escaped":
        plain = text.replace("&", "&amp;").replace("<", "&lt;")
        return f"<p>Before it.<p>{plain}<p>And after it.".encode()
    if ending == ".html":
        return f"<p>Before it.<p>{text}<p>And after it.".encode()
    return f"Before it.\n\n{text}\n\nAnd after it.\n".encode()


def whole_files() -> dict[str, bytes]:
    """A sound file of each format that is parsed."""
    lines = [f"Line {n} of the page, which tells of ships and of the sea." for n in range(12)]
    return {
        "a.pdf": pdf(lines, lines, lines), "a.docx": docx("".join(map(paragraph, lines))),
        "a.html": f"<html><body><h1>Head</h1><p>{'</p><p>'.join(lines)}</p></body></html>".encode(),
        "a.md": ("# Head\n\n" + "\n\n".join(f"*{line}*" for line in lines)).encode(),
    }  # fmt: skip


def damaged_files(seed: int, cuts: int, flips: int) -> Iterator[tuple[str, bytes]]:
    """Every sound file cut off at many places, and with bytes changed at many others."""
    chance = random.Random(seed)
    for name, raw in whole_files().items():
        for _ in range(cuts):
            yield name, raw[: chance.randrange(1, len(raw))]
        for _ in range(flips):
            broken = bytearray(raw)
            for _ in range(chance.choice((1, 1, 3, 20))):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            yield name, bytes(broken)


_LAUGHS = "<!DOCTYPE x [<!ENTITY a0 'ha '>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
_FLATE = b"/Filter /FlateDecode "
_ZEROS = zlib.compress(bytes(300_000_000), 9)
_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /Font << /F 3 0 R >> %s >> /Contents 5 0 R >>"
_LINES = ["Words of the page."]

# Files that loop, swell or nest; each must be read or left out, soon, and alone.
TRAPS: dict[str, bytes] = {
    "kids-of-themselves.pdf": pdf(_LINES, objects={2: b"<< /Type /Pages /Count 1 /Kids [2 0 R] >>"}),
    "kids-in-a-ring.pdf": pdf(
        _LINES, objects={2: b"<< /Type /Pages /Count 9 /Kids [8 0 R] >>", 8: b"<< /Type /Pages /Kids [2 0 R] >>"}
    ),
    "parent-of-itself.pdf": pdf(_LINES, objects={4: b"<< /Type /Page /Parent 4 0 R /Contents 5 0 R >>"}),
    "many-pages-in-words.pdf": pdf(_LINES, objects={2: b"<< /Type /Pages /Count 2147483647 /Kids [4 0 R] >>"}),
    "catalogue-is-itself.pdf": pdf(_LINES, objects={1: b"1 0 R"}),
    "contents-are-itself.pdf": pdf(_LINES, objects={5: b"5 0 R"}),
    "length-is-itself.pdf": pdf(_LINES, objects={5: b"<< /Length 5 0 R >>\nstream\nBT ET\nendstream"}),
    "form-in-itself.pdf": pdf(
        _LINES,
        objects={
            4: _PAGE % b"/XObject << /X 8 0 R >>", 5: stream(b"/X Do"),
            8: stream(b"/X Do", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 8 0 R >> >> "),
        },
    ),
    "previous-is-itself.pdf": pdf(_LINES, trailer=b"/Prev 9 "),
    "font-maps-to-itself.pdf": pdf(_LINES, objects={3: b"<< /Type /Font /Subtype /Type0 /ToUnicode 3 0 R /DescendantFonts [3 0 R] >>"}),
    "deep-array.pdf": pdf(_LINES, objects={8: b"[" * 100_000, 4: b"<< /Type /Page /Parent 2 0 R /Contents 8 0 R >>"}),
    "deep-dictionary.pdf": pdf(_LINES, objects={1: b"<< /A " * 50_000 + b">> " * 50_000}),
    "zeros.pdf": pdf(_LINES, objects={5: stream(_ZEROS, _FLATE)}),
    "zeros-in-zeros.pdf": pdf(
        _LINES, objects={5: stream(zlib.compress(_ZEROS), b"/Filter [/FlateDecode /FlateDecode] ")}
    ),
    "words-without-end.pdf": pdf(
        _LINES, objects={5: stream(zlib.compress(b"BT /F 9 Tf " + b"(ab) Tj " * 60_000 + b"ET"), _FLATE)}
    ),
    "many-filters.pdf": pdf(_LINES, objects={5: stream(b"x", b"/Filter [" + b"/ASCIIHexDecode " * 5000 + b"] ")}),
    "encrypted-with-nonsense.pdf": pdf(
        _LINES, objects={8: b"<< /Filter /Standard /V 1 /R 2 /O (x) /U (y) /P -4 >>"}, trailer=b"/Encrypt 8 0 R "
    ),
    "javascript.pdf": pdf(_LINES, objects={1: b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>"}),
    "only-a-head.pdf": b"%PDF-1.7\n", "no-end.pdf": b"%PDF-1.7\n" + b"1 0 obj <<" * 50_000,
    "nothing.pdf": b"", "nulls.pdf": b"%PDF-" + bytes(100_000), "startxrefs.pdf": b"%PDF-1.4\n" + b"startxref\n0\n" * 50_000,
    "million-laughs.docx": docx("<w:p><w:r><w:t>x&a11;</w:t></w:r></w:p>", _LAUGHS + "]>"),
    "quadratic.docx": docx(
        f"<w:p><w:r><w:t>{'&a;' * 30_000}</w:t></w:r></w:p>", f"<!DOCTYPE x [<!ENTITY a '{'x' * 30_000}'>]>"
    ),
    "outside-entity.docx": docx("<w:p><w:r><w:t>x&e;</w:t></w:r></w:p>", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hosts'>]>"),
    "outside-dtd.docx": docx(paragraph("Words."), "<!DOCTYPE x SYSTEM 'http://192.0.2.1/x.dtd'>"),
    "outside-parameter.docx": docx(paragraph("Words."), "<!DOCTYPE x [<!ENTITY % p SYSTEM 'http://192.0.2.1/p'> %p;]>"),
    "zip-bomb.docx": docx("<w:p/>" * 17_000_000),
    "long-word.docx": docx(f"<w:p><w:r><w:t>{'x' * 6_000_000}</w:t></w:r></w:p>"),
    "deep.docx": docx("<w:p>" * 50_000 + "</w:p>" * 50_000),
    "deep-runs.docx": docx("<w:r>" * 200 + "<w:t>x</w:t>" + "</w:r>" * 200),
    "many-paragraphs.docx": docx(paragraph("") * 60_000),
    "other-zip.docx": b"PK\x05\x06" + bytes(18), "half-a-zip.docx": docx(paragraph("Words."))[:200],
    "no-document.docx": docx("").replace(b"word/document.xml", b"word/documint.xml"),
    "climbing.docx": docx(paragraph("Words."), parts={"../../evil.txt": "x", "/etc/evil": "x"}),
    "deep.html": b"<div>" * 300_000 + b"x", "deep-bold.html": b"<b><i>" * 300_000 + b"x",
    "attributes.html": b"<p " + b" ".join(b"a%d=1" % n for n in range(15_000)) + b">Words.",
    "open-comment.html": b"<p>Words.<!--" + b"<" * 3_000_000, "entities.html": b"<p>Words " + b"&amp" * 1_000_000,
    "tables.html": b"<table><tr><td>" * 500 + b"x", "other-encoding.html": b"<meta charset=utf-7><p>+ADw-script+AD4-x",
    "entity-of-ours.html": b"<!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/hosts'>]><p>Words &x;",
    "brackets.md": b"[" * 100_000 + b"x", "stars.md": b"*a_ " * 60_000, "quotes.md": b"> " * 20_000 + b"x",
    "lists.md": b"- " * 5_000 + b"x", "ticks.md": b"".join(b"`" * n + b" " for n in range(1, 800)), "links.md": b"[a](" * 20_000,
    "references.md": b"[a]: <" * 20_000, "tables.md": b"|a" * 20_000 + b"\n" + b"|-" * 20_000 + b"\n", "tags.md": b"<a " * 50_000,
    "front.md": b"---\n" + b"title: x\n" * 30_000, "entities.md": b"&" * 500_000 + b"x", "escapes.md": b"\\" * 500_000 + b"x",
    "one-line.txt": b"word " * 900_000, "one-word.txt": b"x" * 4_000_000, "dots.txt": b"." * 2_000_000 + b"x",
    "marks.txt": b'."' * 1_000_000 + b"x", "spaces.txt": b"x" + b" " * 4_000_000 + b"x", "tabs.txt": b"x\t\n\t" * 800_000,
    "lines.txt": b"x" + b"\n" * 4_000_000 + b"x", "capitals.txt": b"A. " * 100_000, "numbers.txt": b"1. " * 100_000,
    "thai.txt": "ก".encode() * 1_000_000, "closers.txt": b"x." + b'"' * 3_000_000, "combining.txt": ("a" + "\u0301" * 900_000).encode(),
    "fifty-megabytes.txt": b"word " * 10_000_000, "nulls.txt": b"a\0b", "binary.txt": bytes(range(256)) * 1000,
    "surrogates.txt": b"a \xed\xa0\x80\xed\xb0\x80 b " * 50, "bidi.txt": "\u202eabc\u2066 \u2067 \u2069\u200f words".encode() * 100,
    "boms.txt": b"\xff\xfe" * 5000, "half-utf16.txt": "words and more".encode("utf-16") + b"\x00", "controls.txt": bytes(range(1, 32)) * 100 + b"x",
    "picture.pdf": b"\x89PNG\r\n\x1a\n" + bytes(500), "page.pdf": b"<html><p>Words", "program.docx": b"\x7fELF" + bytes(500),
    "old-word.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "pdf-as-text.txt": pdf(_LINES), "word-as-page.html": docx(paragraph("Words.")),
    "zip.txt": b"PK\x03\x04" + bytes(500), "date.txt": b"date 9999-12-31 Words.", "head.txt": b"date 2024-06 ", "only-date.md": b"---\ndate: 2024-06\n---\n",
}  # fmt: skip
