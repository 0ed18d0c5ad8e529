"""Who reads what of a plan: no word more, and restricted readings are logged."""

from datetime import date

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from schools.actions import plan_readers, plans
from schools.models import (
    Audience,
    AuditEvent,
    Determination,
    FamilyLink,
    Phase,
    PlanText,
    SafetyPlan,
)
from schools.plan_changes import words_changed
from schools.plan_reading import (
    EVERYTHING,
    FOR_FAMILIES,
    FOR_PUBLIC,
    FOR_RESPONDERS,
    FOR_STAFF,
    Block,
    audiences_of,
    blocks,
    read,
)
from tests import cast
from tests.schools import planning

pytestmark = pytest.mark.django_db
NOW = cast.NOW
CANARIES = {
    "public": "canary-of-everyone",
    "family": "canary-of-families",
    "staff": "canary-of-staff",
    "responder": "canary-of-responders",
    "restricted-staff": "canary-restricted-for-staff",
    "restricted-responder": "canary-restricted-for-responders",
}
READABLE = {
    "public": ["public"],
    "family": ["public", "family"],
    "staff": ["public", "family", "staff"],
    "responder": ["public", "family", "staff", "responder"],
    "restricted": list(CANARIES),
}
BASE = "/schools/lincoln/plan"
PEOPLE = {
    "priya": (cast.priya, "restricted"),
    "cal": (cast.cal, "staff"),
    "sam": (cast.sam, "responder"),
    "dana": (cast.dana, "restricted"),
    "ines": (cast.ines, "staff"),
    "ada": (cast.ada, "staff"),
    "omar": (cast.omar, None),
}
"""Each person and the widest audience they read for at Lincoln."""


@pytest.fixture
def plan() -> SafetyPlan:
    """Lincoln's adopted plan and a draft of the next, a canary for every audience."""
    first = planning.make_plan()
    lockdown = planning.make_section(first)
    for audience in ("public", "family", "staff", "responder"):
        planning.make_text(lockdown, CANARIES[audience], audience=audience)
    for audience in ("staff", "responder"):
        text = planning.make_text(
            lockdown,
            CANARIES[f"restricted-{audience}"],
            phase=Phase.AFTER,
            audience=audience,
        )
        plan_readers.restrict(
            text=text,
            because=f"Reason for {audience} to see",
            by=cast.dana(),
            now=NOW,
        )
    planning.close(first)
    plans.start(school=cast.lincoln(), from_adopted=True, by=cast.priya(), now=NOW)
    planning.make_family_link()
    return first


def client_of(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def shown(client: Client, url: str) -> str:
    answer = client.get(url)
    return answer.content.decode() if answer.status_code == 200 else ""


def found_in(html: str) -> set[str]:
    return {name for name, canary in CANARIES.items() if canary in html}


def readings() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type="plans.restricted_text_read"))


def addresses(plan: SafetyPlan) -> list[str]:
    """Every page of Lincoln's plan that answers a GET."""
    texts = PlanText.objects.filter(section__plan__school=plan.school)
    return [
        "/plans",
        "/plans/public/lincoln",
        "/plans/families/families-of-lincoln",
        "/schools/lincoln",
        "/compliance/ground",
        BASE,
        *(
            f"{BASE}/{page}"
            for page in (
                "responders restricted versions versions/1 versions/2 exercised "
                "changes changes?before=1&after=2 changes?before=2&after=1 "
                "restrictions work work/functional.lockdown groups families"
            ).split()
        ),
        *(f"{BASE}/texts/{text.pk}" for text in texts),
    ]


@pytest.mark.parametrize("who", PEOPLE)
def test_no_page_shows_anyone_a_text_that_is_not_theirs(who, plan):
    person, widest = PEOPLE[who]
    client = client_of(person())
    allowed = set(READABLE[widest] if widest else READABLE["family"])
    seen = set()
    for url in addresses(plan):
        found = found_in(shown(client, url))
        assert found <= allowed, url
        seen |= found
    if widest:
        assert seen == allowed


def test_without_an_account_only_two_pages_speak_and_no_more_than_they_should(plan):
    said = {url: found_in(shown(Client(), url)) for url in addresses(plan)}
    assert {url: found for url, found in said.items() if found} == {
        "/plans/public/lincoln": {"public"},
        "/plans/families/families-of-lincoln": {"public", "family"},
    }


@pytest.mark.parametrize(
    ("page", "audience"),
    [("", "staff"), ("/responders", "responder"), ("/restricted", "restricted")],
)
def test_each_audience_has_its_page(page, audience, plan):
    html = shown(client_of(cast.dana()), f"{BASE}{page}")
    assert found_in(html) == set(READABLE[audience])


