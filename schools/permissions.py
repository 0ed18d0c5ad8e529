"""Who may do what: two lists and one table, meant to be read by anyone.

A role is held at one school or for the whole district (`Membership`). A permission
held through a school counts at that school only; through the district, at every school.
"""

from django.db.models import TextChoices


class Permission(TextChoices):
    SEE_SCHOOLS = "see_schools", "See the school's page: address, agency, officer"
    SEE_ALERTS = "see_alerts", "See alerts and how far they got, as numbers"
    SEND_ALERTS = "send_alerts", "Send an emergency alert for the school"
    SEE_DELIVERIES = "see_deliveries", "See by name who got an alert and who did not"
    IMPORT_ROSTER = "import_roster", "Load students and guardians from a file"
    SEE_AUDIT = "see_audit", "Read the audit log"
    MANAGE_SENDERS = "manage_senders", "Pause, resume and set the pace of senders"
    CHECK_WORDING = "check_wording", "Mark an alert translation as checked by a person"


class Role(TextChoices):
    SYSTEM_ADMINISTRATOR = "system_administrator", "System administrator"
    SAFETY_COORDINATOR = "safety_coordinator", "District safety coordinator"
    SUPERINTENDENT = "superintendent", "Superintendent"
    COMMUNICATIONS_OFFICER = "communications_officer", "Communications officer"
    PRINCIPAL = "principal", "Principal"
    ASSISTANT_PRINCIPAL = "assistant_principal", "Assistant principal"
    COUNSELOR = "counselor", "Counselor"
    STAFF = "staff", "Staff member"
    SRO = "sro", "School resource officer"


P = Permission
EVERYONE_AT_SCHOOL = frozenset({P.SEE_SCHOOLS, P.SEE_ALERTS})
SCHOOL_LEADERS = EVERYONE_AT_SCHOOL | {P.SEND_ALERTS, P.SEE_DELIVERIES}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.SYSTEM_ADMINISTRATOR: EVERYONE_AT_SCHOOL
    | {P.IMPORT_ROSTER, P.SEE_AUDIT, P.MANAGE_SENDERS},
    Role.SAFETY_COORDINATOR: frozenset(Permission),
    Role.SUPERINTENDENT: SCHOOL_LEADERS | {P.SEE_AUDIT},
    Role.COMMUNICATIONS_OFFICER: SCHOOL_LEADERS | {P.CHECK_WORDING, P.MANAGE_SENDERS},
    Role.PRINCIPAL: SCHOOL_LEADERS,
    Role.ASSISTANT_PRINCIPAL: SCHOOL_LEADERS,
    Role.COUNSELOR: EVERYONE_AT_SCHOOL,
    Role.STAFF: EVERYONE_AT_SCHOOL,
    Role.SRO: EVERYONE_AT_SCHOOL,
}

DISTRICT_ROLES = frozenset(
    {
        Role.SYSTEM_ADMINISTRATOR,
        Role.SAFETY_COORDINATOR,
        Role.SUPERINTENDENT,
        Role.COMMUNICATIONS_OFFICER,
    }
)
"""Held for the whole district; every other role is held at one school."""


def roles_with(permission: Permission) -> frozenset[Role]:
    """The roles that carry a permission."""
    return frozenset(role for role, granted in GRANTS.items() if permission in granted)
