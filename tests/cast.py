"""The cast of every test: Lincoln, Roosevelt and the people around them.

Plain functions, nothing random. Places and named people are made once per test,
however often they are asked for; `make_guardian` and `make_student` make somebody new.
Phone numbers reach nobody: 555-01xx is fiction, area codes N9X do not exist.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils.text import slugify

from notifications.models import Channel, Sender
from schools.day_kinds import PatternKind, TermKind
from schools.models import (
    WEEKDAYS,
    Agency,
    Agreement,
    BellSchedule,
    ContactPoint,
    District,
    Guardian,
    Guardianship,
    Household,
    Membership,
    School,
    SchoolYear,
    SpecialDay,
    Sro,
    Stream,
    Student,
    Term,
    User,
)
from schools.permissions import Role

NOW = datetime(2026, 10, 6, 15, 30, tzinfo=UTC)
"""A Tuesday morning in October, 10:30 at Lincoln."""
TERM_BEGAN = date(2026, 9, 8)
LONG_AGO, FAR_OFF = date(2020, 8, 25), date(2090, 6, 30)
"""Roles and agreements of the cast last from one to the other, whatever the clock."""
TIMEZONE = "America/Chicago"


def phone_number(n: int) -> str:
    """The n-th number of a guardian, E.164, in an area code that does not exist."""
    return f"+1290555{n:04d}"


# -- places ----------------------------------------------------------------------------


def make_district(name: str = "Rum River Schools (test)") -> District:
    """The one district."""
    district, _ = District.objects.get_or_create(
        name=name, defaults={"state": "MN", "timezone": TIMEZONE}
    )
    return district


def make_agency(name: str = "Anoka Police Department") -> Agency:
    """A police department."""
    agency, _ = Agency.objects.get_or_create(
        name=name,
        defaults={"kind": Agency.Kind.POLICE, "dispatch_phone": "+17635550190"},
    )
    return agency


def make_agreement(
    agency: Agency, schools: Iterable[School] | None = None, **fields: Any
) -> Agreement:
    """An agreement with `agency` on these schools, or on all; made on first asking."""
    covering = {} if schools is not None else {"covers_every_school": True}
    agreement, made = Agreement.objects.get_or_create(
        number=fields.pop("number", f"MOU {agency.name}"),
        defaults={
            "agency": agency,
            "title": "School resource officers",
            "starts_on": LONG_AGO,
            "ends_on": FAR_OFF,
            "signed_on": LONG_AGO,
            "signed_for_district": "Robin Sand, superintendent",
            "signed_for_agency": "Kim Vale, chief",
            "created_at": NOW,
        }
        | covering
        | fields,
    )
    if made and schools is not None:
        agreement.schools.set(schools)
    return agreement


def blaine() -> Agency:
    """Blaine's police: responsible for Roosevelt, by an agreement on it alone."""
    agency = make_agency("Blaine Police Department")
    make_agreement(agency, [roosevelt()])
    return agency


def make_school(
    code: str = "lincoln",
    *,
    name: str = "",
    level: str = School.Level.HIGH,
    **fields: Any,
) -> School:
    """The school with this code; named after it and its level unless told."""
    school, _ = School.objects.get_or_create(
        code=code,
        defaults={
            "district": make_district(),
            "name": name or f"{code.replace('-', ' ').title()} {level.title()}",
            "level": level,
            "municipality": "Anoka",
            "county": "Anoka",
            "timezone": TIMEZONE,
            "leadership_phone": "+17635550100",
        }
        | fields,
    )
    return school


def lincoln() -> School:
    """Lincoln High, Priya's school."""
    return make_school("lincoln", name="Lincoln High", agency=make_agency())


def roosevelt() -> School:
    """Roosevelt Middle, Omar's school: the other one in every test."""
    return make_school(
        "roosevelt",
        name="Roosevelt Middle",
        level=School.Level.MIDDLE,
        municipality="Blaine",
        leadership_phone="+17635550101",
    )


# -- when school is --------------------------------------------------------------------


