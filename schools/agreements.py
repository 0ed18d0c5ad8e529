"""How it stands with an agency today: what was agreed, until when, and who sees it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from schools.checks import Check, Level
from schools.models import Agency, Agreement, Membership, School, User
from schools.models.partners import AgreementQuerySet
from schools.permissions import AGENCY_ROLES, Permission, Role

EARLY, SOON = 90, 30
"""Days before its end from which an agreement is shown as ending."""
TITLE = "Agreement with its agency"
LAW = "Minn. Stat. 626.8482"


@dataclass(frozen=True, slots=True)
class Standing:
    """An agreement's state on one day: one of the five kinds, and a word or two."""

    kind: Level
    word: str
    days_left: int

    @property
    def in_force(self) -> bool:
        """True where people rest on it today."""
        return self.kind in (Level.OK, Level.WARN)


def day(when: date) -> str:
    """“6 Oct 2026”."""
    return f"{when.day} {when:%b %Y}"


def standing(agreement: Agreement, today: date) -> Standing:
    """How an agreement stands; reads its `renewal`, so select that with it."""
    last = last_day(agreement)
    left = (last - today).days
    renewed = hasattr(agreement, "renewal")
    if agreement.ended_on and agreement.ended_on <= today:
        return Standing(Level.IDLE, f"Ended early on {day(agreement.ended_on)}", left)
    if left < 0:
        if renewed:
            return Standing(Level.IDLE, f"Renewed; this one ended {day(last)}", left)
        return Standing(Level.BAD, f"Ended {day(last)}", left)
    if agreement.starts_on > today:
        return Standing(Level.IDLE, f"Begins {day(agreement.starts_on)}", left)
    if renewed:
        return Standing(Level.OK, f"Valid until {day(last)}, renewed", left)
    if left > EARLY:
        return Standing(Level.OK, f"Valid until {day(last)}", left)
    return Standing(Level.WARN, _ending(left), left)


def _ending(left: int) -> str:
    if left == 0:
        return "Ends today"
    return "Ends tomorrow" if left == 1 else f"Ends in {left} days"


def best(agency: Agency, today: date) -> tuple[Agreement, Standing] | None:
    """The agreement that says how it stands with an agency: one in force before one
    to come before one that is over, and of those the last to end. None: there is none.

    Reads `agreements` and each one's renewal: prefetch both for a list.
    """
    found = [(one, standing(one, today)) for one in agency.agreements.all()]
    if not found:
        return None
    return max(
        found,
        key=lambda pair: (
            pair[1].in_force,
            pair[0].starts_on > today,
            last_day(pair[0]),
        ),
    )


def last_day(agreement: Agreement) -> date:
    """The last day on which it is in force, were nothing to change."""
    if agreement.ended_on is None:
        return agreement.ends_on
    return min(agreement.ends_on, date.fromordinal(agreement.ended_on.toordinal() - 1))


# -- who sees what ---------------------------------------------------------------------


def agencies_seen_by(user: User) -> QuerySet[Agency]:
    """Agencies a person may open: their own, their schools' or all the district's.

    An agency's people see their own and no other, whoever else covers its schools.
    """
    if user.may_everywhere(Permission.SEE_PARTNERS):
        return Agency.objects.all()
    roles = user.memberships.granting(Permission.SEE_PARTNERS).standing()
    own = roles.filter(role__in=AGENCY_ROLES).values("agency")
    at_school = roles.filter(school__isnull=False).values("school")
    covering = Agreement.objects.filter(schools__in=at_school)
    if at_school.exists():
        covering |= Agreement.objects.filter(covers_every_school=True)
    return Agency.objects.filter(
        Q(pk__in=own)
        | Q(pk__in=School.objects.filter(pk__in=at_school).values("agency"))
        | Q(pk__in=covering.values("agency"))
    )


def agreements_seen_by(user: User) -> AgreementQuerySet:
    """Agreements of the agencies a person may open."""
    return Agreement.objects.filter(agency__in=agencies_seen_by(user))


def agency_of(user: User) -> Agency | None:
    """The agency whose person this is and nothing else besides; else None.

    Whether or not an agreement is valid: who has lost access is told why.
    """
    roles = list(user.memberships.current().select_related("agency"))
    if not roles or any(role.role not in AGENCY_ROLES for role in roles):
        return None
    return roles[0].agency


