"""Reading our own PDFs back: tags, language, and the text a reader would copy.

Enough for what Typst writes (plain objects, deflated streams, Type 0 fonts with a
ToUnicode map); not for PDFs from elsewhere.
"""

import re
import zlib
from dataclasses import dataclass

OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
LITERAL = rb"\(((?:\\.|[^\\()]|\((?:\\.|[^\\()])*\))*)\)"  # with one level of brackets
TOKEN = re.compile(
    rb"/ActualText(?:<([0-9A-Fa-f]+)>|" + LITERAL + rb")>>BDC"  # 1, 2
    rb"|/(?:Alt|Lang)"
    + LITERAL  # 3
    + rb"|(EMC)"  # 4
    rb"|/(f\d+) [\d.]+ Tf"  # 5
    rb"|(BDC|BMC)"  # 6
    rb"|<([0-9A-Fa-f]+)>"  # 7
    rb"|"
    + LITERAL  # 8
    + rb"|(ET)",  # 9
    re.DOTALL,
)
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass(frozen=True)
class Pdf:
    """A PDF taken apart."""

    objects: dict[int, bytes]

    @property
    def everything(self) -> bytes:
        """Every object, streams unpacked."""
        return b"\n".join(self.objects.values())

    @property
    def catalogue(self) -> bytes:
        """The dictionary of the document."""
        return next(body for body in self.objects.values() if b"/Type/Catalog" in body)

    def text(self) -> str:
        """What every page says, in the order it is drawn."""
        pages = [b for b in self.objects.values() if re.search(rb"/Type/Page\b", b)]
        return "\n".join(map(self._page_text, pages))

    def glyphs_for(self, letter: str) -> int:
        """How many different shapes are used for one letter."""
        maps = [b for b in self.objects.values() if b"begincmap" in b]
        return sum(list(_to_unicode(one).values()).count(letter) for one in maps)

    def _page_text(self, page: bytes) -> str:
        resources = self._named(rb"/Resources (\d+) 0 R", page)
        fonts = {}
        for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", resources):
            cmap = self._named(rb"/ToUnicode (\d+) 0 R", self.objects[int(number)])
            fonts[name] = _to_unicode(cmap)
        return _said(self._named(rb"/Contents (\d+) 0 R", page), fonts)

    def _named(self, pattern: bytes, body: bytes) -> bytes:
        found = re.search(pattern, body)
        assert found, pattern
        return self.objects[int(found[1])]


def read_pdf(data: bytes) -> Pdf:
    """Take a PDF of ours apart."""
    assert data.startswith(b"%PDF-")
    return Pdf({int(n): _unpacked(body) for n, body in OBJECT.findall(data)})


def _unpacked(body: bytes) -> bytes:
    head, stream, rest = body.partition(b"stream\n")
    if not stream or b"/FlateDecode" not in head:
        return body
    return head + zlib.decompressobj().decompress(rest)


def _to_unicode(cmap: bytes) -> dict[int, str]:
    pairs = re.findall(rb"\n<([0-9A-F]{4})> <([0-9A-F]+)>(?=\n)", cmap)
    return {int(g, 16): bytes.fromhex(u.decode()).decode("utf-16-be") for g, u in pairs}


def _said(content: bytes, fonts: dict[bytes, dict[int, str]]) -> str:
    words: list[str] = []
    glyphs: dict[int, str] = {}
    open_marks: list[bool] = []  # True: this mark says its text itself
    for found in TOKEN.finditer(content):
        if found[1] or found[2] is not None:
            raw = bytes.fromhex(found[1].decode()) if found[1] else _plain(found[2])
            words.append(raw.decode("utf-16") if found[1] else raw.decode())
            open_marks.append(True)
        elif found[3] is not None:
            continue  # words about a picture, not words on the page
        elif found[4]:
            if open_marks:
                open_marks.pop()
        elif found[5]:
            glyphs = fonts[found[5]]
        elif found[6]:
            open_marks.append(False)
        elif found[9]:
            words.append("\n")
        elif not any(open_marks):
            raw = bytes.fromhex(found[7].decode()) if found[7] else _plain(found[8])
            codes = [int.from_bytes(raw[n : n + 2]) for n in range(0, len(raw), 2)]
            words += [glyphs.get(code, "�") for code in codes]
    return "".join(words)


def _plain(literal: bytes) -> bytes:
    def one(match: re.Match[bytes]) -> bytes:
        what = match[1]
        return bytes([int(what, 8)]) if what.isdigit() else ESCAPES.get(what, what)

    return re.sub(rb"\\([0-7]{3}|.)", one, literal, flags=re.DOTALL)
