"""Who may do what: two lists and one table, meant to be read by anyone.

A role is held at one school, in an agency or for the whole district (`Membership`). A
permission held through a school counts at that school only; through the district, at
every school; through an agency, at the schools its agreement covers today. What an
officer at a school may do ends with the agreement of the officer's agency, too.
"""

from django.db.models import TextChoices


class Permission(TextChoices):
    SEE_SCHOOLS = "see_schools", "See the school's page: address, agency, officer"
    MANAGE_CALENDAR = "manage_calendar", "Set school hours and close a school for a day"
    READ_PLANS = "read_plans", "Read the staff view of safety plans"
    READ_RESPONDER_PLANS = "read_responder_plans", "Read the responder view of plans"
    READ_RESTRICTED_PLANS = (
        "read_restricted_plans",
        "Read restricted plan text; every reading is logged",
    )
    EDIT_PLANS = "edit_plans", "Write safety plans and send them to review"
    ADOPT_PLANS = "adopt_plans", "Adopt a safety plan and restrict parts of it"
    SEE_PARTNERS = "see_partners", "See agencies, agreements, officers and their work"
    LOG_ENGAGEMENT = (
        "log_engagement",
        "Log what an officer or partner did at the school",
    )
    MANAGE_PARTNERS = "manage_partners", "Keep agencies, agreements and officers"
    SEE_CRISIS_TEAM = "see_crisis_team", "See the Crisis Response team's roster"
    MANAGE_CRISIS_TEAM = "manage_crisis_team", "Keep the Crisis Response team's roster"
    SEE_PEOPLE = "see_people", "See who holds which role at the school"
    MANAGE_PEOPLE = "manage_people", "Invite people, give roles and end them"
    SEE_COMPLIANCE = "see_compliance", "See what the school has done and what is due"
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
    AGENCY_SUPERVISOR = "agency_supervisor", "Agency supervisor"


P = Permission
RESPONDERS = frozenset({P.SEE_SCHOOLS, P.SEE_PARTNERS, P.READ_RESPONDER_PLANS})
EVERYONE_AT_SCHOOL = frozenset(
    {P.SEE_SCHOOLS, P.SEE_ALERTS, P.READ_PLANS, P.SEE_PARTNERS}
)
COUNSELORS = EVERYONE_AT_SCHOOL | {P.SEE_CRISIS_TEAM, P.LOG_ENGAGEMENT}
SCHOOL_LEADERS = COUNSELORS | {
    P.SEND_ALERTS,
    P.SEE_DELIVERIES,
    P.READ_RESPONDER_PLANS,
    P.READ_RESTRICTED_PLANS,
    P.EDIT_PLANS,
    P.SEE_PEOPLE,
    P.SEE_COMPLIANCE,
}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.SYSTEM_ADMINISTRATOR: EVERYONE_AT_SCHOOL
    | {P.IMPORT_ROSTER, P.SEE_AUDIT, P.MANAGE_SENDERS, P.SEE_PEOPLE, P.MANAGE_PEOPLE},
    Role.SAFETY_COORDINATOR: frozenset(Permission),
    Role.SUPERINTENDENT: SCHOOL_LEADERS
    | {P.SEE_AUDIT, P.ADOPT_PLANS, P.MANAGE_PEOPLE, P.MANAGE_CALENDAR},
    Role.COMMUNICATIONS_OFFICER: EVERYONE_AT_SCHOOL
    | {
        P.SEND_ALERTS,
        P.SEE_DELIVERIES,
        P.CHECK_WORDING,
        P.MANAGE_SENDERS,
        P.MANAGE_CALENDAR,
    },
    Role.PRINCIPAL: SCHOOL_LEADERS | {P.MANAGE_PEOPLE},
    Role.ASSISTANT_PRINCIPAL: SCHOOL_LEADERS,
    Role.COUNSELOR: COUNSELORS,
    Role.STAFF: EVERYONE_AT_SCHOOL,
    Role.SRO: RESPONDERS | {P.SEE_ALERTS, P.LOG_ENGAGEMENT},
    Role.AGENCY_SUPERVISOR: RESPONDERS | {P.LOG_ENGAGEMENT},
}

DISTRICT_ROLES = frozenset(
    {
        Role.SYSTEM_ADMINISTRATOR,
        Role.SAFETY_COORDINATOR,
        Role.SUPERINTENDENT,
        Role.COMMUNICATIONS_OFFICER,
    }
)
"""Held for the whole district."""

AGENCY_ROLES = frozenset({Role.AGENCY_SUPERVISOR})
"""Held in an agency; a role that is neither the district's nor an agency's is held at
one school."""

AGREEMENT_ROLES = AGENCY_ROLES | {Role.SRO}
"""Grant nothing on a day on which no agreement with the person's agency is valid."""


def roles_with(permission: Permission) -> frozenset[Role]:
    """The roles that carry a permission."""
    return frozenset(role for role, granted in GRANTS.items() if permission in granted)
