"""Paper: tagged PDF documents, from a Typst template and plain data.

A template lives in `templates/documents/` and starts with

    #import "house.typ": *
    #show: house

It reads its data as `data` (a dictionary), its pictures by `picture(name, alt)`. Data
goes in as JSON and comes out as strings: whatever people wrote is text, never markup,
so `#read("secret")` prints as just that. The compiler sees one throw-away folder with
the templates and the pictures, and no package, network or system font.
"""

import json
import logging
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import typst
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

log = logging.getLogger(__name__)
TEMPLATES = settings.BASE_DIR / "templates" / "documents"
FONTS = settings.BASE_DIR / "static" / "vendor" / "document-fonts"
PICTURE_NAME = re.compile(r"[a-z0-9_-]{1,60}\.(png|jpg)")


class DocumentFailed(RuntimeError):
    """The document could not be made; says where and why, for the log."""


@dataclass(frozen=True)
class Document:
    """A tagged PDF. `is_ua` is False where a letter had no glyph in our fonts."""

    pdf: bytes
    is_ua: bool


def make_pdf(
    template: str,
    data: Mapping[str, Any],
    *,
    title: str,
    now: datetime,
    language: str = "en",
    pictures: Mapping[str, bytes] | None = None,
) -> Document:
    """Fill a template of `templates/documents/` and make a tagged PDF of it.

    `data` must fit JSON (dates become ISO text). `pictures` are PNG or JPEG bytes by
    name, such as "map-1.png"; give only what `schools.pictures` has drawn. A character
    that no font of ours has makes a box and costs the PDF/UA mark, not the document.
    Raises DocumentFailed for a template or a picture that does not compile.
    """
    told = dict(data) | {"title": title, "language": language}
    inputs = {"data": json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False)}
    with tempfile.TemporaryDirectory(prefix="document-") as folder:
        root = Path(folder)
        _lay_out(root, pictures or {})
        compiler = typst.Compiler(
            root / template,
            root=root,
            font_paths=[FONTS],
            ignore_system_fonts=True,
            sys_inputs=inputs,
            package_path=root / "no-packages",
            package_cache_path=root / "no-packages",
        )
        stamp = int(now.timestamp())
        try:
            return Document(_compile(compiler, stamp, is_ua=True), is_ua=True)
        except typst.TypstError as error:
            if "could not be displayed" not in str(error):
                raise DocumentFailed(_words(template, error)) from error
            # The error quotes the text, which is not the log's business.
            log.warning("%s: a letter has no glyph; made without PDF/UA", template)
        try:
            return Document(_compile(compiler, stamp, is_ua=False), is_ua=False)
        except typst.TypstError as error:
            raise DocumentFailed(_words(template, error)) from error


def _lay_out(root: Path, pictures: Mapping[str, bytes]) -> None:
    for file in TEMPLATES.glob("*.typ"):
        (root / file.name).write_bytes(file.read_bytes())
    (root / "pictures").mkdir()
    for name, data in pictures.items():
        if not PICTURE_NAME.fullmatch(name):
            raise DocumentFailed(f"{name!r} is not a name for a picture here.")
        (root / "pictures" / name).write_bytes(data)


def _compile(compiler: typst.Compiler, stamp: int, *, is_ua: bool) -> bytes:
    # PDF/UA-1 is ISO 14289-1; the compiler refuses to write a file that breaks it.
    standard: list[Literal["ua-1"]] = ["ua-1"] if is_ua else []
    made = compiler.compile(format="pdf", timestamp=stamp, pdf_standards=[*standard])
    if not isinstance(made, bytes):
        raise DocumentFailed("The compiler made nothing.")
    return made


def _words(template: str, error: typst.TypstError) -> str:
    hints = "; ".join(getattr(error, "hints", None) or ())
    return f"{template}: {error}" + (f" ({hints})" if hints else "")
