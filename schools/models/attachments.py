"""What hangs on a safety plan beside its words: maps, photos, papers, rally points.

Like the words of a plan they never change once the version is adopted: triggers in the
database refuse it. One thing may still happen: an attachment is restricted.
"""

import secrets
from collections.abc import Collection

from django.db import models
from django.db.models import Q

from schools.permissions import Permission

from .people import User
from .plans import Audience, SafetyPlan

ATTACHMENT_TYPES = ("application/pdf", "image/png", "image/jpeg")


def random_name(_attachment: "PlanAttachment", _uploaded_as: str) -> str:
    """Where a file is kept: nothing of what a browser sends reaches the disk."""
    return f"plans/{secrets.token_hex(16)}"


class PlanAttachmentQuerySet(models.QuerySet["PlanAttachment"]):
    def for_audiences(self, audiences: Collection[str]) -> "PlanAttachmentQuerySet":
        """Those that readers of these audiences may open.

        A restricted one comes only with Audience.RESTRICTED among them.
        """
        found = self.filter(audience__in=audiences)
        if Audience.RESTRICTED in audiences:
            return found
        return found.filter(restricted_at=None)

    def visible_to(self, user: User) -> "PlanAttachmentQuerySet":
        """Those of plans this person may read; of drafts only where they write."""
        staff = user.schools_where(Permission.READ_PLANS)
        responder = user.schools_where(Permission.READ_RESPONDER_PLANS)
        restricted = user.schools_where(Permission.READ_RESTRICTED_PLANS)
        writes = user.schools_where(Permission.EDIT_PLANS)
        responders = Q(plan__school__in=responder)
        mine = responders | (Q(plan__school__in=staff) & Q(audience=Audience.STAFF))
        return self.filter(
            mine,
            Q(restricted_at=None) | Q(plan__school__in=restricted),
            ~Q(plan__status__in=SafetyPlan.OPEN) | Q(plan__school__in=writes),
        )

    def pictures(self) -> "PlanAttachmentQuerySet":
        """Those that can be shown and printed."""
        return self.filter(content_type__startswith="image/")


class PlanAttachment(models.Model):
    """A map, photo or paper that belongs to one version of a plan.

    `file` may be shared by the versions a plan was copied to; `sha256` is of what is on
    the disk, and says whether it still is what was adopted.
    """

    class Kind(models.TextChoices):
        MAP = "map", "Map or floor plan"
        RALLY_POINT = "rally_point", "Picture of a rally point"
        PHOTO = "photo", "Photo"
        DOCUMENT = "document", "Document"

    plan = models.ForeignKey(SafetyPlan, models.CASCADE, related_name="attachments")
    kind = models.CharField(max_length=12, choices=Kind)
    title = models.CharField(max_length=120)
    description = models.CharField(
        max_length=500, help_text="What it shows, for those who cannot see it"
    )
    audience = models.CharField(max_length=12, choices=Audience)
    file = models.FileField(upload_to=random_name)
    file_name = models.CharField(max_length=120, help_text="As it was uploaded")
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField(help_text="Bytes")
    width = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels")
    height = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels")
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    restricted_at = models.DateTimeField(null=True, blank=True)
    restricted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    restricted_because = models.TextField(blank=True)

    objects = PlanAttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(audience__in=["staff", "responder"]),
                name="an_attachment_is_for_staff_or_responders",
            ),
            models.CheckConstraint(
                condition=Q(content_type__in=ATTACHMENT_TYPES),
                name="an_attachment_is_a_pdf_or_a_picture",
            ),
            models.CheckConstraint(
                condition=Q(content_type="application/pdf", width=None, height=None)
                | (
                    ~Q(content_type="application/pdf")
                    & Q(
                        width__isnull=False,
                        width__gt=0,
                        height__isnull=False,
                        height__gt=0,
                    )
                ),
                name="a_picture_has_a_width_and_a_height",
            ),
            models.CheckConstraint(
                condition=~Q(title="") & ~Q(description=""),
                name="an_attachment_says_what_it_shows",
            ),
            models.CheckConstraint(
                condition=Q(
                    restricted_at=None, restricted_by=None, restricted_because=""
                )
                | (
                    Q(restricted_at__isnull=False, restricted_by__isnull=False)
                    & ~Q(restricted_because="")
                ),
                name="a_restricted_attachment_says_when_by_whom_and_why",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def subject(self) -> str:
        """How the audit log names it."""
        return f"plan_attachment:{self.pk}"

    @property
    def is_picture(self) -> bool:
        """True for what we drew ourselves; a PDF is only handed out."""
        return self.content_type.startswith("image/")

    @property
    def is_restricted(self) -> bool:
        """True once the responsible authority determined it (Minn. Stat. 13.37)."""
        return self.restricted_at is not None


class RallyPoint(models.Model):
    """A place people go to in an emergency, as one version of a plan names it."""

    class Use(models.TextChoices):
        ASSEMBLY = "assembly", "Assembly"
        SECOND_ASSEMBLY = "second_assembly", "Second assembly, if the first is unsafe"
        REUNIFICATION = "reunification", "Family reunification"
        STAGING = "staging", "Responders arrive"
        OTHER = "other", "Other"

    plan = models.ForeignKey(SafetyPlan, models.CASCADE, related_name="rally_points")
    name = models.CharField(max_length=120)
    use = models.CharField(max_length=16, choices=Use)
    where = models.CharField(max_length=200, help_text="As a driver would be told")
    note = models.CharField(max_length=300, blank=True)
    audience = models.CharField(max_length=12, choices=Audience, default=Audience.STAFF)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "name"], name="a_rally_point_is_named_once_in_a_plan"
            ),
            models.CheckConstraint(
                condition=Q(audience__in=["staff", "responder"]),
                name="a_rally_point_is_for_staff_or_responders",
            ),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(where=""),
                name="a_rally_point_says_where_it_is",
            ),
        ]

    def __str__(self) -> str:
        return self.name
