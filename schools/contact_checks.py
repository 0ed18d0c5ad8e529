"""What the district asks of its partners' numbers: that somebody has tried them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from django.conf import settings
from django.utils import timezone

from schools.checks import Check, Level
from schools.models import Agency, PartnerContact, School

TESTED = "Partner contacts tested"
OF_ONE_SCHOOLS_AGENCY = (Agency.Kind.POLICE, Agency.Kind.SHERIFF)
"""Their contacts count for schools they serve; other partners', for every school."""


def contact_checks(schools: Sequence[School], today: date) -> Mapping[int, list[Check]]:
    """One check for each school, by its key; three queries however many schools."""
    now = timezone.make_aware(datetime.combine(today, time.max))
    due = set(
        PartnerContact.objects.due(now, settings.CONTACT_TEST_DAYS).values_list(
            "pk", flat=True
        )
    )
    own: dict[int, list[PartnerContact]] = {}
    shared: list[PartnerContact] = []
    for one in PartnerContact.objects.current().select_related("agency"):
        if one.agency.kind in OF_ONE_SCHOOLS_AGENCY:
            own.setdefault(one.agency_id, []).append(one)
        else:
            shared.append(one)
    agencies = Agency.objects.in_bulk([one.agency_id for one in schools])
    shared_due = [one.name for one in shared if one.pk in due]
    return {
        school.pk: [
            _tested(
                agencies.get(school.agency_id or 0),
                own.get(school.agency_id or 0, []),
                due,
                shared_due,
            )
        ]
        for school in schools
    }


def _tested(
    agency: Agency | None,
    own: Sequence[PartnerContact],
    due: set[int],
    shared_due: Sequence[str],
) -> Check:
    def check(status: Level, said: str, detail: str) -> Check:
        return Check(
            title=TESTED,
            status=status,
            said=said,
            detail=detail,
            url_name="partner_contacts",
        )

    untried = [one.name for one in own if one.pk in due]
    if untried:
        return check(
            Level.BAD, "Test due", f"At {agency}: {_listed(untried)} must be tried."
        )
    if agency is not None and not own:
        return check(Level.WARN, "No contact", f"Nobody to ring at {agency} on file.")
    if shared_due:
        return check(Level.WARN, "Some due", f"Shared partners: {_listed(shared_due)}.")
    return check(
        Level.OK,
        "",
        f"Every contact answered within {settings.CONTACT_TEST_DAYS} days.",
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
