"""What hangs on a plan: taken by content, kept under no name, then unchanged."""

import io
import stat
import zipfile
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from PIL import Image

from schools import audit, plan_files
from schools.actions import attachments as actions
from schools.models import Audience, AuditEvent, PlanAttachment, RallyPoint
from tests import cast
from tests.schools import attaching, planning
from tests.schools.attaching import PDF, attach, make_png

pytestmark = pytest.mark.django_db
RTL = "floor\u202egnp.exe"


@pytest.fixture(autouse=True)
def disk(settings, tmp_path) -> Path:
    """The private folder, one for each test."""
    attaching.keep_files_in(tmp_path, settings)
    return tmp_path / "uploads"


def files(disk: Path) -> list[Path]:
    return [one for one in disk.rglob("*") if one.is_file()]


def last_type() -> str:
    return AuditEvent.objects.latest("pk").type


# -- what is taken ---------------------------------------------------------------------


def test_a_map_is_drawn_anew_hashed_and_logged(disk):
    attachment = attach(planning.make_plan())
    assert (attachment.width, attachment.height) == (64, 48)
    assert attachment.content_type == "image/png"
    kept = plan_files.read(attachment)
    assert len(kept) == attachment.size
    assert Image.open(io.BytesIO(kept)).getpixel((1, 1)) == (0, 128, 0)
    event = AuditEvent.objects.latest("pk")
    assert event.type == "plans.attachment_added"
    assert event.data["sha256"] == attachment.sha256


def test_a_pdf_is_kept_as_it_came(disk):
    attachment = attach(planning.make_plan(), PDF, uploaded_as="plan.pdf")
    assert attachment.content_type == "application/pdf"
    assert attachment.width is None
    assert plan_files.read(attachment) == PDF


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "..\\..\\boot.ini",
        "/etc/shadow",
        RTL,
        "a\0b.png",
        "",
        ".",
    ],
)
def test_an_uploaded_name_never_reaches_the_disk(name, disk):
    attachment = attach(planning.make_plan(), uploaded_as=name)
    (kept,) = files(disk)
    assert kept.parent == disk / "plans"
    assert len(kept.name) == 32
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not set("/\\\u202e\0") & set(attachment.file_name)
    assert attachment.file_name
    assert plan_files.offered_name(attachment).isascii()
    assert plan_files.offered_name(attachment).endswith(".png")


def test_a_photo_loses_its_place(disk):
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (45.0, 11.0, 52.0)})
    exif[0x010E] = "Behind Gloria’s house".encode().decode("latin-1")
    out = io.BytesIO()
    Image.new("RGB", (50, 50)).save(out, "JPEG", exif=exif)
    assert b"Exif" in out.getvalue()
    attachment = attach(planning.make_plan(), out.getvalue(), kind="photo")
    assert b"Exif" not in plan_files.read(attachment)
    assert not Image.open(io.BytesIO(plan_files.read(attachment))).getexif()


def make_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("run.sh", "rm -rf /")
    return out.getvalue()


