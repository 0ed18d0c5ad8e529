"""PDFs: tagged, readable, and deaf to whatever hostile text would have them do."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from schools import documents
from schools.documents import DocumentFailed, make_pdf
from tests.cast import NOW
from tests.pdf_reading import Pdf, read_pdf

PLAIN = """
#import "house.typ": *
#show: house
= A heading
#prose(data.text)
#for one in data.at("pictures", default: ()) { picture(one, "What it shows") }
"""
LANGUAGES = {
    "en": "Everyone out by the north doors.",
    "es": "Salgan por la puerta norte. ¿Quién falta? Año, niñez.",
    "hmn": "Tawm ntawm lub qhov rooj sab qaum teb.",
    "so": "Ka bax albaabka waqooyi.",
    "vi": "Mọi người ra bằng cửa phía bắc.",
    "ru": "Выходите через северные двери.",
    "om": "Balbala kaabaatiin ba’aa.",
}
HOSTILE = [
    '#read("house.typ")',
    '#image("/etc/passwd")',
    '#import "house.typ": *',
    r"\u{41} \\ \#",
    "#{ panic() }",
    "[unclosed",
    "closed]]]",
    "$ x^2 $ *bold* _under_ `code` <label> @reference",
    '#eval("1")',
    "// not a comment /* either",
    '"); #read("x',
]


@pytest.fixture
def typeset(tmp_path, monkeypatch) -> Callable[..., Pdf]:
    """Make a PDF from a template of the test's own."""
    house = documents.TEMPLATES / "house.typ"
    (tmp_path / "house.typ").write_bytes(house.read_bytes())
    monkeypatch.setattr(documents, "TEMPLATES", tmp_path)

    def make(text: str = "", *, source: str = PLAIN, is_ua: bool = True, **how) -> Pdf:
        Path(tmp_path / "trial.typ").write_text(source)
        data = {"text": text, "pictures": sorted(how.get("pictures", ()))}
        made = make_pdf("trial.typ", data, **{"title": "Trial", "now": NOW} | how)
        assert made.is_ua is is_ua
        return read_pdf(made.pdf)

    return make


def make_png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, "PNG")
    return out.getvalue()


def test_a_document_is_tagged_and_says_its_title_and_language(typeset):
    pdf = typeset("Words.", title="Lincoln’s plan", language="es")
    assert b"/StructTreeRoot" in pdf.catalogue
    assert b"/Lang(es)" in pdf.catalogue.replace(b" ", b"")
    assert b"/DisplayDocTitle true" in pdf.catalogue
    assert b"/Marked true" in pdf.catalogue
    assert "pdfuaid:part" in pdf.everything.decode(errors="ignore")
    assert "Lincoln’s plan" in pdf.everything.decode(errors="ignore")
    assert b"/S/H1" in pdf.everything
    assert b"/S/P" in pdf.everything


def test_a_picture_carries_its_words(typeset):
    pdf = typeset(pictures={"map-1.png": make_png()})
    assert b"/S/Figure" in pdf.everything
    assert b"/Alt(What it shows)" in pdf.everything


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_of_every_language_can_be_copied_out(language, typeset):
    said = LANGUAGES[language]
    found = typeset(said, language=language).text()
    assert said in found.replace("\n", "")


def test_arabic_is_shaped_and_runs_from_right_to_left(typeset):
    joined = typeset("مرحبا بالعالم", language="ar")
    apart = typeset("ا ب ح ع ل م ر", language="ar")
    assert joined.glyphs_for("ب") > apart.glyphs_for("ب")
    assert set("مرحبالع") <= set(joined.text())
    assert b"/Direction/R2L" in joined.catalogue.replace(b" ", b"")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_text(hostile, typeset):
    assert hostile in typeset(hostile).text().replace("\n", "")


def test_lines_and_paragraphs_stay_apart(typeset):
    text = typeset("First line\r\nSecond line\n\n\n\nNew paragraph").text()
    assert "First lineSecond" not in text
    assert text.index("First line") < text.index("Second line")
    assert "New paragraph" in text


def test_a_letter_no_font_has_costs_the_mark_and_not_the_document(typeset, caplog):
    pdf = typeset("Meet at the flagpole 😀 now", is_ua=False)
    assert "flagpole" in pdf.text()
    assert b"/StructTreeRoot" in pdf.catalogue
    assert "no glyph" in caplog.text
    assert "flagpole" not in caplog.text


def test_a_template_cannot_leave_its_folder(typeset):
    for outside in ('#read("/../../../etc/passwd")', '#read("../house.typ")'):
        with pytest.raises(DocumentFailed, match=r"trial\.typ"):
            typeset(source=PLAIN + outside)


def test_no_package_is_fetched(typeset):
    with pytest.raises(DocumentFailed, match="package"):
        typeset(source=PLAIN + '#import "@preview/cetz:0.3.0"')


def test_a_broken_template_says_which_and_why(typeset):
    with pytest.raises(DocumentFailed, match=r"trial\.typ.*nothing"):
        typeset(source=PLAIN + "#nothing()")


def test_a_picture_without_words_is_not_accepted(typeset):
    silent = PLAIN + '#image("pictures/map-1.png")'
    with pytest.raises(DocumentFailed, match="alt"):
        typeset(source=silent, pictures={"map-1.png": make_png()})


@pytest.mark.parametrize(
    "name", ["../x.png", "a/b.png", "x.svg", "", "X.PNG", "x.png "]
)
def test_a_picture_goes_by_a_plain_name(name, typeset):
    with pytest.raises(DocumentFailed, match="name"):
        typeset(pictures={name: make_png()})


def test_the_fonts_are_the_same_on_every_machine():
    names = {file.name for file in documents.FONTS.glob("*.ttf")}
    assert {"AtkinsonHyperlegibleNext-Regular.ttf", "NotoSansArabic-Bold.ttf"} <= names
