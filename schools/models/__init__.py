"""Who, where and what we agreed to do."""

from .audit import AuditEvent
from .households import (
    ContactPoint,
    Guardian,
    Guardianship,
    Household,
    Stream,
    StreamOptOut,
    Student,
)
from .partners import Agency, Sro
from .people import Membership, User
from .places import District, School
from .roster import (
    RosterImport,
    RosterIssue,
    StagedContactPoint,
    StagedGuardian,
    StagedGuardianship,
    StagedStudent,
)

__all__ = [
    "Agency",
    "AuditEvent",
    "ContactPoint",
    "District",
    "Guardian",
    "Guardianship",
    "Household",
    "Membership",
    "RosterImport",
    "RosterIssue",
    "School",
    "Sro",
    "StagedContactPoint",
    "StagedGuardian",
    "StagedGuardianship",
    "StagedStudent",
    "Stream",
    "StreamOptOut",
    "Student",
    "User",
]
