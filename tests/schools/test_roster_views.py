"""Loading a roster in the browser, as far as a browser is not needed to see it."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from schools.models import AuditEvent, RosterImport, Student, User
from schools.roster import running
from tests import cast
from tests.schools.roster_files import contacts, family

pytestmark = pytest.mark.django_db
TEN = [family(n) for n in range(10)]


@pytest.fixture(autouse=True)
def _place(settings, tmp_path):
    cast.lincoln()
    settings.STATIC_ROOT = str(tmp_path)  # whitenoise warns of a folder not yet made
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "uploads"), "base_url": None},
        }
    }


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def uploaded(content: bytes, name: str = "roster.csv") -> RosterImport:
    file = SimpleUploadedFile(name, content)
    answer = browser(cast.dana()).post(reverse("roster"), {"roster": file})
    assert answer.status_code == 302, answer.content.decode()
    made = RosterImport.objects.latest("pk")
    assert answer.url == reverse("roster_import", args=[made.pk])
    return made


def read(made: RosterImport) -> RosterImport:
    running.advance(made.pk)
    made.refresh_from_db()
    return made


def page(made: RosterImport) -> str:
    answer = browser(cast.dana()).get(reverse("roster_import", args=[made.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def press(name: str, made: RosterImport, **data) -> str:
    url = reverse(name, args=[made.pk])
    return browser(cast.dana()).post(url, data, follow=True).content.decode()


def test_a_roster_goes_from_upload_to_preview_to_result():
    made = uploaded(contacts(TEN))
    assert not Student.objects.exists()
    waiting = page(made)
    assert "hx-trigger" in waiting
    assert 'http-equiv="refresh"' in waiting
    assert "<progress" in waiting
    preview = page(read(made))
    assert "hx-trigger" not in preview
    assert "Students to add" in preview
    assert "Mateo Mendes (S3)" in preview
    press("roster_apply", made)
    assert read(made).state == "done"
    assert Student.objects.count() == 10
    assert "The file was deleted" in page(made)
    assert [e.type for e in AuditEvent.objects.filter(type__startswith="roster.")] == [
        "roster.file_received",
        "roster.imported",
    ]


def test_changes_and_leavers_are_shown_by_name():
    read(uploaded(contacts(TEN)))
    press("roster_apply", RosterImport.objects.get())
    read(RosterImport.objects.get())
    changed = [TEN[0] | {"grade": "5", "guardian_name": "G. Mendes"}, *TEN[1:9]]
    shown = page(read(uploaded(contacts(changed))))
    assert "grade 4 → 5" in shown
    assert "name Gloria Mendes → G. Mendes" in shown
    assert "Students who leave" in shown


def test_too_many_gone_needs_the_box_that_names_the_number():
    read(uploaded(contacts(TEN)))
    press("roster_apply", RosterImport.objects.get())
    read(RosterImport.objects.get())
    made = read(uploaded(contacts(TEN[:5])))
    shown = page(made)
    assert "Stopped." in shown
    assert "5 students and 5 guardians leave, 10 entries vanish" in shown
    assert "More than 10 %" in press("roster_apply", made)
    press("roster_apply", made, agreed="1", losing="9")
    made.refresh_from_db()
    assert made.state == "ready"
    press("roster_apply", made, agreed="1", losing="10")
    assert read(made).state == "done"


def test_errors_are_listed_and_can_be_taken_away():
    made = read(uploaded(contacts([TEN[0] | {"guardian_name": "=1+1"}])))
    shown = page(made)
    assert "line 2" in shown
    assert "guardian_name" in shown
    answer = browser(cast.dana()).get(reverse("roster_issues", args=[made.pk]))
    text = b"".join(answer.streaming_content).decode()
    assert answer["Content-Disposition"].startswith("attachment")
    assert "'=1+1" in text


def test_a_refusal_says_why():
    made = read(uploaded(b"%PDF-1.7"))
    assert "a PDF" in page(made)


def test_a_broker_that_is_down_costs_nothing_but_a_press(
    django_capture_on_commit_callbacks,
):
    with django_capture_on_commit_callbacks() as doorbells:
        made = uploaded(contacts(TEN))
    assert len(doorbells) == 1
    RosterImport.objects.update(rung_at=None)
    shown = page(made)
    assert "The file is safe" in shown
    assert "Try again" in shown
    with django_capture_on_commit_callbacks() as again:
        press("roster_retry", made)
    assert len(again) == 1


def test_a_worker_that_fell_silent_is_noticed():
    made = uploaded(contacts(TEN))
    long_ago = timezone.now() - timedelta(seconds=90)
    RosterImport.objects.update(
        state="reading", runner="dead", heard_at=long_ago, rung_at=long_ago
    )
    assert "no worker has been heard from" in page(made)


def test_a_roster_can_be_dropped():
    made = read(uploaded(contacts(TEN)))
    assert "was dropped" in press("roster_drop", made)
    made.refresh_from_db()
    assert made.state == "dropped"
    assert "not waiting to be applied" in press("roster_apply", made)


def test_no_file_and_an_empty_file_are_sent_back():
    client = browser(cast.dana())
    answer = client.post(reverse("roster"), {})
    assert answer.status_code == 422
    assert "Not loaded" in answer.content.decode()
    empty = SimpleUploadedFile("r.csv", b"")
    answer = client.post(reverse("roster"), {"roster": empty})
    assert "The file is empty." in answer.content.decode()
    assert not RosterImport.objects.exists()


def test_the_example_can_be_taken():
    answer = browser(cast.dana()).get(reverse("roster_example"))
    assert answer.content.decode().startswith("school_code,student_id")


@pytest.mark.parametrize("name", ["roster", "roster_example"])
def test_a_principal_may_not_come_in(name):
    assert browser(cast.priya()).get(reverse(name)).status_code == 403


@pytest.mark.parametrize(
    "name", ["roster_apply", "roster_retry", "roster_drop", "roster_issues"]
)
def test_a_principal_may_not_touch_an_import(name):
    made = read(uploaded(contacts(TEN)))
    url = reverse(name, args=[made.pk])
    client = browser(cast.priya())
    assert client.post(url).status_code in (403, 405)
    assert client.get(url).status_code in (403, 405)
    made.refresh_from_db()
    assert made.state == "ready"


def test_an_import_that_is_not_there_is_a_404():
    client = browser(cast.dana())
    assert client.get(reverse("roster_import", args=[999])).status_code == 404
