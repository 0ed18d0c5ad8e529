"""The pages of officers: who is here, what they logged, and whose school it is."""

from datetime import date, timedelta

import pytest
import time_machine

from schools.models import DutyEntry, Engagement, OfficerAssignment, Sro
from tests import cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_a_tuesday")]

TODAY = date(2026, 10, 6)


@pytest.fixture
def _a_tuesday(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    with time_machine.travel(cast.NOW, tick=False):
        yield


@pytest.fixture
def sams(client):
    """Sam's own browser, and Sam at Lincoln."""
    client.force_login(cast.sam())
    return client


def page_of(client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


# -- the school ------------------------------------------------------------------------


def test_a_schools_page_says_who_is_here_their_backup_and_their_training(client):
    ray = cast.make_officer("Ray Holm", phone="+16125550188")
    cast.make_officer("Kim Vang", cast.lincoln(), backup=ray)
    client.force_login(cast.priya())
    page = page_of(client, "/schools/lincoln")
    assert "Here today" in page
    assert "Monday to Friday" in page
    assert "Not trained yet, until 8 March 2027" in page
    assert "Backup officer" in page
    assert "(612) 555-0188" in page


def test_on_another_weekday_the_page_says_when_and_whom_to_call(client):
    cast.make_officer("Kim Vang", cast.lincoln(), weekdays=["thursday"])
    client.force_login(cast.priya())
    page = page_of(client, "/schools/lincoln")
    assert "Not here today" in page
    assert "Next here Thursday 8 Oct" in page
    assert "Call Anoka Police Department" in page


def test_without_an_officer_the_page_says_whom_to_call(client):
    client.force_login(cast.priya())
    page = page_of(client, "/schools/lincoln")
    assert "No SRO here" in page
    assert "Call Anoka Police Department" in page
    assert "(763) 555-0190" in page


def test_without_an_agency_the_page_says_911(client):
    client.force_login(cast.omar())
    assert "No agency on file" in page_of(client, "/schools/roosevelt")


# -- officers --------------------------------------------------------------------------


def test_the_list_shows_my_officers_and_whom_the_other_schools_call(client):
    cast.make_officer("Kim Vang", cast.lincoln())
    cast.make_officer("Ray Holm", cast.roosevelt())
    client.force_login(cast.priya())
    page = page_of(client, "/officers")
    assert "Kim Vang" in page
    assert "Ray Holm" not in page
    client.force_login(cast.dana())
    page = page_of(client, "/officers")
    assert "Ray Holm" in page
    assert "at 2 of 2 schools" in page


def test_another_schools_officer_is_not_there(client):
    kim = cast.make_officer("Kim Vang", cast.lincoln())
    client.force_login(cast.omar())
    assert client.get(f"/officers/{kim.pk}").status_code == 404


def test_a_backup_of_my_school_is_there(client):
    ray = cast.make_officer("Ray Holm", cast.roosevelt())
    cast.make_officer("Kim Vang", cast.lincoln(), backup=ray)
    client.force_login(cast.priya())
    assert "Ray Holm" in page_of(client, f"/officers/{ray.pk}")


def test_the_page_says_what_may_not_be_required_yet(client):
    kim = cast.make_officer("Kim Vang", cast.lincoln())
    client.force_login(cast.priya())
    page = page_of(client, f"/officers/{kim.pk}")
    assert "nobody may require this officer to advise on safety drills" in page
    assert "Verify with counsel" in page
    assert "Not legal advice" in page


def test_an_officers_page_shows_only_the_log_of_my_own_schools(client):
    kim = cast.make_officer("Kim Vang", cast.lincoln())
    kim.assignments.create(school=cast.roosevelt(), started_on=cast.TERM_BEGAN)
    for school, note in ((cast.lincoln(), "Seen"), (cast.roosevelt(), "Hidden")):
        kim.duties.create(
            school=school, on=TODAY, duty="liaison", minutes=5, note=note,
            logged_at=cast.NOW, logged_by=cast.dana(),
        )  # fmt: skip
    client.force_login(cast.priya())
    page = page_of(client, f"/officers/{kim.pk}")
    assert "Seen" in page
    assert "Hidden" not in page
    assert "Hidden" not in page_of(client, "/officers/duties")


def test_the_coordinator_adds_an_officer_and_says_where_they_work(client):
    cast.lincoln()
    client.force_login(cast.dana())
    answer = client.post(
        "/officers/new",
        {
            "name": "Kim Vang",
            "agency": cast.make_agency().pk,
            "phone": "(612) 555-0111",
            "assumed_duties_on": "2026-09-08",
        },
    )
    kim = Sro.objects.get()
    assert answer.url == f"/officers/{kim.pk}/assign"
    client.post(
        answer.url,
        {
            "school": cast.lincoln().pk,
            "weekdays": ["monday", "tuesday"],
            "is_lead_school": "on",
            "started_on": "2026-09-08",
        },
    )
    made = OfficerAssignment.objects.get()
    assert made.weekdays == ("monday", "tuesday")
    answer = client.post(
        f"/officers/assignments/{made.pk}",
        {"weekdays": ["monday"], "started_on": "2026-09-08", "ended_on": "2026-10-30"},
    )
    assert answer.url == f"/officers/{kim.pk}"
    made.refresh_from_db()
    assert (made.weekdays, made.ended_on) == (("monday",), date(2026, 10, 30))


def test_a_refusal_stands_on_the_form_and_keeps_what_was_typed(client):
    kim = cast.make_officer("Kim Vang", cast.lincoln())
    client.force_login(cast.dana())
    answer = client.post(
        f"/officers/{kim.pk}/assign",
        {
            "school": cast.lincoln().pk,
            "weekdays": ["monday"],
            "started_on": "2026-10-06",
        },
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "assigned to Lincoln High at that time already" in page
    assert 'value="2026-10-06"' in page


def test_a_course_is_recorded_and_withdrawn_on_the_page(client):
    kim = cast.make_officer("Kim Vang", cast.lincoln())
    client.force_login(cast.dana())
    client.post(
        f"/officers/{kim.pk}/courses/new",
        {"course": "required", "completed_on": "2026-10-01", "reference": "17"},
    )
    assert "Trained" in page_of(client, f"/officers/{kim.pk}")
    made = kim.certificates.get()
    client.post(f"/officers/courses/{made.pk}/withdraw", {"because": "Not Kim's"})
    page = page_of(client, f"/officers/{kim.pk}")
    assert "Not Kim&#x27;s" in page
    assert "Not trained yet" in page


def test_the_record_is_changed_and_a_last_day_set(client):
    kim = cast.make_officer("Kim Vang", cast.lincoln())
    client.force_login(cast.dana())
    form = page_of(client, f"/officers/{kim.pk}/edit")
    assert 'value="2026-09-08"' in form
    client.post(
        f"/officers/{kim.pk}/edit",
        {
            "name": "Kim Lee",
            "agency": kim.agency_id,
            "phone": "+16125550111",
            "assumed_duties_on": "2026-09-08",
        },
    )
    assert "Kim Lee" in page_of(client, "/officers")
    client.post(f"/officers/{kim.pk}/leave", {"on": "2026-10-05"})
    assert "Left" in page_of(client, "/officers")
    assert "No SRO here" in page_of(client, "/schools/lincoln")


# -- the duty log ----------------------------------------------------------------------


def duty(**fields) -> dict:
    values = {
        "officer": Sro.objects.get(name="Sam Okafor").pk,
        "school": cast.lincoln().pk,
        "on": "2026-10-06",
        "duty": "liaison",
        "minutes": "30",
        "note": "",
    }
    return values | fields


def test_the_form_says_no_names_and_no_discipline(sams):
    page = page_of(sams, "/officers/duties/new")
    assert "take no part in discipline" in page
    assert "Do not name students" in page


def test_an_officer_logs_a_duty_at_the_own_school(sams):
    assert sams.post("/officers/duties/new", duty()).status_code == 302
    assert "Liaison between police and the school" in page_of(sams, "/officers/duties")
    assert DutyEntry.objects.get().logged_by == cast.sam()


def test_an_untrained_officers_drill_advice_is_warned_of_then_marked(sams):
    warned = sams.post("/officers/duties/new", duty(duty="drill_advice"))
    assert warned.status_code == 422
    assert "has not completed the required course" in warned.content.decode()
    assert not DutyEntry.objects.exists()
    sams.post("/officers/duties/new", duty(duty="drill_advice", warning_read="on"))
    assert "Before training" in page_of(sams, "/officers/duties")


@pytest.mark.parametrize("field", ["school", "officer"])
def test_an_officer_logs_nothing_for_others(sams, field):
    ray = cast.make_officer("Ray Holm", cast.roosevelt())
    strange = {"school": cast.roosevelt().pk, "officer": ray.pk}[field]
    answer = sams.post("/officers/duties/new", duty(**{field: strange}))
    assert answer.status_code == 422
    assert not DutyEntry.objects.exists()


def test_the_duty_log_is_filtered(sams):
    sams.post("/officers/duties/new", duty(note="First"))
    sams.post("/officers/duties/new", duty(duty="educate", note="Second"))
    page = page_of(sams, "/officers/duties?duty=educate&school=lincoln")
    assert "Second" in page
    assert "First" not in page
    assert "Nothing logged" in page_of(sams, "/officers/duties?duty=enforce")


def test_a_duty_of_another_school_is_not_there_to_strike(sams):
    sams.post("/officers/duties/new", duty())
    made = DutyEntry.objects.get()
    sams.force_login(cast.omar())
    assert sams.post(f"/officers/duties/{made.pk}/strike").status_code == 404
    sams.force_login(cast.priya())
    sams.post(f"/officers/duties/{made.pk}/strike")
    made.refresh_from_db()
    assert made.struck_at is None
    sams.force_login(cast.sam())
    sams.post(f"/officers/duties/{made.pk}/strike")
    assert "Struck out" in page_of(sams, "/officers/duties")


# -- engagement ------------------------------------------------------------------------


def entry(**fields) -> dict:
    values = {
        "school": cast.lincoln().pk,
        "who": f"agency-{cast.make_agency().pk}",
        "kind": "class",
        "on": "2026-10-06",
        "minutes": "50",
        "with_whom": ["students", "staff"],
        "what": "Internet safety",
        "note": "",
    }
    return values | fields


def test_an_officers_form_knows_who_and_where_already(sams):
    page = page_of(sams, "/engagement/new")
    officer = cast.sam().officer
    assert f'value="officer-{officer.pk}" selected' in page
    assert "Lincoln High" in page
    assert "Roosevelt" not in page


def test_a_logged_class_appears_in_the_schools_year(sams):
    who = f"officer-{cast.sam().officer.pk}"
    answer = sams.post("/engagement/new", entry(who=who))
    assert answer.url == "/schools/lincoln/engagement"
    page = page_of(sams, answer.url)
    assert "Internet safety" in page
    assert "students and staff" in page
    assert "October 2026" in page
    assert "Today" in page
    assert Engagement.objects.get().officer == cast.sam().officer


@pytest.mark.parametrize(
    "wrong",
    [
        {"with_whom": []},
        {"what": ""},
        {"minutes": "0"},
        {"minutes": "1441"},
        {"who": "officer-0"},
        {"on": "2026-10-07"},
    ],
)
def test_an_entry_that_does_not_fit_is_not_logged(wrong, sams):
    answer = sams.post("/engagement/new", entry(**wrong))
    assert answer.status_code == 422
    assert "Not logged" in answer.content.decode()
    assert not Engagement.objects.exists()


def test_another_schools_entry_is_not_there(sams):
    sams.post("/engagement/new", entry(), follow=True)
    made = Engagement.objects.get()
    sams.force_login(cast.omar())
    assert sams.get(f"/engagement/{made.pk}").status_code == 404
    assert sams.post(f"/engagement/{made.pk}/strike").status_code == 404
    assert sams.get("/schools/lincoln/engagement").status_code == 404
    assert "Internet safety" not in page_of(sams, "/engagement")
    assert "Lincoln" not in page_of(sams, "/engagement/year")


def test_ones_own_entry_is_corrected_and_shows_what_it_said(sams):
    sams.post("/engagement/new", entry())
    made = Engagement.objects.get()
    sams.post(f"/engagement/{made.pk}", entry(minutes="45"))
    page = page_of(sams, f"/engagement/{made.pk}")
    assert "Changed 6 Oct 2026, 10:30 by Sam Okafor" in page
    assert "<td>50</td>" in page
    sams.force_login(cast.priya())
    assert "Correct it" not in page_of(sams, f"/engagement/{made.pk}")
    sams.post(f"/engagement/{made.pk}", entry(minutes="5"))
    made.refresh_from_db()
    assert made.minutes == 45


def test_a_struck_entry_leaves_the_year_and_the_csv(sams):
    sams.post("/engagement/new", entry())
    made = Engagement.objects.get()
    sams.post(f"/engagement/{made.pk}/strike")
    assert "Struck out" in page_of(sams, f"/engagement/{made.pk}")
    assert "Internet safety" not in page_of(sams, "/schools/lincoln/engagement")
    csv = b"".join(sams.get("/engagement.csv").streaming_content).decode()
    assert "Internet safety" not in csv


def test_the_log_is_filtered_on_the_page_and_in_its_csv(sams):
    sams.post("/engagement/new", entry(what="First"), follow=True)
    sams.post("/engagement/new", entry(what="Second", kind="visit"), follow=True)
    for url in ("/engagement?kind=visit&officer=x&agency=99", "/engagement?kind=visit"):
        page = page_of(sams, url)
        assert "Second" in page
        assert "First" not in page
    csv = b"".join(sams.get("/engagement.csv?kind=visit").streaming_content).decode()
    assert "Second" in csv
    assert "First" not in csv


def test_the_districts_year_names_the_schools_with_nothing(sams):
    cast.roosevelt()
    sams.post("/engagement/new", entry())
    sams.force_login(cast.dana())
    page = page_of(sams, "/engagement/year")
    assert "Nothing for 60 days" in page
    assert "Roosevelt Middle</a>: nothing on record" in page
    csv = b"".join(sams.get("/engagement/year.csv").streaming_content).decode()
    assert "Roosevelt Middle,2026–27,2026-10-06,0,0,0,0,0,0,,,Nothing on record" in csv


@pytest.mark.parametrize(
    "url", ["/engagement/year.pdf", "/schools/lincoln/engagement.pdf?year=2026"]
)
def test_the_year_is_a_pdf_too(url, sams):
    answer = sams.get(url)
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


def test_a_year_that_is_not_there_shows_this_one(sams):
    assert "2026–27" in page_of(sams, "/engagement/year?year=1999")


def test_a_school_with_nothing_says_so(sams):
    page = page_of(sams, "/schools/lincoln/engagement")
    assert "Nothing logged in this year" in page
    assert "Nothing on record" in page


def test_an_officer_whose_agreement_has_ended_sees_nothing(sams):
    agreement = cast.make_agreement(cast.make_agency())
    agreement.ends_on = TODAY - timedelta(days=1)
    agreement.save()
    assert sams.get("/officers").status_code == 403
    assert sams.post("/engagement/new", entry()).status_code == 403
    assert not Engagement.objects.exists()
