"""The go-kit: what it says, to whom, how it is kept, when it is not true any more."""

import json
import re
import stat
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from schools import documents, tasks
from schools.actions import attachments, go_kits, plan_readers, plans
from schools.go_kits import making, shelf, writing
from schools.go_kits.contents import NoAdoptedPlan, gather
from schools.go_kits.standing import age, standing
from schools.models import (
    AuditEvent,
    OfficerAssignment,
    PlanAttachment,
    PlanText,
    SafetyPlan,
)
from tests import cast
from tests.pdf_reading import read_pdf
from tests.schools import attaching, kitting, planning

pytestmark = pytest.mark.django_db
NOW = cast.NOW
TERM_OVER = cast.TERM_BEGAN + timedelta(days=7)
LATER = NOW + timedelta(hours=2)


@pytest.fixture(autouse=True)
def disk(settings, tmp_path) -> Path:
    """Folders of this test alone for uploads and kits."""
    attaching.keep_files_in(tmp_path, settings)
    return tmp_path


@pytest.fixture
def plan() -> SafetyPlan:
    return kitting.make_kit_plan()


class Everything(HTMLParser):
    """The words and the addresses of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action")]

    def handle_data(self, data):
        self.words.append(data)


def both(restricted: bool = False) -> tuple[str, str]:
    """(what the PDF says, what the page says), without line ends."""
    contents = gather(cast.lincoln(), restricted=restricted, now=NOW)
    pdf = read_pdf(writing.as_pdf(contents, now=NOW)).text()
    page = " ".join(Everything(writing.as_html(contents)).words)
    return pdf.replace("\n", ""), re.sub(r"\s+", " ", page)


# -- what it says ----------------------------------------------------------------------


@pytest.mark.parametrize("form", [0, 1], ids=["pdf", "html"])
def test_a_kit_says_what_a_responder_needs(form, plan):
    kitting.make_hours(cast.lincoln())
    said = both()[form]
    for words in (
        "Lincoln High",
        "October 6, 2026, 10:30 AM",
        "version 1",
        "September 15, 2026",
        "(763) 555-0100",  # the office
        "Priya Raman",
        "(612) 555-0104",  # the officer
        "Anoka Police Department",
        "Dana Lindqvist",
        "911",
        "North field",
        "Behind the tennis courts",
        "Bring the radio",
        "The field is north of the school",
        "Lock the door.",
        "Lights off",
        "Enter by door 7.",
        "Touch no switch.",
        "The principal leads.",
        "Regular day 07:40–14:20",
    ):
        assert words in said, words


@pytest.mark.parametrize("form", [0, 1], ids=["pdf", "html"])
def test_what_is_for_others_is_not_in_it(form, plan):
    said = both()[form]
    assert kitting.SECRET not in said
    assert kitting.FAMILY not in said
    assert "A part is restricted (determined by Dana Lindqvist" in said
    assert "RESTRICTED" not in said


@pytest.mark.parametrize("form", [0, 1], ids=["pdf", "html"])
def test_the_restricted_variant_has_it_and_says_so(form, plan):
    said = both(restricted=True)[form]
    assert kitting.SECRET in said
    assert "RESTRICTED" in said
    assert "Do not pass it on" in said


def test_the_secret_is_nowhere_in_the_files_of_a_kit(plan, disk):
    making.make(cast.lincoln(), now=NOW)
    for file in (disk / "go-kits").rglob("*"):
        if file.is_file():
            assert b"4711" not in file.read_bytes()
            assert kitting.FAMILY.encode() not in file.read_bytes()


@pytest.mark.parametrize("form", [0, 1], ids=["pdf", "html"])
def test_hostile_text_is_text(form, plan):
    assert kitting.HOSTILE in both()[form]


def test_a_school_without_an_officer_says_whom_to_call(plan):
    OfficerAssignment.objects.update(ended_on=TERM_OVER)
    assert "No school resource officer here: call dispatch" in both()[1]


def test_an_officer_stands_with_their_days_and_their_backup(plan):
    backup = cast.make_officer("Bea Backup", phone="+16125550120")
    OfficerAssignment.objects.update(backup=backup, tuesday=False, friday=False)
    said = both()[1]
    assert "Anoka Police Department (Monday, Wednesday, Thursday)" in said
    assert "Bea Backup" in said
    assert "Dispatch, not urgent" in said


def test_who_leads_the_crisis_team_and_the_agencys_desks_are_in_it(plan):
    kitting.make_crisis_contacts()
    said = both()[1]
    assert "Crisis Response team, leads" in said
    assert "Tova Lead" in said
    assert "Shift desk" in said
    assert "Tim Follower" not in said


def test_nobody_is_invented(plan):
    said = both()[1]
    assert "Nobody has entered the school’s hours." in said
    assert "The plan says nothing to staff or responders about this." in said


def test_a_person_who_left_is_not_called(plan):
    cast.dana().memberships.update(ended_on=NOW.date())
    cast.priya().memberships.update(ended_on=NOW.date())
    phones = gather(cast.lincoln(), restricted=False, now=NOW).data["phones"]
    assert {one["who"] for one in phones}.isdisjoint({"Dana Lindqvist", "Priya Raman"})


def test_an_overdue_review_is_said():
    kitting.make_kit_plan()
    late = NOW + timedelta(days=400)
    contents = gather(cast.lincoln(), restricted=False, now=late)
    assert "its review was due September 15, 2027" in writing.as_html(contents).decode()


def test_a_missing_map_is_said_in_its_place(plan, disk):
    for file in (disk / "uploads").rglob("*"):
        if file.is_file():
            file.unlink()
    for said in both():
        assert "Map of the grounds” is missing on the server" in said


def test_a_paper_is_named_and_not_shown():
    draft = planning.make_plan()
    attaching.attach(draft, attaching.PDF, title="Valve plan", kind="document")
    planning.close(draft)
    for said in both():
        assert "Valve plan" in said


def test_without_a_plan_there_is_no_kit(disk):
    planning.make_plan()
    with pytest.raises(NoAdoptedPlan, match="no adopted plan"):
        making.make(cast.lincoln(), now=NOW)
    assert not shelf.codes()


def test_another_schools_plan_is_not_in_it(plan):
    other = planning.make_plan(cast.roosevelt())
    planning.make_text(planning.make_section(other), "Roosevelt’s own way")
    planning.close(other)
    for said in both():
        assert "Roosevelt" not in said


# -- the two files ---------------------------------------------------------------------


def test_the_pdf_is_tagged_and_its_map_has_words(plan):
    contents = gather(cast.lincoln(), restricted=False, now=NOW)
    made = documents.make_pdf(
        "go_kit.typ",
        contents.data,
        title=writing.title(contents),
        now=NOW,
        pictures=contents.pictures,
    )
    assert made.is_ua
    pdf = read_pdf(made.pdf)
    for tag in (b"/S/H1", b"/S/H2", b"/S/Table", b"/S/TH", b"/S/Figure", b"/S/Link"):
        assert tag in pdf.everything, tag
    assert b"The field is north of the school" in pdf.everything
    assert b"/Lang" in pdf.catalogue


def test_the_page_asks_nobody_for_anything(plan):
    page = writing.as_html(gather(cast.lincoln(), restricted=False, now=NOW))
    seen = Everything(page)
    assert "script" not in seen.tags
    assert "link" not in seen.tags
    assert all(
        one.startswith(("data:image/", "#kit-", "tel:")) for one in seen.addresses
    )
    assert any(one.startswith("data:image/png;base64,") for one in seen.addresses)
    assert "url(" not in page.decode()
    assert "@import" not in page.decode()
    assert "default-src &#x27;none&#x27;" in page.decode()


def test_two_protocols_in_one_section_are_not_told_twice(plan):
    draft = planning.make_plan(version=2)
    security = planning.make_section(draft, "functional.security")
    planning.make_text(security, "Lock the outer doors.")
    SafetyPlan.objects.filter(pk=plan.pk).update(
        status="superseded", superseded_on=NOW.date()
    )
    planning.close(draft)
    said = both()[1]
    assert said.count("Lock the outer doors.") == 1
    assert "In the plan this stands together with Secure." in said


# -- the shelf -------------------------------------------------------------------------


def test_a_kit_is_kept_for_its_owner_alone(plan, disk):
    kit = making.make(cast.lincoln(), now=NOW)
    assert shelf.codes() == ["lincoln"]
    for file in kit.folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for folder in (kit.folder, kit.folder.parent, disk / "go-kits"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kit.read(shelf.PDF).startswith(b"%PDF")
    assert shelf.kept("lincoln") == kit


def test_a_new_kit_takes_the_place_of_the_last_and_keeps_it(plan, disk):
    kits = [making.make(cast.lincoln(), now=NOW + timedelta(hours=n)) for n in range(4)]
    newest = shelf.kept("lincoln")
    assert newest == kits[-1]
    there = [one for one in newest.folder.parent.iterdir() if not one.is_symlink()]
    assert sorted(there) == [kits[-2].folder, kits[-1].folder]


def test_an_older_kit_does_not_take_the_place_of_a_newer(plan):
    newer = making.make(cast.lincoln(), now=LATER)
    assert making.make(cast.lincoln(), now=NOW).as_of == LATER
    assert shelf.kept("lincoln") == newer


def test_a_failed_making_leaves_the_last_kit(plan, monkeypatch):
    first = making.make(cast.lincoln(), now=NOW)

    def broken(*args, **kwargs):
        raise documents.DocumentFailed("no paper")

    monkeypatch.setattr(documents, "make_pdf", broken)
    with pytest.raises(documents.DocumentFailed):
        making.make(cast.lincoln(), now=LATER)
    assert shelf.kept("lincoln") == first


def test_a_kit_changed_on_the_disk_is_not_handed_out(plan):
    kit = making.make(cast.lincoln(), now=NOW)
    (kit.folder / shelf.HTML).write_text("<h1>All is well</h1>")
    with pytest.raises(shelf.NotOnTheShelf, match="changed"):
        kit.read(shelf.HTML)
    (kit.folder / shelf.PDF).unlink()
    with pytest.raises(shelf.NotOnTheShelf, match="missing"):
        kit.read(shelf.PDF)


@pytest.mark.parametrize("code", ["../etc", "..", "a/b", "", "x" * 41, "a\0b"])
def test_a_code_never_leads_out_of_the_folder(code):
    for use in (shelf.kept, shelf.withdraw):
        with pytest.raises(shelf.NotOnTheShelf):
            use(code)


def test_half_a_record_is_no_kit(plan):
    kit = making.make(cast.lincoln(), now=NOW)
    (kit.folder / shelf.RECORD).write_text('{"contents": {')
    assert shelf.kept("lincoln") is None


# -- how it stands ---------------------------------------------------------------------


def stands(now=LATER) -> tuple[str, str]:
    found = standing(cast.lincoln(), now=now)
    return found.status, found.word


def test_a_fresh_kit_is_up_to_date_and_then_stale(plan):
    making.make(cast.lincoln(), now=NOW)
    assert stands() == ("ok", "Up to date")
    assert stands(NOW + timedelta(hours=36)) == ("ok", "Up to date")
    assert stands(NOW + timedelta(hours=36, minutes=1)) == ("warn", "Stale")
    late = standing(cast.lincoln(), now=NOW + timedelta(days=3))
    assert late.why.startswith("Made 3 days ago")
    assert late.kit is not None


def test_a_school_without_a_plan_or_a_kit_says_so():
    assert stands() == ("idle", "No adopted plan")
    kitting.make_kit_plan()
    assert stands() == ("bad", "No go-kit yet")
    assert making.schools_without_a_true_kit(now=NOW) == ["lincoln"]


def test_a_kit_of_the_version_before_says_so(plan):
    making.make(cast.lincoln(), now=NOW)
    SafetyPlan.objects.filter(pk=plan.pk).update(
        status="superseded", superseded_on=NOW.date()
    )
    planning.close(planning.make_plan(version=2))
    assert stands() == ("bad", "Older than the plan")
    assert standing(cast.lincoln(), now=LATER).kit is not None
    assert making.schools_without_a_true_kit(now=NOW) == ["lincoln"]


def test_a_kit_is_withdrawn_the_moment_a_text_in_it_is_restricted(plan):
    making.make(cast.lincoln(), now=NOW)
    text = PlanText.objects.get(body__startswith="Enter by door 7")
    plan_readers.restrict(text=text, because="Doors", by=cast.dana(), now=NOW)
    found = standing(cast.lincoln(), now=LATER)
    assert (found.word, found.kit) == ("Withdrawn", None)
    making.make(cast.lincoln(), now=LATER)
    assert stands() == ("ok", "Up to date")
    assert "Enter by door 7" not in both()[0]


def test_a_kit_is_withdrawn_the_moment_a_map_in_it_is_restricted(plan):
    making.make(cast.lincoln(), now=NOW)
    attachments.restrict_attachment(
        attachment=PlanAttachment.objects.get(kind="map"),
        because="Vault",
        by=cast.dana(),
        now=NOW,
    )
    assert stands() == ("bad", "Withdrawn")
    assert gather(cast.lincoln(), restricted=False, now=NOW).pictures == {}
    assert len(gather(cast.lincoln(), restricted=True, now=NOW).pictures) == 1


@pytest.mark.parametrize(
    ("since", "words"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_an_age_is_said_in_words(since, words):
    assert age(since) == words


# -- when it is made -------------------------------------------------------------------


@pytest.fixture
def rung(monkeypatch) -> list[str]:
    """The schools for which a worker was rung."""
    found: list[str] = []
    monkeypatch.setattr(
        tasks.make_go_kit, "apply_async", lambda args: found.append(args[0])
    )
    return found


def test_restricting_rings_when_the_transaction_is_through(
    plan, rung, django_capture_on_commit_callbacks
):
    text = PlanText.objects.get(body="Touch no switch.")
    with django_capture_on_commit_callbacks(execute=True):
        plan_readers.restrict(text=text, because="Gas", by=cast.dana(), now=NOW)
        assert rung == []
    assert rung == ["lincoln"]


def test_adopting_rings_and_the_new_version_has_the_old_ones_maps(
    plan, rung, django_capture_on_commit_callbacks
):
    draft = plans.start(
        school=cast.lincoln(), from_adopted=True, by=cast.priya(), now=NOW
    )
    assert draft.attachments.count() == plan.attachments.count() == 2
    assert draft.rally_points.get().name == "North field"
    PlanText.objects.filter(section__plan=draft).update(body="Said in our own words.")
    plans.send_to_review(plan=draft, by=cast.priya(), now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        plans.adopt(plan=draft, accept_untouched=True, by=cast.dana(), now=NOW)
    assert rung == ["lincoln"]
    making.make(cast.lincoln(), now=LATER)
    assert "Map of the grounds" in both()[1]


def test_asking_for_a_new_kit_is_logged_and_rings(
    plan, rung, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        go_kits.ask_anew(school=cast.lincoln(), by=cast.priya(), now=NOW)
    assert rung == ["lincoln"]
    assert AuditEvent.objects.latest("pk").type == "plans.go_kit_asked_for"


def test_a_broken_doorbell_is_said_in_the_log_and_stops_nobody(
    plan, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    def broken(args):
        raise OSError("no broker")

    monkeypatch.setattr(tasks.make_go_kit, "apply_async", broken)
    with django_capture_on_commit_callbacks(execute=True):
        go_kits.ask_anew(school=cast.lincoln(), by=cast.priya(), now=NOW)
    assert "did not ring" in caplog.text


def test_the_night_makes_every_schools_kit(plan, monkeypatch):
    kitting.make_kit_plan(cast.roosevelt(), started_by=cast.omar())
    cast.make_school("closed", closed_on=NOW.date())
    monkeypatch.setattr(tasks.make_go_kit, "delay", tasks.make_go_kit)
    tasks.make_go_kits()
    assert shelf.codes() == ["lincoln", "roosevelt"]
    tasks.make_missing_go_kits()
    kits = [shelf.kept(code) for code in shelf.codes()]
    assert [len(list(kit.folder.parent.glob("2*"))) for kit in kits] == [1, 1]


# -- the command -----------------------------------------------------------------------


def run(*words: str, **options) -> str:
    out = StringIO()
    call_command("go_kit", *words, stdout=out, **options)
    return out.getvalue()


def test_the_command_makes_one_or_all(plan):
    assert "Made 1 in" in run("lincoln")
    assert "lincoln: " in run("--all")


def test_the_command_says_what_it_cannot_do(plan):
    for words, why in (
        ((), "Name one"),
        (("lincoln", "--all"), "Name one"),
        (("nowhere",), "no school"),
        (("roosevelt",), "no adopted plan"),
        (("lincoln", "--kept"), "No go-kit of lincoln"),
        (("--all", "--kept"), "No go-kit"),
        (("lincoln", "--to", "/nowhere"), "--kept"),
    ):
        cast.roosevelt()
        with pytest.raises(CommandError, match=why):
            run(*words)


def test_the_last_kits_can_be_copied_out_without_a_database(plan, disk, monkeypatch):
    making.make(cast.lincoln(), now=NOW)

    def down(*args, **kwargs):
        raise AssertionError("the database was asked")

    monkeypatch.setattr(connections["default"], "cursor", down)
    said = run("--all", "--kept", to=disk / "stick")
    monkeypatch.undo()
    assert "lincoln: made" in said
    assert (disk / "stick" / "lincoln-go-kit.pdf").read_bytes().startswith(b"%PDF")
    assert b"Lock the door." in (disk / "stick" / "lincoln-go-kit.html").read_bytes()


def test_the_record_on_the_disk_is_plain_json(plan):
    kit = making.make(cast.lincoln(), now=NOW)
    record = json.loads((kit.folder / shelf.RECORD).read_bytes())
    assert record["inside"]["plan_version"] == 1
    assert record["contents"]["school"]["code"] == "lincoln"