def make_school_year(
    name: str = "2026–27",
    starts_on: date = TERM_BEGAN,
    ends_on: date = date(2027, 6, 4),
) -> SchoolYear:
    """The school year with this name, with two semesters; made on first asking."""
    year, new = SchoolYear.objects.get_or_create(
        district=make_district(),
        name=name,
        defaults={"starts_on": starts_on, "ends_on": ends_on},
    )
    if new:
        half = date(starts_on.year + 1, 1, 22)
        for semester, first, last in (
            ("Semester 1", starts_on, half),
            ("Semester 2", half + timedelta(days=3), ends_on),
        ):
            Term.objects.create(
                school_year=year,
                kind=TermKind.SEMESTER,
                name=semester,
                starts_on=first,
                ends_on=last,
            )
    return year


def make_bells(
    school: School,
    hours: Mapping[str, tuple[time, time]] | None = None,
    *,
    from_on: date = date(2020, 1, 1),
) -> BellSchedule:
    """The bells of a school: 8:00 to 14:30, early release at 12:00, unless told."""
    schedule, new = BellSchedule.objects.get_or_create(school=school, from_on=from_on)
    if new:
        told = hours or {
            PatternKind.REGULAR: (time(8), time(14, 30)),
            PatternKind.EARLY_RELEASE: (time(8), time(12)),
        }
        for kind, (starts, ends) in told.items():
            schedule.patterns.create(kind=kind, starts_at=starts, ends_at=ends)
    return schedule


def make_special_day(
    on: date, kind: str, *, school: School | None = None, **fields: Any
) -> SpecialDay:
    """One more special day of the district, or of one school."""
    return SpecialDay.objects.create(
        district=make_district(),
        school=school,
        on=on,
        kind=kind,
        **{"reason": "for a test", "made_at": NOW} | fields,
    )


# -- people who sign in ----------------------------------------------------------------


def make_person(
    name: str,
    role: Role = Role.STAFF,
    school: School | None = None,
    *,
    email: str = "",
    mobile: str = "",
    password: str | None = None,
    agency: Agency | None = None,
) -> User:
    """The person who signs in as `email`, holding `role`; made on first asking.

    The email is their given name at district.example.org unless told.
    """
    email = email or f"{slugify(name.split()[0])}@district.example.org"
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, password, name=name, mobile=mobile)
    Membership.objects.get_or_create(
        user=user,
        role=role,
        school=school,
        agency=agency,
        defaults={"started_on": LONG_AGO},
    )
    return user


def priya() -> User:
    """Lincoln's principal."""
    return make_person("Priya Raman", Role.PRINCIPAL, lincoln(), mobile="+16125550101")


def omar() -> User:
    """Roosevelt's principal: the stranger in every access test."""
    return make_person(
        "Omar Haddad", Role.PRINCIPAL, roosevelt(), mobile="+16125550102"
    )


def cal() -> User:
    """Lincoln's counselor, who may see alerts and send none."""
    return make_person(
        "Cal Whitfield", Role.COUNSELOR, lincoln(), mobile="+16125550103"
    )


def sam() -> User:
    """Lincoln's SRO, of Anoka's police, whose agreement is on Lincoln."""
    make_agreement(make_agency(), [lincoln()])
    officer = make_person("Sam Okafor", Role.SRO, lincoln(), mobile="+16125550104")
    make_officer(officer.name, lincoln(), user=officer, phone="+16125550104")
    return officer


def make_officer(
    name: str,
    school: School | None = None,
    *,
    agency: Agency | None = None,
    user: User | None = None,
    phone: str = "+16125550111",
    assumed_duties_on: date = TERM_BEGAN,
    weekdays: Sequence[str] = WEEKDAYS,
    backup: Sro | None = None,
) -> Sro:
    """The officer of this name, at a school on these weekdays unless it is None."""
    officer, _ = Sro.objects.get_or_create(
        name=name,
        defaults={
            "agency": agency or make_agency(),
            "phone": phone,
            "assumed_duties_on": assumed_duties_on,
            "user": user,
        },
    )
    if school is not None and not officer.assignments.filter(school=school).exists():
        officer.assignments.create(
            school=school,
            started_on=assumed_duties_on,
            is_lead_school=not officer.assignments.exists(),
            backup=backup,
            **{day: day in weekdays for day in WEEKDAYS},
        )
    return officer


