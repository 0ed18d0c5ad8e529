"""The frame, the parts and the error pages say what they must, in words."""

from dataclasses import dataclass

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import loader
from django.test import RequestFactory

from schools.protocols import Protocol

ERROR_PAGES = ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"]


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    active: bool = False
    count: int = 0


@dataclass(frozen=True)
class Part:
    kind: str
    count: int
    word: str = ""
    shown: str = ""


class SchoolForm(forms.Form):
    name = forms.CharField(label="Name of the school")
    how = forms.ChoiceField(widget=forms.RadioSelect, choices=[("a", "A"), ("b", "B")])


@pytest.fixture(autouse=True)
def _unhashed(settings):
    """The hashes belong to collectstatic; test_static.py looks after them."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        }
    }


def render(template: str, **context: object) -> str:
    """The HTML of a template for a visitor who is not signed in."""
    request = RequestFactory().get("/somewhere", {"school": "7"})
    return loader.get_template(template).render(context, request)


def make_catalogue(mode: str = "live") -> str:
    """The catalogue page with every part on it."""
    return render(
        "parts/catalogue.html",
        mode=mode,
        nav=[Link("Home", "/"), Link("Alerts", "/alerts", active=True, count=3)],
        form=SchoolForm({}),
        protocols=[{"value": p.value, "label": p.label} for p in Protocol],
        texts=[
            {"code": "en", "name": "English", "dir": "ltr", "body": "Stay inside."},
            {"code": "ar", "name": "العربية", "dir": "rtl", "body": "ابقوا في الداخل."},
        ],
        progress=[Part("delivered", 60), Part("failed", 2), Part("waiting", 38)],
        rows=[{"name": "Lockdown", "kind": "uncertain", "word": "2 uncertain"}],
        page_obj=Paginator(range(50), 10).page(2),
    )


@pytest.mark.parametrize("page", ERROR_PAGES)
def test_error_pages_need_neither_context_nor_database(page):
    html = loader.get_template(page).render()
    assert "<h1>" in html
    assert 'href="tel:911"' in html


def test_the_page_for_our_own_mistakes_needs_no_manifest(settings):
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        }
    }
    assert "/static/css/public.css" in loader.get_template("500.html").render()


@pytest.mark.parametrize(
    ("mode", "word"), [("live", "LIVE"), ("exercise", "EXERCISE"), ("test", "TEST")]
)
def test_a_mode_is_said_in_title_frame_and_tag(mode, word):
    html = make_catalogue(mode)
    assert f"<title>{word} — " in html
    assert f'<body class="mode-{mode}">' in html
    assert f"<b>{word}</b>" in render("parts/mode_tag.html", mode=mode)


@pytest.mark.parametrize("mode", ["exercise", "test"])
def test_only_a_live_tag_promises_families_anything(mode):
    assert "families will receive" in render("parts/mode_tag.html", mode="live")
    assert "no family receives this" in render("parts/mode_tag.html", mode=mode)


@pytest.mark.parametrize(
    ("kind", "icon"),
    [
        ("ok", "check-circle-fill"),
        ("warn", "exclamation-triangle-fill"),
        ("bad", "x-circle-fill"),
        ("idle", "hourglass-split"),
        ("uncertain", "question-circle-fill"),
    ],
)
def test_a_status_is_word_icon_and_colour(kind, icon):
    html = render("parts/status.html", kind=kind, word="The word")
    assert f"#{icon}" in html
    assert f'class="pill {kind}"' in html
    assert "The word" in html


@pytest.mark.parametrize("protocol", Protocol)
def test_every_protocol_has_its_icon(protocol):
    assert "#" in render("parts/protocol_icon.html", protocol=protocol.value)


def test_progress_says_every_part_in_words_and_gives_it_its_share():
    html = render(
        "parts/progress.html",
        total=4182,
        reached="2,604 of 4,182 reached",
        parts=[
            Part("delivered", 2604, shown="2,604"),
            Part("failed", 31),
            Part("uncertain", 0),
            Part("waiting", 1547, shown="1,547"),
        ],
    )
    assert "2,604 delivered" in html
    assert "31 failed" in html
    assert "1,547 waiting" in html
    assert "uncertain</span>" not in html
    assert 'class="delivered" width="62267"' in html


def test_progress_of_nobody_is_an_empty_bar():
    html = render("parts/progress.html", total=0, parts=[Part("delivered", 0)])
    assert 'width="0"' in html
    assert "0 delivered" in html


def test_the_error_summary_names_each_field_and_leads_to_it():
    html = render("parts/error_summary.html", form=SchoolForm({}))
    assert '<a href="#id_name">Name of the school: This field is required.</a>' in html
    assert '<a href="#div_id_how">' in html
    assert "kept" in html


def test_a_form_without_errors_has_no_summary():
    assert "error-summary" not in render("parts/error_summary.html", form=SchoolForm())


def test_turning_the_page_keeps_the_filter():
    html = render("parts/pagination.html", page_obj=Paginator(range(30), 10).page(2))
    assert "?school=7&amp;page=3" in html
    assert "Page 2 of 3" in html


def test_the_navigation_says_where_you_are_and_what_waits():
    html = make_catalogue()
    assert '<a href="/alerts" aria-current="page">Alerts' in html
    assert '3<span class="visually-hidden"> waiting</span>' in html


def test_a_demo_says_that_nothing_leaves():
    html = render("registration/sign_in.html", demo=True, sandbox_url="/arrived")
    assert "nothing leaves this machine" in html
    assert '<a href="/arrived">' in html


def test_demo_people_stand_on_the_sign_in_page_only_when_given():
    dana = {"name": "Dana", "role": "Coordinator", "email": "dana@example.org"}
    html = render("registration/sign_in.html", demo_accounts=[dana])
    assert "dana@example.org" in html
    assert "demo-people" not in render("registration/sign_in.html", demo_accounts=[])
