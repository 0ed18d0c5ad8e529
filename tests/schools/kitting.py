"""Lincoln with an adopted plan worth taking along, made row by row."""

from datetime import time
from typing import Any

from schools.actions import attachments as actions
from schools.models import (
    Audience,
    BellSchedule,
    DayPattern,
    PartnerContact,
    PlanAttachment,
    SafetyPlan,
    School,
    TeamMember,
)
from tests import cast
from tests.schools import attaching, planning

HOSTILE = '#read("kit.json") <script>alert(1)</script> \\ [x] $y$'
SECRET = "Key box code 4711 behind the transformer."
FAMILY = "Families wait at the fairground."


def make_kit_plan(school: School | None = None, **fields: Any) -> SafetyPlan:
    """Adopted, with protocols, a hazard, a map, a point and a restricted text."""
    school = school or cast.lincoln()
    cast.priya(), cast.sam(), cast.dana()
    plan = planning.make_plan(school, **fields)
    lockdown = planning.make_section(plan)
    planning.make_text(lockdown, "Lock the door.\n\n- Lights off\n- Silence")
    planning.make_text(
        lockdown, f"Enter by door 7. {HOSTILE}", audience=Audience.RESPONDER
    )
    planning.make_text(lockdown, FAMILY, audience=Audience.FAMILY)
    security = planning.make_section(plan, "functional.security")
    planning.make_text(
        security,
        SECRET,
        audience=Audience.RESPONDER,
        determination=planning.make_determination(section_key="functional.security"),
    )
    gas = planning.make_section(plan, "hazard.gas_leak")
    planning.make_text(gas, "Touch no switch.")
    command = planning.make_section(plan, "basic.command")
    planning.make_text(command, "The principal leads.", phase="throughout")
    attaching.attach(plan)
    attaching.attach(
        plan, attaching.PDF, title="Valves", kind="document", audience=Audience.STAFF
    )
    attaching.make_point(plan, note="Bring the radio")
    return planning.close(plan)


def make_vault(plan: SafetyPlan) -> PlanAttachment:
    """A restricted map on a draft."""
    vault = attaching.attach(plan, attaching.make_png(colour="red"), title="Vault")
    actions.restrict_attachment(
        attachment=vault, because="It shows the vault.", by=cast.dana(), now=cast.NOW
    )
    return vault


def make_crisis_contacts() -> None:
    """One who leads the team, one who does not, and a desk at Anoka's police."""
    for name, leads in (("Tova Lead", True), ("Tim Follower", False)):
        TeamMember.objects.create(
            name=name,
            mobile="+16125550130",
            leads=leads,
            active_from=cast.TERM_BEGAN,
        )
    PartnerContact.objects.create(
        agency=cast.make_agency(),
        name="Desk sergeant",
        what_for="Shift desk",
        phone="+17635550191",
    )


def make_hours(school: School) -> None:
    """Regular days from 7:40 to 14:20."""
    schedule = BellSchedule.objects.create(school=school, from_on=cast.TERM_BEGAN)
    DayPattern.objects.create(
        schedule=schedule, kind="regular", starts_at=time(7, 40), ends_at=time(14, 20)
    )
