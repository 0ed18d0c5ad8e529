"""The pages of attachments and go-kits: who sees what, and what a browser is told."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from schools.actions import attachments
from schools.go_kits import making
from schools.models import AuditEvent, PlanAttachment, RallyPoint, User
from tests import cast
from tests.schools import attaching, kitting, planning

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def disk(settings, tmp_path):
    attaching.keep_files_in(tmp_path, settings)
    return tmp_path


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def opened(person: User, name: str, *args) -> str:
    answer = client_of(person).get(reverse(name, args=args))
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def make_map_of_adopted() -> PlanAttachment:
    return kitting.make_kit_plan().attachments.get(kind="map")


# -- files -----------------------------------------------------------------------------


def test_a_file_is_saved_and_never_opened_here():
    found = make_map_of_adopted()
    answer = client_of(cast.sam()).get(reverse("plan_attachment", args=[found.pk]))
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith('attachment; filename="lincoln-')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["Cache-Control"] == "private, no-store"
    assert answer.content.startswith(b"\x89PNG")


def test_a_pdf_is_handed_out_in_the_same_way():
    plan = kitting.make_kit_plan()
    paper = plan.attachments.get(kind="document")
    answer = client_of(cast.cal()).get(reverse("plan_attachment", args=[paper.pk]))
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer.content == attaching.PDF


def test_what_is_for_others_is_not_found():
    found = make_map_of_adopted()
    for stranger in (cast.omar(), cast.cal()):
        answer = client_of(stranger).get(reverse("plan_attachment", args=[found.pk]))
        assert answer.status_code == 404
    assert "Map of the grounds" not in opened(cast.cal(), "plan_attachments", "lincoln")
    assert "1 more is for other readers" in opened(
        cast.cal(), "plan_attachments", "lincoln"
    )


def test_a_missing_file_is_said(disk):
    found = make_map_of_adopted()
    for file in (disk / "uploads").rglob("*"):
        if file.is_file():
            file.unlink()
    answer = client_of(cast.sam()).get(reverse("plan_attachment", args=[found.pk]))
    assert answer.status_code == 410
    assert "missing on the server" in answer.content.decode()
    assert found.sha256 in answer.content.decode()


def test_opening_a_restricted_file_is_logged_and_others_do_not_find_it():
    found = make_map_of_adopted()
    attachments.restrict_attachment(
        attachment=found, because="Vault", by=cast.dana(), now=cast.NOW
    )
    url = reverse("plan_attachment", args=[found.pk])
    assert client_of(cast.sam()).get(url).status_code == 404
    page = opened(cast.priya(), "plan_attachments", "lincoln")
    assert f'<img class="img-fluid border" src="{url}"' not in page
    assert not AuditEvent.objects.filter(
        type="plans.restricted_attachment_opened"
    ).exists()
    assert client_of(cast.priya()).get(url).status_code == 200
    event = AuditEvent.objects.latest("pk")
    assert event.type == "plans.restricted_attachment_opened"
    assert event.by_name == "Priya Raman"


# -- writing ---------------------------------------------------------------------------


def post(person: User, to: str, *args, **data):
    return client_of(person).post(reverse(to, args=args), data)


def upload(data: bytes, name: str = "map.png", **fields):
    file = SimpleUploadedFile(name, data, content_type="image/png")
    return post(
        cast.priya(), "plan_attachment_add", "lincoln",
        **{
            "file": file, "kind": "map", "title": "The grounds",
            "description": "North is up.", "audience": "responder",
        } | fields,
    )  # fmt: skip


def test_priya_adds_a_map_to_her_draft():
    planning.make_plan()
    answer = upload(attaching.make_png())
    assert answer.status_code == 302
    assert PlanAttachment.objects.get().title == "The grounds"
    page = opened(cast.priya(), "plan_attachments", "lincoln")
    assert "The grounds" in page
    assert "Take off the draft" in page


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<html><script>alert(1)</script></html>", "whatever its name says"),
        (
            b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>',
            "whatever its name",
        ),
        (attaching.make_png((300, 300))[:-60], "cut short"),
        (b"", "empty"),
    ],
)
def test_a_bad_file_is_refused_with_a_reason(data, why):
    planning.make_plan()
    answer = upload(data)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not PlanAttachment.objects.exists()


def test_a_hostile_name_is_only_words_on_the_page():
    planning.make_plan()
    upload(attaching.make_png(), name='"><script>alert(1)<\u202e/script>.png')
    page = opened(cast.priya(), "plan_attachments", "lincoln")
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_an_adopted_plan_offers_no_form():
    kitting.make_kit_plan()
    page = opened(cast.priya(), "plan_attachment_add", "lincoln")
    assert "Start a new version" in page
    assert '<input type="file"' not in page
    before = PlanAttachment.objects.count()
    upload(attaching.make_png())
    assert PlanAttachment.objects.count() == before


def test_a_rally_point_is_named_and_taken_out():
    planning.make_plan()
    words = {"name": "North", "use": "assembly", "where": "By the oak", "note": ""}
    for code in (302, 422):  # the second time it is there already
        answer = post(
            cast.priya(), "rally_point_add", "lincoln", audience="staff", **words
        )
        assert answer.status_code == code
    point = RallyPoint.objects.get()
    post(cast.priya(), "rally_point_remove", point.pk)
    assert not RallyPoint.objects.exists()


def test_dana_restricts_with_a_reason_and_priya_may_not():
    found = make_map_of_adopted()
    assert (
        post(cast.priya(), "plan_attachment_restrict", found.pk, because="x")
    ).status_code == 403
    assert (
        post(cast.dana(), "plan_attachment_restrict", found.pk, because="  ")
    ).status_code == 422
    post(cast.dana(), "plan_attachment_restrict", found.pk, because="Shows doors")
    found.refresh_from_db()
    assert found.restricted_because == "Shows doors"


# -- go-kits ---------------------------------------------------------------------------


def make_kit():
    plan = kitting.make_kit_plan()
    making.make(cast.lincoln(), now=timezone.now())
    return plan


def test_sam_reads_the_kit_and_takes_both_files():
    make_kit()
    page = opened(cast.sam(), "go_kit", "lincoln")
    for words in ("Up to date", "Lock the door.", "(763) 555-0100", "North field"):
        assert words in page
    assert kitting.SECRET not in page
    assert "With restricted text" not in page
    for form, begins in (("pdf", b"%PDF"), ("html", b"<!doctype html>")):
        answer = client_of(cast.sam()).get(
            reverse("go_kit_take", args=["lincoln", form])
        )
        assert answer.content.startswith(begins)
        assert answer["Content-Disposition"] == (
            f'attachment; filename="lincoln-go-kit.{form}"'
        )
        assert "sandbox" in answer["Content-Security-Policy"]


def test_the_restricted_variant_is_for_few_and_each_reading_is_logged():
    make_kit()
    url = reverse("go_kit_restricted", args=["lincoln", "html"])
    assert client_of(cast.sam()).get(url).status_code == 403
    answer = client_of(cast.priya()).get(url)
    assert kitting.SECRET in answer.content.decode()
    assert 'filename="RESTRICTED-lincoln-go-kit.html"' in answer["Content-Disposition"]
    event = AuditEvent.objects.latest("pk")
    assert (event.type, event.by_name) == (
        "plans.restricted_go_kit_read",
        "Priya Raman",
    )
    assert event.data == {"version": 1, "form": "html"}


def test_nobody_reads_restricted_text_when_it_cannot_be_logged(monkeypatch):
    make_kit()

    def broken(*args, **kwargs):
        raise RuntimeError("the log is full")

    monkeypatch.setattr("schools.actions.go_kits.audit.record", broken)
    client = client_of(cast.priya())
    client.raise_request_exception = False
    answer = client.get(reverse("go_kit_restricted", args=["lincoln", "html"]))
    assert answer.status_code == 500
    assert kitting.SECRET not in answer.content.decode()


def test_without_a_kit_the_page_still_says_whom_to_call():
    kitting.make_kit_plan()
    page = opened(cast.sam(), "go_kit", "lincoln")
    assert "No go-kit yet" in page
    assert "(763) 555-0100" in page
    answer = client_of(cast.sam()).get(
        reverse("go_kit_take", args=["lincoln", "pdf"]), follow=True
    )
    assert "No go-kit yet. Nothing can be taken along" in answer.content.decode()


def test_the_list_shows_what_is_wrong_first():
    make_kit()
    roosevelt = cast.roosevelt()
    planning.close(planning.make_plan(roosevelt))
    cast.make_school("adams")
    page = opened(cast.dana(), "go_kits")
    places = [page.index(f">{name}<") for name in ("Roosevelt Middle", "Adams High")]
    assert places == sorted(places)
    assert places[1] < page.index(">Lincoln High<")
    assert "Roosevelt" not in opened(cast.sam(), "go_kits")


def test_a_form_that_is_none_is_not_found():
    make_kit()
    answer = client_of(cast.sam()).get("/schools/lincoln/go-kit/exe")
    assert answer.status_code == 404


def test_priya_has_it_made_anew():
    make_kit()
    answer = client_of(cast.priya()).post(
        reverse("go_kit_make", args=["lincoln"]), follow=True
    )
    assert "is being made" in answer.content.decode()
    assert AuditEvent.objects.latest("pk").type == "plans.go_kit_asked_for"