REFUSED = {
    "html named png": (b"<html><script>alert(1)</script></html>", "map.png"),
    "html with a pdf after it": (b"<html>" + PDF, "map.pdf"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', "map.svg"),
    "svg named png": (b'<?xml version="1.0"?><svg onload="x()"></svg>', "map.png"),
    "zip": (make_zip(), "map.png"),
    "zip with a pdf in its clothes": (make_zip() + PDF, "map.pdf"),
    "program": (b"MZ\x90\x00" + bytes(200), "map.pdf"),
    "half a pdf": (PDF[:40], "map.pdf"),
    "half a picture": (make_png((300, 300))[:-60], "map.png"),
    "nothing": (b"", "map.png"),
    "gif": (b"GIF89a" + bytes(60), "map.gif"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_judged_by_content_and_refused_whole(what, disk):
    data, name = REFUSED[what]
    plan = planning.make_plan()
    with pytest.raises(plan_files.FileRefused, match=r"othing was kept"):
        attach(plan, data, uploaded_as=name)
    assert not files(disk)
    assert not PlanAttachment.objects.exists()
    assert not AuditEvent.objects.filter(type="plans.attachment_added").exists()


def test_a_picture_that_is_a_zip_too_keeps_only_the_picture(disk):
    attachment = attach(planning.make_plan(), make_png() + make_zip())
    assert not zipfile.is_zipfile(io.BytesIO(plan_files.read(attachment)))


def test_a_pdf_of_too_many_bytes_is_refused(monkeypatch, disk):
    monkeypatch.setattr(plan_files, "MAX_PDF", 20)
    with pytest.raises(plan_files.FileRefused, match="at most"):
        attach(planning.make_plan(), PDF)
    assert not files(disk)


def test_a_plan_has_so_many_attachments_and_no_more(monkeypatch, disk):
    monkeypatch.setattr(actions, "MOST", 1)
    plan = planning.make_plan()
    attach(plan)
    with pytest.raises(actions.TooMany):
        attach(plan)
    assert len(files(disk)) == 1


def test_nothing_is_kept_when_the_log_cannot_be_written(monkeypatch, disk):
    def broken(*args, **kwargs):
        raise DatabaseError("the log is full")

    monkeypatch.setattr(audit, "record", broken)
    with pytest.raises(DatabaseError), transaction.atomic():
        attach(planning.make_plan())
    assert not files(disk)
    assert not PlanAttachment.objects.exists()


# -- adopted ---------------------------------------------------------------------------


def make_adopted() -> PlanAttachment:
    plan = planning.make_plan()
    attachment = attach(plan)
    attaching.make_point(plan)
    planning.close(plan)
    attachment.refresh_from_db()
    return attachment


def test_an_adopted_plan_takes_no_more(disk):
    attachment = make_adopted()
    with pytest.raises(actions.PlanIsClosed, match="new version"):
        attach(attachment.plan)
    with pytest.raises(actions.PlanIsClosed):
        attaching.make_point(attachment.plan, "South field")
    with pytest.raises(actions.PlanIsClosed):
        actions.remove_attachment(attachment=attachment, by=cast.priya(), now=cast.NOW)
    with pytest.raises(actions.PlanIsClosed):
        actions.remove_rally_point(
            point=RallyPoint.objects.get(), by=cast.priya(), now=cast.NOW
        )
    assert len(files(disk)) == 1
    assert PlanAttachment.objects.count() == RallyPoint.objects.count() == 1


CHANGES = {
    "title": lambda: PlanAttachment.objects.update(title="Other"),
    "hash": lambda: PlanAttachment.objects.update(sha256="f" * 64),
    "file": lambda: PlanAttachment.objects.update(file="plans/other"),
    "audience": lambda: PlanAttachment.objects.update(audience="staff"),
    "gone": lambda: PlanAttachment.objects.all().delete(),
    "moved": lambda: PlanAttachment.objects.update(plan=planning.make_plan(version=2)),
    "one more": lambda: attaching.attachment_row(
        plan=PlanAttachment.objects.get().plan
    ),
    "restricted and retitled": lambda: PlanAttachment.objects.update(
        title="Other",
        restricted_at=cast.NOW,
        restricted_by=cast.dana(),
        restricted_because="It shows the vault.",
    ),
    "point moved": lambda: RallyPoint.objects.update(where="Elsewhere"),
    "point gone": lambda: RallyPoint.objects.all().delete(),
    "one point more": lambda: attaching.point_row(PlanAttachment.objects.get().plan),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_database_refuses_to_change_what_was_adopted(what, disk):
    make_adopted()
    with pytest.raises(DatabaseError), transaction.atomic():
        CHANGES[what]()
    assert PlanAttachment.objects.get().title == "Map of the grounds"
    assert RallyPoint.objects.get().where == "Behind the tennis courts"


def test_an_adopted_attachment_can_be_restricted_once_and_stays_so(disk):
    attachment = make_adopted()
    actions.restrict_attachment(
        attachment=attachment, because="It shows the vault.", by=cast.dana(),
        now=cast.NOW,
    )  # fmt: skip
    attachment.refresh_from_db()
    assert attachment.restricted_by == cast.dana()
    assert last_type() == "plans.attachment_restricted"
    with pytest.raises(actions.AlreadyRestricted):
        actions.restrict_attachment(
            attachment=attachment, because="Again", by=cast.dana(), now=cast.NOW
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        PlanAttachment.objects.update(
            restricted_at=None, restricted_by=None, restricted_because=""
        )


# -- drafts ----------------------------------------------------------------------------


def test_a_draft_gives_it_up_with_its_file(disk, django_capture_on_commit_callbacks):
    attachment = attach(planning.make_plan())
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove_attachment(attachment=attachment, by=cast.priya(), now=cast.NOW)
    assert last_type() == "plans.attachment_removed"
    assert not files(disk)


def test_a_new_version_shares_the_file_and_cannot_take_it_away(
    disk, django_capture_on_commit_callbacks
):
    attachment = make_adopted()
    actions.restrict_attachment(
        attachment=attachment, because="Vault", by=cast.dana(), now=cast.NOW
    )
    draft = planning.make_plan(version=2)
    actions.carry_over(source=attachment.plan, target=draft)
    copy = draft.attachments.get()
    assert copy.sha256 == attachment.sha256
    assert copy.is_restricted
    assert draft.rally_points.get().name == "North field"
    assert attachment.plan.rally_points.count() == 1
    assert len(files(disk)) == 1
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove_attachment(attachment=copy, by=cast.priya(), now=cast.NOW)
    assert plan_files.read(attachment)


def test_a_rally_point_is_named_once(disk):
    plan = planning.make_plan()
    attaching.make_point(plan)
    assert last_type() == "plans.rally_point_added"
    with pytest.raises(actions.NameTaken, match="Nothing was added"):
        attaching.make_point(plan, "north FIELD")
    actions.remove_rally_point(
        point=plan.rally_points.get(), by=cast.priya(), now=cast.NOW
    )
    assert last_type() == "plans.rally_point_removed"
    assert not plan.rally_points.exists()


# -- what is still there ---------------------------------------------------------------


def test_a_missing_file_is_said_and_not_hidden(disk):
    attachment = make_adopted()
    files(disk)[0].unlink()
    with pytest.raises(plan_files.FileGone, match="missing on the server"):
        plan_files.read(attachment)


def test_a_file_changed_on_the_disk_is_not_shown(disk):
    attachment = make_adopted()
    files(disk)[0].write_bytes(make_png(colour="red"))
    with pytest.raises(plan_files.FileGone, match="changed"):
        plan_files.read(attachment)


# -- who ------------------------------------------------------------------------------


def seen_by(person) -> set[str]:
    return set(
        PlanAttachment.objects.visible_to(person).values_list("title", flat=True)
    )


def test_each_reads_what_is_meant_for_them(disk):
    plan = planning.make_plan()
    attach(plan, title="Staff’s", audience=Audience.STAFF)
    attach(plan, title="Responders’")
    secret = attach(plan, title="Vault")
    actions.restrict_attachment(
        attachment=secret, because="Vault", by=cast.dana(), now=cast.NOW
    )
    assert seen_by(cast.priya()) == {"Staff’s", "Responders’", "Vault"}
    assert seen_by(cast.sam()) == seen_by(cast.cal()) == set()
    planning.close(plan)
    assert seen_by(cast.cal()) == {"Staff’s"}
    assert seen_by(cast.sam()) == {"Staff’s", "Responders’"}
    assert seen_by(cast.dana()) == {"Staff’s", "Responders’", "Vault"}
    assert seen_by(cast.omar()) == set()
