"""Static files are ours, complete and light."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
TEMPLATES = ROOT / "templates"
SPRITE = STATIC / "vendor" / "bootstrap-icons" / "sprite.svg"


def test_every_reference_of_every_style_sheet_is_there():
    for sheet in STATIC.rglob("*.css"):
        for target in re.findall(r"url\(\s*['\"]?([^'\")]+)", sheet.read_text()):
            if not target.startswith(("data:", "#")):
                path = sheet.parent / unquote(target)
                assert path.is_file(), f"{sheet}: {target}"


def test_hashed_static_files_can_be_collected(tmp_path, settings):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        }
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    theme = next(tmp_path.glob("css/theme.*.css")).read_text()
    assert re.search(r"atkinson-hyperlegible-next-latin-wght-normal\.\w+\.woff2", theme)


def test_htmx_comes_from_its_package():
    assert finders.find("django_htmx/htmx-2.min.js")
    assert not list(STATIC.rglob("htmx*.js"))


def test_public_pages_stay_light():
    assert (STATIC / "css" / "public.css").stat().st_size < 6 * 1024
    text = (TEMPLATES / "public_base.html").read_text()
    assert "bootstrap" not in text
    assert "<script" not in text


def test_every_icon_a_template_names_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))
    for page in TEMPLATES.rglob("*.html"):
        text = page.read_text()
        asked = re.findall(r'parts/icon\.html" with name="([^"]+)"', text)
        asked += re.findall(r'parts/empty\.html" with[^%]*\bicon="([^"]+)"', text)
        assert set(asked) <= drawn, f"{page}: {set(asked) - drawn}"


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a style attribute", r"<[a-z][^>]*\sstyle\s*="),
        ("a style element", r"<style\b"),
        ("an event attribute", r"<[a-z][^>]*\son[a-z]+\s*="),
        ("an inline script", r"<script(?![^>]*\bsrc=)[^>]*>"),
        ("something from another server", r"(?:src|href)=\"(?:https?:)?//"),
    ],
)
def test_no_page_holds_what_the_content_policy_forbids(what, pattern):
    for page in TEMPLATES.rglob("*.html"):
        found = re.search(pattern, page.read_text(), re.IGNORECASE)
        assert found is None, f"{page} holds {what}: {found and found.group()}"