def test_who_may_see_that_a_text_is_restricted_sees_who_determined_it_and_why(plan):
    html = shown(client_of(cast.cal()), BASE)
    assert "A text here is restricted." in html
    assert "Determined by Dana Lindqvist" in html
    assert "Reason for staff to see" in html
    assert "Reason for responder to see" not in html
    responders = shown(client_of(cast.sam()), f"{BASE}/responders")
    assert "Reason for responder to see" in responders
    for url in ("/plans/public/lincoln", "/plans/families/families-of-lincoln"):
        assert "restricted" not in shown(Client(), url).replace("is for staff", "")
    listed = shown(client_of(cast.cal()), f"{BASE}/restrictions")
    assert "Reason for staff to see" in listed
    assert "Reason for responder to see" not in listed


def test_every_reading_of_restricted_text_is_written_down_without_its_words(plan):
    client = client_of(cast.priya())
    client.get(f"{BASE}/restricted")
    client.get(f"{BASE}/work/functional.lockdown")
    client.get(f"{BASE}/responders")
    assert [one.data["where"] for one in readings()] == [
        "plan: restricted",
        "plan_section",
    ]
    first = readings()[0]
    assert first.by_name == "Priya Raman"
    assert first.subject == plan.subject
    assert first.data["texts"] == [
        "functional.lockdown after staff",
        "functional.lockdown after responder",
    ]
    assert not any("canary" in str(one.data) for one in readings())


def test_a_reading_that_cannot_be_written_down_does_not_happen(plan, monkeypatch):
    monkeypatch.setattr(
        "schools.views.plans.note_restricted_reading",
        lambda **_: (_ for _ in ()).throw(RuntimeError("no log")),
    )
    client = client_of(cast.priya())
    with pytest.raises(RuntimeError, match="no log"):
        client.get(f"{BASE}/restricted")


@pytest.mark.parametrize(
    ("audiences", "widest"),
    [
        (FOR_PUBLIC, "public"),
        (FOR_FAMILIES, "family"),
        (FOR_STAFF, "staff"),
        (FOR_RESPONDERS, "responder"),
        (EVERYTHING, "restricted"),
    ],
)
def test_a_reading_holds_what_its_audiences_may_read(audiences, widest, plan):
    said = {
        text.body
        for section in read(plan, audiences)
        for phase in section.phases
        for text in phase.texts
    }
    assert said == {CANARIES[name] for name in READABLE[widest]}


def test_what_a_person_may_read_follows_from_their_role_at_that_school():
    assert audiences_of(cast.cal(), cast.lincoln()) == FOR_STAFF
    assert audiences_of(cast.sam(), cast.lincoln()) == FOR_RESPONDERS
    assert audiences_of(cast.priya(), cast.lincoln()) == EVERYTHING
    assert audiences_of(cast.omar(), cast.lincoln()) == frozenset()


# -- restricting -----------------------------------------------------------------------


def restrict(text: PlanText, **fields) -> Determination:
    return plan_readers.restrict(
        **{"text": text, "because": "Keys", "by": cast.dana(), "now": NOW} | fields
    )


def staff_text(plan: SafetyPlan) -> PlanText:
    return PlanText.objects.get(section__plan=plan, phase="during", audience="staff")


def test_a_restriction_counts_at_once_in_every_version(plan):
    draft = cast.lincoln().plans.open().get()
    restrict(staff_text(plan))
    section = {"section__key": "functional.lockdown"}
    covered = PlanText.objects.restricted().filter(phase="during", **section)
    assert {text.section.plan for text in covered} == {plan, draft}
    for url in (BASE, f"{BASE}/versions/1", f"{BASE}/versions/2", f"{BASE}/changes"):
        assert CANARIES["staff"] not in shown(client_of(cast.priya()), url)
    event = AuditEvent.objects.filter(type="plans.text_restricted").last()
    assert (event.data["versions"], event.data["because"]) == (2, "Keys")


def test_a_restriction_needs_a_reason_and_comes_once(plan):
    with pytest.raises(plan_readers.NoReason):
        restrict(staff_text(plan), because="  ")
    restrict(staff_text(plan))
    with pytest.raises(plan_readers.AlreadyRestricted):
        restrict(staff_text(plan))
    assert Determination.objects.filter(because="Keys").count() == 1


def test_a_restriction_is_lifted_in_a_draft_and_older_versions_keep_theirs(plan):
    draft = cast.lincoln().plans.open().get()
    at = {"phase": "after", "audience": "staff"}
    old = PlanText.objects.get(section__plan=plan, **at)
    new = PlanText.objects.get(
        section__plan=draft, section__key="functional.lockdown", **at
    )
    lifting = {"because": "The lock was changed", "by": cast.dana(), "now": NOW}
    with pytest.raises(plans.NotADraft):
        plan_readers.lift(text=old, **lifting)
    with pytest.raises(plan_readers.NoReason):
        plan_readers.lift(text=new, **lifting | {"because": ""})
    plan_readers.lift(text=new, **lifting)
    with pytest.raises(plan_readers.NotRestricted):
        plan_readers.lift(text=new, **lifting)
    old.refresh_from_db()
    assert old.is_restricted
    assert old.determination.lifted_by == cast.dana()
    assert found_in(shown(client_of(cast.cal()), BASE)) == set(READABLE["staff"])
    event = AuditEvent.objects.get(type="plans.restriction_lifted")
    assert event.data["because"] == "The lock was changed"


