"""Invitations: an email, one role, a secret that works once and not for long."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from schools.permissions import AGENCY_ROLES, DISTRICT_ROLES, Permission, Role

from .partners import Agency
from .people import User
from .places import School


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> "InvitationQuerySet":
        """Neither accepted nor withdrawn; it may have expired."""
        return self.filter(accepted_at=None, withdrawn_at=None)

    def visible_to(self, user: User) -> "InvitationQuerySet":
        """Invitations to places where `user` looks after people."""
        if user.may_everywhere(Permission.MANAGE_PEOPLE):
            return self
        return self.filter(school__in=user.schools_where(Permission.MANAGE_PEOPLE))


class Invitation(models.Model):
    """One email asked to join in one role.

    The secret itself stands in the mail and nowhere else; we keep its SHA-256. Sent
    again, it gets another secret, and the first mail's link is dead.
    """

    email = models.EmailField()
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=32, choices=Role)
    school = models.ForeignKey(
        School, models.CASCADE, null=True, blank=True, related_name="+"
    )
    agency = models.ForeignKey(
        Agency, models.CASCADE, null=True, blank=True, related_name="+"
    )
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_at = models.DateTimeField()
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    mailed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When a mail server took it",
    )
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-invited_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="one_pending_invitation_per_email",
            ),
            models.CheckConstraint(
                condition=Q(role__in=DISTRICT_ROLES, school=None, agency=None)
                | Q(role__in=AGENCY_ROLES, school=None, agency__isnull=False)
                | (
                    ~Q(role__in=DISTRICT_ROLES | AGENCY_ROLES)
                    & Q(school__isnull=False)
                    & (Q(agency=None) | Q(role=Role.SRO))
                ),
                name="an_invitation_names_the_place_of_its_role",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("invited_at")),
                name="an_invitation_expires_after_it_is_made",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(
                    accepted_at__isnull=False,
                    accepted_by__isnull=False,
                    withdrawn_at=None,
                ),
                name="an_accepted_invitation_says_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="a_withdrawn_invitation_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        where = self.school or self.agency
        role = self.get_role_display()
        return f"{role}, {where}" if where else role

    @property
    def subject(self) -> str:
        """How the audit log names this invitation."""
        return f"invitation:{self.pk}"

    def expired(self, now: datetime) -> bool:
        """True if it can no longer be accepted for its age."""
        return now >= self.expires_at