def bo() -> User:
    """Blaine's supervisor: reaches Roosevelt, and Lincoln is strange to them."""
    return make_person(
        "Bo Lindgren",
        Role.AGENCY_SUPERVISOR,
        agency=blaine(),
        email="bo@blaine.example.org",
        mobile="+16125550108",
    )


def dana() -> User:
    """The district's safety coordinator, who may do everything."""
    return make_person("Dana Lindqvist", Role.SAFETY_COORDINATOR, mobile="+16125550105")


def ines() -> User:
    """The communications officer, who checks wording."""
    return make_person(
        "Ines Moreno", Role.COMMUNICATIONS_OFFICER, mobile="+16125550106"
    )


def ada() -> User:
    """The system administrator, who sends no alerts."""
    return make_person("Ada Sorensen", Role.SYSTEM_ADMINISTRATOR, mobile="+16125550107")


# -- students and guardians ------------------------------------------------------------


def make_household(name: str = "") -> Household:
    """A household of its own."""
    number = Household.objects.count() + 1
    return Household.objects.create(external_id=f"household-{number}", name=name)


def make_student(
    name: str, school: School, *, household: Household | None = None, grade: str = ""
) -> Student:
    """One more student at `school`."""
    given, _, family = name.partition(" ")
    return Student.objects.create(
        external_id=f"student-{Student.objects.count() + 1}",
        household=household,
        school=school,
        given_name=given,
        family_name=family or "Example",
        grade=grade,
    )


def make_guardian(
    name: str,
    *,
    phones: Sequence[str] = (),
    emails: Sequence[str] = (),
    language: str = "en",
    students: Iterable[Student] = (),
    household: Household | None = None,
) -> Guardian:
    """One more guardian of `students`, with addresses in the order they are tried."""
    guardian = Guardian.objects.create(
        external_id=f"guardian-{Guardian.objects.count() + 1}",
        household=household,
        name=name,
        language=language,
    )
    for kind, addresses in (("phone", phones), ("email", emails)):
        for position, address in enumerate(addresses):
            ContactPoint.objects.create(
                guardian=guardian, kind=kind, address=address, position=position
            )
    for student in students:
        Guardianship.objects.create(student=student, guardian=guardian)
    return guardian


def gloria(children: Sequence[School] | None = None) -> Guardian:
    """Gloria Mendes: one phone, one email, and a child at each of these schools.

    Unless told, two children at Lincoln and one at Roosevelt. A second call gives the
    same Gloria.
    """
    found = Guardian.objects.filter(name="Gloria Mendes").first()
    if found is not None:
        return found
    if children is None:
        children = (lincoln(), lincoln(), roosevelt())
    home = make_household("Mendes")
    return make_guardian(
        "Gloria Mendes",
        phones=[phone_number(7001)],
        emails=["gloria@families.example.org"],
        household=home,
        students=[
            make_student(f"{given} Mendes", school, household=home)
            for given, school in zip(NAMES_OF_CHILDREN, children, strict=False)
        ],
    )


NAMES_OF_CHILDREN = ("Beto", "Clara", "Davi", "Elena", "Fabio", "Gina")


# -- the way out -----------------------------------------------------------------------


def make_sender(channel: str, stream: str = Stream.EMERGENCY, **fields: Any) -> Sender:
    """The sender of a channel and stream, with these limits."""
    identity = (
        "+17635550150" if channel == Channel.SMS else f"{stream}@district.example.org"
    )
    sender, _ = Sender.objects.update_or_create(
        channel=channel,
        stream=stream,
        defaults={"identity": identity} | fields,
    )
    return sender
