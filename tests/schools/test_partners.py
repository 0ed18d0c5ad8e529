"""Agencies and agreements: what is written, refused and seen."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from schools import audit
from schools.actions import partners as actions
from schools.agreements import (
    agreement_checks,
    best,
    people_resting_on,
    resting_on,
    standing,
)
from schools.checks import Level
from schools.compliance import checks
from schools.models import Agency, Agreement, AuditEvent, Sro
from schools.permissions import Permission, Role
from tests import cast

pytestmark = pytest.mark.django_db

NOW = cast.NOW
TODAY = date(2026, 10, 6)


@pytest.fixture(autouse=True)
def _a_day_in_october():
    with time_machine.travel(NOW, tick=False):
        yield


def day(days: int) -> date:
    return TODAY + timedelta(days=days)


def terms(**fields) -> actions.Terms:
    defaults = {
        "number": "MOU 2026-01",
        "title": "School resource officers",
        "starts_on": TODAY,
        "ends_on": day(364),
        "signed_on": day(-20),
        "signed_for_district": "Robin Sand",
        "signed_for_agency": "Kim Vale",
        "schools": (cast.lincoln(),),
        "clauses": {"duties": "Seven duties.", "insurance": ""},
    }
    return actions.Terms(**defaults | fields)


def record(agency: Agency | None = None, **fields) -> Agreement:
    return actions.record_agreement(
        agency=agency or cast.make_agency(),
        terms=terms(**fields),
        by=cast.dana(),
        now=NOW,
    )


def renew(old: Agreement, **fields) -> Agreement:
    new = {"number": "MOU 2", "starts_on": day(365), "ends_on": day(700)} | fields
    return actions.renew_agreement(
        agreement=old, terms=terms(**new), by=cast.dana(), now=NOW
    )


def end(agreement: Agreement, on: date) -> None:
    actions.end_agreement(
        agreement=agreement,
        on=on,
        because="The agency withdrew its officers",
        by=cast.dana(),
        now=NOW,
    )


def written(type_: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=f"partners.{type_}"))


# -- recording -------------------------------------------------------------------------


def test_an_agreement_is_recorded_with_its_clauses_and_schools():
    made = record()
    assert list(made.schools.all()) == [cast.lincoln()]
    assert {one.kind: one.text for one in made.clauses.all()} == {
        "duties": "Seven duties."
    }
    event = written("agreement_recorded")[0]
    assert event.by_name == cast.dana().name
    assert event.data["schools"] == ["lincoln"]
    assert event.subject == f"agreement:{made.pk}"


def test_an_agreement_on_every_school_names_none():
    made = record(covers_every_school=True)
    assert not made.schools.exists()
    assert written("agreement_recorded")[0].data["schools"] == "every school"


def test_a_number_is_used_once_in_any_case_of_letters():
    record()
    with pytest.raises(actions.NumberInUse, match="already"):
        record(number="mou 2026-01")
    assert Agreement.objects.count() == 1
    assert len(written("agreement_recorded")) == 1


@pytest.mark.parametrize(
    ("type_", "write"),
    [
        ("agreement_recorded", lambda old: record(number="x")),
        ("agreement_renewed", renew),
        ("agreement_ended", lambda old: end(old, TODAY)),
        (
            "agency_added",
            lambda old: actions.add_agency(facts=facts(), by=cast.dana(), now=NOW),
        ),
        (
            "agency_changed",
            lambda old: actions.change_agency(
                agency=old.agency, facts=facts(), by=cast.dana(), now=NOW
            ),
        ),
    ],
)
def test_without_its_audit_row_nothing_changes(type_, write, monkeypatch):
    old = record()
    before = list(Agreement.objects.values()), list(Agency.objects.values())
    monkeypatch.delitem(audit.EVENT_TYPES, f"partners.{type_}")
    with pytest.raises(KeyError):
        write(old)
    assert (list(Agreement.objects.values()), list(Agency.objects.values())) == before


# -- renewing and ending ---------------------------------------------------------------


def test_a_renewal_follows_and_both_keep_their_days():
    old = record()
    new = renew(old)
    assert new.renewed_from == old
    old.refresh_from_db()
    assert (old.ends_on, new.starts_on) == (day(364), day(365))
    assert written("agreement_renewed")[0].data["renewed_from"] == old.number


def test_an_agreement_is_renewed_once():
    old = record()
    renew(old)
    with pytest.raises(actions.NotRenewable, match="already"):
        renew(old, number="MOU 3")


def test_a_renewal_begins_after_what_it_renews():
    with pytest.raises(actions.NotRenewable, match="begins after"):
        renew(record(), starts_on=TODAY)
    assert Agreement.objects.count() == 1


def test_what_was_ended_early_is_not_renewed():
    old = record()
    end(old, TODAY)
    with pytest.raises(actions.NotRenewable, match="ended early"):
        renew(old)


def test_an_early_end_says_who_why_and_from_when():
    made = record()
    end(made, day(3))
    made.refresh_from_db()
    assert (made.ended_on, made.ended_by) == (day(3), cast.dana())
    assert written("agreement_ended")[0].data["because"].startswith("The agency")
    assert standing(made, TODAY).word == "Ends in 2 days"
    assert standing(made, day(3)).kind == Level.IDLE


@pytest.mark.parametrize("on", [day(-1), day(365)])
def test_an_end_lies_between_today_and_the_last_day(on):
    made = record()
    with pytest.raises(actions.NotEndable, match="within"):
        end(made, on)
    made.refresh_from_db()
    assert made.ended_on is None


def test_what_is_over_is_not_ended():
    made = record()
    end(made, TODAY)
    with pytest.raises(actions.NotEndable, match="over already"):
        end(made, TODAY)
    assert len(written("agreement_ended")) == 1


# -- agencies --------------------------------------------------------------------------


def facts(**fields) -> actions.AgencyFacts:
    defaults = {
        "name": "City of Anoka",
        "kind": "municipality",
        "dispatch_phone": "+17635550180",
    }
    return actions.AgencyFacts(**defaults | fields)


def test_an_agency_is_added_once():
    actions.add_agency(facts=facts(), by=cast.dana(), now=NOW)
    with pytest.raises(actions.NameInUse):
        actions.add_agency(facts=facts(name="city of anoka"), by=cast.dana(), now=NOW)
    assert Agency.objects.count() == len(written("agency_added")) == 1


def test_a_change_is_written_down_with_what_it_was():
    agency = cast.make_agency()
    new = facts(owner=cast.dana())
    assert actions.change_agency(agency=agency, facts=new, by=cast.dana(), now=NOW)
    assert not actions.change_agency(agency=agency, facts=new, by=cast.dana(), now=NOW)
    assert written("agency_changed")[0].data["name"] == {
        "from": "Anoka Police Department",
        "to": "City of Anoka",
    }


def test_a_change_to_a_name_in_use_is_refused():
    cast.blaine()
    agency = cast.make_agency()
    with pytest.raises(actions.NameInUse):
        actions.change_agency(
            agency=agency,
            facts=facts(name="Blaine Police Department"),
            by=cast.dana(),
            now=NOW,
        )
    agency.refresh_from_db()
    assert agency.name == "Anoka Police Department"


# -- how it stands ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "ends", "kind", "word"),
    [
        (-300, 91, Level.OK, "Valid until 5 Jan 2027"),
        (-300, 90, Level.WARN, "Ends in 90 days"),
        (-300, 1, Level.WARN, "Ends tomorrow"),
        (-300, 0, Level.WARN, "Ends today"),
        (-300, -1, Level.BAD, "Ended 5 Oct 2026"),
        (1, 300, Level.IDLE, "Begins 7 Oct 2026"),
    ],
)
def test_an_agreement_stands_in_one_of_five_kinds(starts, ends, kind, word):
    made = record(starts_on=day(starts), ends_on=day(ends))
    assert (standing(made, TODAY).kind, standing(made, TODAY).word) == (kind, word)


def test_what_is_in_force_speaks_before_what_is_to_come_and_what_is_over():
    old = record(number="1", starts_on=day(-500), ends_on=day(-1))
    agency = cast.make_agency()
    assert best(agency, TODAY)[0] == old
    to_come = record(number="2", starts_on=day(1), ends_on=day(800))
    assert best(agency, TODAY)[0] == to_come
    valid = record(number="3", ends_on=day(5))
    assert best(agency, TODAY)[0] == valid


# -- the check of every school ---------------------------------------------------------


def check_of_lincoln():
    school = cast.lincoln()
    return agreement_checks([school], TODAY)[school.pk][0]


def test_no_agreement_is_a_normal_state():
    assert check_of_lincoln().status == Level.IDLE
    assert check_of_lincoln().word == "No agreement"


def test_an_officer_without_an_agreement_is_not():
    cast.sam()
    Agreement.objects.all().delete()
    assert check_of_lincoln().status == Level.BAD


@pytest.mark.parametrize(
    ("ends", "status"), [(31, Level.OK), (30, Level.WARN), (-1, Level.BAD)]
)
def test_the_check_follows_the_agreement(ends, status):
    record(starts_on=day(-300), ends_on=day(ends))
    assert check_of_lincoln().status == status


def test_an_agreement_that_does_not_name_the_school_does_not_count():
    record(schools=(cast.roosevelt(),))
    assert check_of_lincoln().word == "No agreement"


def test_the_checks_of_a_school_ask_for_its_agreement():
    titles = [one.title for one in checks(cast.lincoln(), TODAY)]
    assert "Agreement with its agency" in titles


def test_many_schools_take_as_few_queries_as_one(django_assert_num_queries):
    schools = [
        cast.make_school(f"school-{n}", agency=cast.make_agency()) for n in range(9)
    ]
    record(schools=tuple(schools))
    with django_assert_num_queries(3):
        agreement_checks(schools, TODAY)


# -- who rests on it -------------------------------------------------------------------


def test_supervisors_and_officers_rest_on_it_and_teachers_do_not():
    cast.sam(), cast.priya(), cast.bo()
    rests = resting_on(cast.make_agency().agreements.get())
    assert [one.user.name for one in rests] == ["Sam Okafor"]
    rests = resting_on(cast.blaine().agreements.get())
    assert [one.user.name for one in rests] == ["Bo Lindgren"]


def test_an_officer_at_two_schools_is_one_person():
    sam = cast.sam()
    cast.make_person(sam.name, Role.SRO, cast.roosevelt())
    sam.memberships.filter(school=cast.roosevelt()).update(agency=cast.make_agency())
    Agreement.objects.update(covers_every_school=True)
    agreement = cast.make_agency().agreements.get()
    assert resting_on(agreement).count() == 2
    assert people_resting_on(agreement) == 1


def test_an_officer_rests_with_the_agency_of_the_officer():
    sam = cast.sam()
    Sro.objects.filter(user=sam).update(agency=cast.blaine())
    assert not sam.may(Permission.SEE_SCHOOLS)
    Agreement.objects.update(covers_every_school=True)
    assert sam.may(Permission.SEE_SCHOOLS)
    assert {one.user for one in resting_on(cast.blaine().agreements.get())} == {sam}


# -- the pages -------------------------------------------------------------------------


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def typed(**fields) -> dict:
    values = {
        "number": "MOU 9",
        "title": "Officers",
        "starts_on": "2026-10-06",
        "ends_on": "2027-06-30",
        "schools": [cast.lincoln().pk],
        "signed_on": "2026-09-01",
        "signed_for_district": "Robin Sand",
        "signed_for_agency": "Kim Vale",
        "document_reference": "",
        "clause_duties": "Seven.",
    }
    return values | fields


def test_the_list_says_no_agreement_in_words():
    cast.lincoln()
    page = signed_in(cast.dana()).get("/agencies").content.decode()
    assert "Anoka Police Department" in page
    assert "No agreement" in page


def test_an_agreement_is_recorded_on_the_page():
    client = signed_in(cast.dana())
    agency = cast.make_agency()
    url = f"/agencies/{agency.pk}/agreements/new"
    assert client.get(url).status_code == 200
    answer = client.post(url, typed())
    made = Agreement.objects.get()
    assert answer.url == f"/agencies/agreements/{made.pk}"
    page = client.get(answer.url).content.decode()
    assert "Seven." in page
    assert "Silent" in page
    assert "Training" in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"ends_on": "2026-10-05"}, "comes before the first"),
        ({"schools": []}, "Choose at least one school"),
        ({"signed_for_agency": " "}, "required"),
    ],
)
def test_what_does_not_fit_is_kept_and_not_saved(wrong, words):
    client = signed_in(cast.dana())
    url = f"/agencies/{cast.make_agency().pk}/agreements/new"
    answer = client.post(url, typed(**wrong))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert "Seven." in page
    assert not Agreement.objects.exists()


def test_a_number_in_use_is_said_beside_the_number():
    record(number="MOU 9")
    client = signed_in(cast.dana())
    url = f"/agencies/{cast.make_agency().pk}/agreements/new"
    answer = client.post(url, typed())
    assert answer.status_code == 422
    assert "MOU 9 already" in answer.content.decode()


def test_a_renewal_starts_from_the_words_of_the_old_one():
    old = record()
    client = signed_in(cast.dana())
    url = f"/agencies/agreements/{old.pk}/renew"
    page = client.get(url).content.decode()
    assert "Seven duties." in page
    assert 'value="2027-10-06"' in page
    late = typed(starts_on="2027-10-06", ends_on="2028-06-30")
    assert client.post(url, late).status_code == 302
    assert Agreement.objects.get(number="MOU 9").renewed_from == old
    again = client.post(url, late | {"number": "MOU 10"})
    assert again.status_code == 422


def test_an_agreement_is_ended_on_its_page():
    made = record()
    client = signed_in(cast.dana())
    url = f"/agencies/agreements/{made.pk}/end"
    wrong = client.post(url, {"on": "2026-10-01", "because": "Withdrawn"})
    assert wrong.status_code == 422
    client.post(url, {"on": "2026-10-06", "because": "Withdrawn"})
    page = client.get(f"/agencies/agreements/{made.pk}").content.decode()
    assert "Ended early on 6 Oct 2026" in page
    assert "End it early" not in page


def test_an_agency_is_added_and_changed_on_its_pages():
    client = signed_in(cast.dana())
    new = {
        "name": "City of Anoka",
        "kind": "municipality",
        "dispatch_phone": "7635550180",
    }
    made = client.post("/agencies/new", new)
    assert made.status_code == 302
    agency = Agency.objects.get(name="City of Anoka")
    assert client.post("/agencies/new", new).status_code == 422
    edit = f"/agencies/{agency.pk}/edit"
    assert client.get(edit).status_code == 200
    client.post(edit, new | {"owner": cast.dana().pk})
    agency.refresh_from_db()
    assert agency.owner == cast.dana()


def test_what_ends_first_comes_first_with_whom_it_takes_along():
    cast.sam(), cast.bo()
    Agreement.objects.filter(agency=cast.blaine()).update(ends_on=day(5))
    page = signed_in(cast.dana()).get("/agencies/ending").content.decode()
    assert page.index("Blaine Police") < page.index("Anoka Police")
    assert "Ends in 5 days" in page


def test_a_supervisor_starts_with_their_schools_and_the_last_day():
    cast.lincoln()
    client = signed_in(cast.bo())
    answer = client.get("/", follow=True)
    assert answer.redirect_chain == [("/agencies/mine", 302)]
    page = answer.content.decode()
    assert "Roosevelt Middle" in page
    assert "Lincoln" not in page
    assert "30 June 2090" in page


def test_a_supervisor_reads_why_they_see_nothing():
    client = signed_in(cast.bo())
    Agreement.objects.update(ends_on=day(-1))
    page = client.get("/", follow=True).content.decode()
    assert "You see no school today" in page
    assert "ended 5 oct 2026" in page
    assert "Roosevelt" not in page


def test_a_supervisor_sees_their_own_agency_and_no_other():
    bo = cast.bo()
    cast.sam()  # Anoka's police, with an agreement on Lincoln
    client = signed_in(bo)
    other = cast.make_agency()
    theirs = other.agreements.get()
    assert client.get(f"/agencies/{other.pk}").status_code == 404
    assert client.get(f"/agencies/agreements/{theirs.pk}").status_code == 404
    assert "Anoka Police" not in client.get("/agencies").content.decode()
    # even where both cover the same school
    theirs.schools.add(cast.roosevelt())
    assert client.get(f"/agencies/{other.pk}").status_code == 404
    own = client.get(f"/agencies/{cast.blaine().pk}").content.decode()
    assert "Bo Lindgren" in own
    assert "Record an agreement" not in own


def test_a_principal_sees_the_agencies_of_the_school_and_not_who_signs_in():
    cast.sam(), cast.bo()
    client = signed_in(cast.omar())
    assert client.get(f"/agencies/{cast.make_agency().pk}").status_code == 404
    page = client.get(f"/agencies/{cast.blaine().pk}").content.decode()
    assert "Bo Lindgren" not in page
    agreement = cast.blaine().agreements.get()
    page = client.get(f"/agencies/agreements/{agreement.pk}").content.decode()
    assert "Who rests on it" not in page


def test_an_agreement_on_every_school_is_seen_from_every_school():
    record(covers_every_school=True)
    assert (
        signed_in(cast.omar()).get(f"/agencies/{cast.make_agency().pk}").status_code
        == 200
    )


def test_the_agencys_start_leads_everybody_else_home():
    for person in (cast.priya(), cast.dana()):
        assert signed_in(person).get("/agencies/mine").url == "/"


def test_a_supervisor_who_also_teaches_starts_as_a_teacher():
    bo = cast.bo()
    cast.make_person(bo.name, Role.STAFF, cast.lincoln(), email=bo.email)
    assert signed_in(bo).get("/").status_code == 200


def test_the_schools_page_says_how_it_stands_with_the_agency():
    cast.sam()
    client = signed_in(cast.priya())
    assert "Valid until" in client.get("/schools/lincoln").content.decode()
    Agreement.objects.update(ends_on=day(-1))
    assert "Ended 5 Oct 2026" in client.get("/schools/lincoln").content.decode()


def test_the_day_is_the_districts():
    made = record(ends_on=TODAY)
    late = datetime(2026, 10, 7, 4, 59, tzinfo=UTC)
    with time_machine.travel(late, tick=False):
        page = signed_in(cast.dana()).get(f"/agencies/agreements/{made.pk}")
        assert "Ends today" in page.content.decode()