def test_restricting_on_the_page_needs_the_right_and_a_reason(plan):
    url = f"{BASE}/texts/{staff_text(plan).pk}"
    assert client_of(cast.priya()).post(url, {"because": "Keys!"}).status_code == 403
    assert client_of(cast.dana()).post(url, {"because": "K"}).status_code == 422
    assert not staff_text(plan).is_restricted
    client_of(cast.dana()).post(url, {"because": "It names the keys"})
    assert staff_text(plan).determination.because == "It names the keys"


# -- families --------------------------------------------------------------------------


def test_the_families_address_cannot_be_guessed_and_is_not_indexed(plan):
    answer = Client().get("/plans/families/families-of-lincoln")
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="robots" content="noindex, nofollow">' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert Client().get("/plans/families/families-of-lincolm").status_code == 404


def test_a_new_families_address_ends_the_one_before(plan):
    client = client_of(cast.priya())
    client.post(f"{BASE}/families")
    token = FamilyLink.objects.get().token
    assert len(token) >= 32
    assert Client().get("/plans/families/families-of-lincoln").status_code == 404
    assert Client().get(f"/plans/families/{token}").status_code == 200
    assert (
        AuditEvent.objects.get(type="plans.family_link_made").by_name == "Priya Raman"
    )
    assert token not in str(list(AuditEvent.objects.values_list("data", flat=True)))


def test_a_school_without_a_plan_says_so_to_everyone():
    cast.lincoln()
    planning.make_family_link()
    for url in ("/plans/public/lincoln", "/plans/families/families-of-lincoln"):
        assert "has not adopted a safety plan" in shown(Client(), url)
    assert "No adopted plan" in shown(client_of(cast.cal()), BASE)


def test_a_draft_is_nobodys_but_its_authors(plan):
    assert client_of(cast.cal()).get(f"{BASE}/versions/2").status_code == 404
    assert client_of(cast.priya()).get(f"{BASE}/versions/2").status_code == 200
    assert "Version 2" not in shown(client_of(cast.cal()), f"{BASE}/versions")


# -- words -----------------------------------------------------------------------------


@given(
    st.text(alphabet="ab \n-.", max_size=60), st.text(alphabet="ab \n-.", max_size=60)
)
def test_a_comparison_holds_both_texts_whole(before, after):
    pieces = words_changed(before, after)
    kept = [p for p in pieces if p.what != "added"]
    new = [p for p in pieces if p.what != "removed"]
    assert "".join(p.words for p in kept) == before
    assert "".join(p.words for p in new) == after


def test_a_comparison_marks_words_in_more_than_colour(plan):
    draft = cast.lincoln().plans.open().get()
    text = PlanText.objects.get(
        section__plan=draft,
        section__key="functional.lockdown",
        phase="during",
        audience="staff",
    )
    text.body = f"{CANARIES['staff']} and <b>bolt</b> it"
    text.save()
    html = shown(client_of(cast.priya()), f"{BASE}/changes?before=1&after=2")
    assert '<ins><span class="visually-hidden">[added: </span>' in html
    assert "and &lt;b&gt;bolt&lt;/b&gt; it" in html
    assert "During, for staff: changed" in html
    assert "Restricted text is not compared here." in html


def test_lines_with_a_dash_are_a_list():
    assert blocks("Do:\n- one\n- two\n\nThen wait.\nStill.") == [
        Block(is_list=False, lines=("Do:",)),
        Block(is_list=True, lines=("one", "two")),
        Block(is_list=False, lines=("Then wait.", "Still.")),
    ]


def test_a_plan_is_text_and_never_markup(plan):
    draft = cast.lincoln().plans.open().get()
    section = draft.sections.get(key="basic.purpose")
    words = "<script>alert(1)</script>"
    texts = {(Phase.THROUGHOUT, Audience.PUBLIC): words}
    plans.save_section(
        section=section, revision=0, texts=texts, by=cast.priya(), now=NOW
    )
    html = shown(client_of(cast.priya()), f"{BASE}/versions/2")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_an_overdue_plan_says_so_where_it_is_read():
    first = planning.make_plan(cast.roosevelt())
    planning.make_text(planning.make_section(first))
    planning.close(first, adopted_on=date(2024, 1, 1), review_due_on=date(2025, 1, 1))
    html = shown(client_of(cast.omar()), "/schools/roosevelt/plan")
    assert "Review overdue" in html