def resting_on(agreement: Agreement) -> QuerySet[Membership]:
    """Roles that end with an agreement, unless another one is valid.

    Its agency's supervisors, and the officers at the schools it covers.
    """
    officers = Q(role=Role.SRO, rests_with=agreement.agency_id)
    if not agreement.covers_every_school:
        officers &= Q(school__in=agreement.schools.all())
    supervisors = Q(role__in=AGENCY_ROLES, agency=agreement.agency_id)
    with_whom = Coalesce("agency", "user__officer__agency", "school__agency")
    roles = Membership.objects.current().annotate(rests_with=with_whom)
    return roles.filter(officers | supervisors)


def people_resting_on(agreement: Agreement) -> int:
    """How many people that is; an officer at two schools is one."""
    return resting_on(agreement).values("user").order_by().distinct().count()


# -- the check of every school ---------------------------------------------------------


def agreement_checks(
    schools: Sequence[School], today: date
) -> Mapping[int, list[Check]]:
    """One check for each school, by its key: is the agreement with its agency valid?

    Three queries however many schools. No agency and no agreement is a normal state,
    unless an officer works there.
    """
    agencies = {school.agency_id for school in schools if school.agency_id}
    by_agency = _by_agency(agencies)
    officers = set(
        Membership.objects.current(today)
        .filter(role=Role.SRO, school__in=schools)
        .values_list("school", flat=True)
    )
    return {
        school.pk: [
            _check(
                school,
                [
                    one
                    for one, covered in by_agency.get(school.agency_id or 0, ())
                    if covered is None or school.pk in covered
                ],
                today,
                has_officer=school.pk in officers,
            )
        ]
        for school in schools
    }


def _by_agency(
    agencies: Iterable[int],
) -> dict[int, list[tuple[Agreement, Collection[int] | None]]]:
    """Agency → its agreements, the last to end first, with the schools each names."""
    found: dict[int, list[tuple[Agreement, Collection[int] | None]]] = {}
    for one in (
        Agreement.objects.filter(agency__in=agencies)
        .select_related("renewal")
        .prefetch_related("schools")
    ):
        covered = (
            None if one.covers_every_school else {row.pk for row in one.schools.all()}
        )
        found.setdefault(one.agency_id, []).append((one, covered))
    return found


def _check(
    school: School,
    covering: Sequence[Agreement],
    today: date,
    *,
    has_officer: bool,
) -> Check:
    def check(status: Level, said: str, detail: str) -> Check:
        return Check(
            title=TITLE,
            status=status,
            said=said,
            detail=detail,
            url_name="agency" if school.agency_id else "school",
            url_args=(str(school.agency_id),) if school.agency_id else (school.code,),
            law=LAW if has_officer else "",
        )

    states = [(standing(one, today), one) for one in covering]
    valid = [(state, one) for state, one in states if state.in_force]
    if valid:
        state, one = max(valid, key=lambda pair: last_day(pair[1]))
        soon = state.kind == Level.WARN and state.days_left <= SOON
        until = f"{one.number} runs until {day(last_day(one))}."
        return check(Level.WARN if soon else Level.OK, state.word, until)
    over = [one for state, one in states if last_day(one) < today]
    if over:
        newest = max(over, key=last_day)
        said = f"Ended {day(last_day(newest))}"
        return check(Level.BAD, said, f"{newest.number} was not followed by another.")
    if has_officer:
        return check(
            Level.BAD,
            "Officer, no agreement",
            "An officer works here without one.",
        )
    return check(
        Level.IDLE,
        "No agreement",
        "No agency has agreed anything about this school; dispatch answers its calls.",
    )


def expiring(today: date) -> list[tuple[Agreement, Standing]]:
    """Agreements nobody has renewed or ended, the first to end first."""
    found = (
        Agreement.objects.standing()
        .select_related("agency", "agency__owner", "renewal")
        .prefetch_related("schools", "reminders")
        .order_by(F("ends_on").asc(), "pk")
    )
    return [(one, standing(one, today)) for one in found]
