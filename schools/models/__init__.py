"""Who, where and what we agreed to do."""

from .attachments import PlanAttachment, RallyPoint
from .audit import AuditEvent
from .calendar import (
    BellSchedule,
    CalendarFeed,
    DayPattern,
    Period,
    SchoolYear,
    SpecialDay,
    Term,
)
from .crisis_team import (
    LANGUAGES,
    Absence,
    AvailableHours,
    Skill,
    SpokenLanguage,
    TeamMember,
    Weekday,
)
from .engagement import Engagement, EngagementVersion
from .households import (
    ContactPoint,
    Guardian,
    Guardianship,
    Household,
    Stream,
    StreamOptOut,
    Student,
)
from .invitations import Invitation
from .officers import (
    WEEKDAYS,
    Duty,
    DutyEntry,
    OfficerAssignment,
    OfficerCertificate,
    Sro,
)
from .partner_contacts import ContactTest, PartnerContact
from .partners import Agency, Agreement, Clause, Reminder
from .people import Membership, User
from .places import District, School
from .plans import (
    ELEVEN_GROUPS,
    Audience,
    Determination,
    FamilyLink,
    NamedGroup,
    Phase,
    PlanParticipation,
    PlanSection,
    PlanText,
    SafetyPlan,
)
from .roster import (
    RosterImport,
    RosterIssue,
    StagedContactPoint,
    StagedGuardian,
    StagedGuardianship,
    StagedStudent,
)

__all__ = [
    "ELEVEN_GROUPS",
    "LANGUAGES",
    "WEEKDAYS",
    "Absence",
    "Agency",
    "Agreement",
    "Audience",
    "AuditEvent",
    "AvailableHours",
    "BellSchedule",
    "CalendarFeed",
    "Clause",
    "ContactPoint",
    "ContactTest",
    "DayPattern",
    "Determination",
    "District",
    "Duty",
    "DutyEntry",
    "Engagement",
    "EngagementVersion",
    "FamilyLink",
    "Guardian",
    "Guardianship",
    "Household",
    "Invitation",
    "Membership",
    "NamedGroup",
    "OfficerAssignment",
    "OfficerCertificate",
    "PartnerContact",
    "Period",
    "Phase",
    "PlanAttachment",
    "PlanParticipation",
    "PlanSection",
    "PlanText",
    "RallyPoint",
    "Reminder",
    "RosterImport",
    "RosterIssue",
    "SafetyPlan",
    "School",
    "SchoolYear",
    "Skill",
    "SpecialDay",
    "SpokenLanguage",
    "Sro",
    "StagedContactPoint",
    "StagedGuardian",
    "StagedGuardianship",
    "StagedStudent",
    "Stream",
    "StreamOptOut",
    "Student",
    "TeamMember",
    "Term",
    "User",
    "Weekday",
]
