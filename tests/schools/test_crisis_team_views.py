"""The crisis team's pages: who may do what there, and what they say."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from schools.models import Absence, AuditEvent, ContactTest, TeamMember
from schools.permissions import Role
from tests import cast
from tests.schools import crisis_rows as team

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _static(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)


def text(answer) -> str:
    return answer.content.decode()


def typed(**fields) -> dict:
    values = {
        "name": "Amina Yusuf",
        "mobile": "612-555-0180",
        "skills": [team.make_skill("counselling").pk],
        "languages": ["so"],
        "active_from": "2026-09-08",
    }
    return values | fields


def test_a_counselor_sees_the_roster_and_changes_nothing(client):
    team.make_team_member("Mo", skills=["media"], languages=["so"])
    client.force_login(cast.cal())
    page = text(client.get("/crisis-team"))
    assert "Mo" in page
    assert "1 member" in page
    assert "Add a member" not in page
    assert client.get("/crisis-team/new").status_code == 403


def test_filters_find_by_skill_language_and_nearest_school(client):
    team.make_team_member("Mo", skills=["media"], home_school=cast.roosevelt())
    team.make_team_member("Ann", languages=["so"], home_school=cast.lincoln())
    client.force_login(cast.dana())

    def rows(query: str) -> list[str]:
        return [
            r["member"].name
            for r in client.get(f"/crisis-team?{query}").context["rows"]
        ]

    assert rows("skill=media") == ["Mo"]
    assert rows("language=so") == ["Ann"]
    assert rows("near=roosevelt") == ["Mo", "Ann"]
    assert rows("skill=media&language=so") == []


def test_the_roster_asks_the_database_as_often_for_thirty_as_for_three(
    client, django_assert_max_num_queries
):
    client.force_login(cast.dana())
    for n in range(30):
        team.make_team_member(f"Mo {n}", skills=["media"], home_school=cast.lincoln())
    with django_assert_max_num_queries(30):
        client.get("/crisis-team")


def test_the_coordinator_adds_and_changes_a_member(client):
    client.force_login(cast.dana())
    answer = client.post("/crisis-team/new", typed())
    member = TeamMember.objects.get()
    assert answer.url == f"/crisis-team/{member.pk}"
    assert str(member.mobile) == "+16125550180"
    page = text(client.get(f"/crisis-team/{member.pk}"))
    assert "Somali" in page
    answer = client.post(f"/crisis-team/{member.pk}/edit", typed(name="Amina Ali"))
    assert answer.status_code == 302
    assert TeamMember.objects.get().name == "Amina Ali"


def test_a_wrong_form_keeps_what_was_typed(client):
    client.force_login(cast.dana())
    answer = client.post("/crisis-team/new", typed(mobile="12", active_to="2026-09-01"))
    assert answer.status_code == 422
    assert "The last day is before the first." in text(answer)
    assert "Amina Yusuf" in text(answer)
    assert not TeamMember.objects.exists()


def test_a_member_without_any_other_right_keeps_their_own_availability(client):
    staff = cast.make_person("Stu Nord", Role.STAFF, cast.lincoln())
    member = team.make_team_member("Stu Nord", user=staff)
    client.force_login(staff)
    assert client.get("/crisis-team").status_code == 403
    assert "When I can come" in text(client.get("/crisis-team/mine"))
    hours = {"what": "hours", "monday_begins": "08:00", "monday_ends": "15:30"}
    assert client.post("/crisis-team/mine", hours).status_code == 302
    assert member.hours.get().weekday == "monday"
    away = {"what": "away", "begins_on": "2026-12-01", "ends_on": "2026-12-02"}
    assert client.post("/crisis-team/mine", away).status_code == 302
    page = text(client.get("/crisis-team/mine"))
    assert 'value="15:30"' in page
    event = AuditEvent.objects.get(type="crisis_team.absence_added")
    assert event.by_name == "Stu Nord"


def test_half_an_hour_field_is_refused_and_kept(client):
    staff = cast.make_person("Stu Nord", Role.STAFF, cast.lincoln())
    member = team.make_team_member("Stu Nord", user=staff)
    client.force_login(staff)
    answer = client.post(
        "/crisis-team/mine", {"what": "hours", "monday_begins": "08:00"}
    )
    assert answer.status_code == 422
    assert "Give both times, or neither." in text(answer)
    assert 'value="08:00"' in text(answer)
    assert not member.hours.exists()


def test_nobody_takes_back_another_members_absence(client):
    staff = cast.make_person("Stu Nord", Role.STAFF, cast.lincoln())
    team.make_team_member("Stu Nord", user=staff)
    other = team.make_team_member("Mo")
    absence = other.absences.create(begins_on="2026-12-01", ends_on="2026-12-02")
    client.force_login(staff)
    client.post(f"/crisis-team/absences/{absence.pk}/remove")
    assert Absence.objects.filter(pk=absence.pk).exists()
    client.force_login(cast.dana())
    client.post(f"/crisis-team/absences/{absence.pk}/remove")
    assert not Absence.objects.filter(pk=absence.pk).exists()


def test_the_phone_tree_leaves_out_who_is_away_and_says_so(client):
    mo = team.make_team_member("Mo")
    team.make_team_member("Ann", leads=True)
    today = timezone.localdate()
    mo.absences.create(begins_on=today, ends_on=today)
    client.force_login(cast.cal())
    answer = client.get("/crisis-team/phone-tree")
    [branch] = answer.context["branches"]
    assert branch.leader.name == "Ann"
    assert branch.calls == ()
    assert "left out: Mo" in text(answer)


def test_one_tap_tests_a_contact(client):
    contact = team.make_partner_contact()
    client.force_login(cast.dana())
    assert "Never tested" in text(client.get("/crisis-team/contacts"))
    client.post(f"/crisis-team/contacts/{contact.pk}/test", {"outcome": "reached"})
    assert ContactTest.objects.get().by == cast.dana()
    page = text(client.get("/crisis-team/contacts"))
    assert "Answered today" in page
    assert "by Dana Lindqvist" in page


def test_an_invented_outcome_notes_nothing(client):
    contact = team.make_partner_contact()
    client.force_login(cast.dana())
    client.post(f"/crisis-team/contacts/{contact.pk}/test", {"outcome": "splendid"})
    assert not ContactTest.objects.exists()


def test_a_contact_is_added_changed_and_taken_out_of_use(client):
    client.force_login(cast.dana())
    fields = {
        "agency": cast.make_agency().pk,
        "name": "Desk",
        "what_for": "Buses",
        "phone": "763-555-0191",
    }
    client.post("/crisis-team/contacts/new", fields)
    client.force_login(cast.dana())
    [row] = client.get("/crisis-team/contacts").context["rows"]
    pk = row["contact"].pk
    client.post(f"/crisis-team/contacts/{pk}", fields | {"name": "Bus desk"})
    assert "Bus desk" in text(client.get(f"/crisis-team/contacts/{pk}"))
    client.post(f"/crisis-team/contacts/{pk}/retire")
    assert client.get("/crisis-team/contacts").context["rows"] == []
    assert "took it out of use" in text(client.get(f"/crisis-team/contacts/{pk}"))


# -- the file --------------------------------------------------------------------------


def upload(client, content: str | bytes):
    raw = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("team.csv", raw)
    return client.post("/crisis-team/import", {"team": file})


def test_what_leaves_as_a_file_is_no_formula_and_comes_back_the_same(client):
    team.make_team_member(
        "=HYPERLINK(1)",
        skills=["media"],
        languages=["so", "en"],
        home_school=cast.lincoln(),
        leads=True,
    )
    client.force_login(cast.dana())
    file = b"".join(client.get("/crisis-team.csv").streaming_content).decode()
    [row] = csv.DictReader(io.StringIO(file.removeprefix("\ufeff")))
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())
    TeamMember.objects.update(name="Mo")
    file = b"".join(client.get("/crisis-team.csv").streaming_content)
    before = AuditEvent.objects.filter(type="crisis_team.member_changed").count()
    assert upload(client, file).status_code == 302
    after = AuditEvent.objects.filter(type="crisis_team.member_changed").count()
    assert (TeamMember.objects.count(), after) == (1, before)


def test_a_file_adds_and_changes_by_mobile_and_an_empty_cell_keeps(client):
    team.make_skill("media")
    lincoln = cast.lincoln()
    mo = team.make_team_member("Mo", mobile="+16125550170", email="mo@example.org")
    client.force_login(cast.dana())
    answer = upload(
        client,
        "Name,Mobile,Skills,Languages,Home_School,Email\n"
        "Mo Berg,612-555-0170,Media,Somali; en,lincoln,\n"
        "Ann,612-555-0171,,,,ann@example.org\n",
    )
    assert answer.status_code == 302
    mo.refresh_from_db()
    assert (mo.name, mo.email, mo.home_school) == (
        "Mo Berg", "mo@example.org", lincoln,
    )  # fmt: skip
    assert mo.speaks == ["English", "Somali"]
    assert TeamMember.objects.get(name="Ann").skills.count() == 0
    event = AuditEvent.objects.get(type="crisis_team.imported")
    assert event.data == {"added": 1, "changed": 1}


def test_a_file_with_one_wrong_line_reads_nothing_and_says_which(client):
    team.make_skill("media")
    client.force_login(cast.dana())
    answer = upload(
        client,
        "name,mobile,skills,home_school,languages,active_to\n"
        "Ann,612-555-0171,,,,\n"
        "Mo,nothing,juggling,hogwarts,klingon,soon\n"
        "Bo,612-555-0171,,,,\n"
        '"=1+1",612-555-0173,,,,1999-01-01\n',
    )
    assert answer.status_code == 422
    found = [(one.line, one.column) for one in answer.context["problems"]]
    assert found == [
        (3, "mobile"), (3, "home_school"), (3, "skills"), (3, "languages"),
        (3, "active_to"), (4, "mobile"), (5, "name"), (5, "active_to"),
    ]  # fmt: skip
    assert "the number of line 2 again" in text(answer)
    assert not TeamMember.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name\nMo\n", "“mobile”"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("name,mobile\n" + "Mo,\n" * 501, "more than 500"),
        ("", "empty"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_words(client, content, said):
    client.force_login(cast.dana())
    answer = upload(client, content)
    assert answer.status_code == 422
    assert said in text(answer)


def test_somebody_who_left_the_team_is_on_no_list(client):
    today = timezone.localdate()
    team.make_team_member("Old", active_to=today - timedelta(days=1))
    client.force_login(cast.dana())
    assert client.get("/crisis-team").context["rows"] == []
