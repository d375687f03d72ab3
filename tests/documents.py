"""Small files of every format, made by hand."""

import io
import zipfile
from collections.abc import Mapping, Sequence

_WORD = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)


def pdf(*pages: Sequence[str], objects: Mapping[int, bytes] | None = None, trailer: bytes = b"") -> bytes:
    """A PDF whose pages hold lines of Latin text; ``objects`` replaces some of its objects by number.

    1 is the catalogue, 2 the page tree, 3 the font; page n is object 2n + 4, its content 2n + 5.
    """
    bodies: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (len(pages), b" ".join(b"%d 0 R" % (2 * n + 4) for n in range(len(pages)))),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    }
    for n, lines in enumerate(pages):
        shown = b"".join(b"(%s) Tj 0 -14 Td\n" % _escaped(line) for line in lines)
        content = b"BT /F 12 Tf 72 720 Td\n%sET" % shown
        bodies[2 * n + 4] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (2 * n + 5)
        )
        bodies[2 * n + 5] = stream(content)
    bodies.update(objects or {})
    out, places = b"%PDF-1.4\n", {}
    for number in sorted(bodies):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, bodies[number])
    table = b"".join(
        b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
        for number in range(max(bodies) + 1)
    )
    end = b"xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n"
    return out + end % (max(bodies) + 1, table, max(bodies) + 1, trailer, len(out))


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %s>>\nstream\n%s\nendstream" % (len(content), entries, content)


def _escaped(line: str) -> bytes:
    raw = line.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def docx(body: str, before: str = "", parts: Mapping[str, str] | None = None) -> bytes:
    """A Word document with this XML in its body; ``before`` stands in front of its root."""
    root = f'<?xml version="1.0" encoding="UTF-8"?>{before}<w:document {_WORD}><w:body>{body}</w:body></w:document>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", root)
        for name, xml in (parts or {}).items():
            archive.writestr(name, xml.replace("<w:footnotes>", f"<w:footnotes {_WORD}>"))
    return out.getvalue()


def paragraph(text: str) -> str:
    """A paragraph of a Word document."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<w:p><w:r><w:t xml:space="preserve">{plain}</w:t></w:r></w:p>'
