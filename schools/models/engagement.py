"""What officers and partners do with a school's people: the regular relationships."""

from datetime import date

from django.db import models
from django.db.models import Q

from .officers import Sro
from .partners import Agency
from .people import User
from .places import School

WITH_WHOM = ("students", "staff", "families")


class EngagementQuerySet(models.QuerySet["Engagement"]):
    def standing(self) -> "EngagementQuerySet":
        """Entries nobody has struck out."""
        return self.filter(struck_at=None)

    def at(self, schools: models.QuerySet[School]) -> "EngagementQuerySet":
        """Entries of these schools."""
        return self.filter(school__in=schools)

    def between(self, first: date, last: date) -> "EngagementQuerySet":
        """Entries of these days, both included."""
        return self.filter(on__range=(first, last))


class Engagement(models.Model):
    """One visit, class, event or meeting of an agency or partner at a school."""

    class Kind(models.TextChoices):
        VISIT = "visit", "Visit"
        CLASS = "class", "Class"
        EVENT = "event", "Event"
        MEETING = "meeting", "Meeting"

    school = models.ForeignKey(School, models.PROTECT, related_name="engagements")
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="engagements")
    officer = models.ForeignKey(
        Sro, models.PROTECT, null=True, blank=True, related_name="engagements"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    on = models.DateField()
    minutes = models.PositiveSmallIntegerField()
    with_students = models.BooleanField(default=False)
    with_staff = models.BooleanField(default=False)
    with_families = models.BooleanField(default=False)
    what = models.CharField(max_length=120)
    note = models.CharField(max_length=500, blank=True)
    logged_at = models.DateTimeField()
    logged_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    struck_at = models.DateTimeField(null=True, blank=True)
    struck_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = EngagementQuerySet.as_manager()

    class Meta:
        ordering = ["-on", "-pk"]
        indexes = [
            # used by: the list and the yearly report of a school
            models.Index(fields=["school", "-on"], name="engagement_by_school"),
            # used by: the district's list and yearly report
            models.Index(fields=["-on", "-id"], name="engagement_by_day"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes__gte=1, minutes__lte=1440),
                name="an_engagement_takes_a_minute_to_a_day",
            ),
            models.CheckConstraint(
                condition=Q(with_students=True)
                | Q(with_staff=True)
                | Q(with_families=True),
                name="an_engagement_is_with_somebody",
            ),
            models.CheckConstraint(
                condition=Q(struck_at=None, struck_by=None)
                | Q(struck_at__isnull=False, struck_by__isnull=False),
                name="a_struck_engagement_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.school}, {self.on}"

    @property
    def subject(self) -> str:
        """What the audit log calls it."""
        return f"engagement:{self.pk}"

    @property
    def audience(self) -> list[str]:
        """Those of WITH_WHOM it was with."""
        return [one for one in WITH_WHOM if getattr(self, f"with_{one}")]

    @property
    def with_whom(self) -> str:
        """“students, staff and families”."""
        *rest, last = self.audience or [""]
        return f"{', '.join(rest)} and {last}" if rest else last


class EngagementVersion(models.Model):
    """What an entry said before it was changed.

    Kept apart from the audit log, which can never be cleared of a name that was written
    into a note by mistake.
    """

    engagement = models.ForeignKey(Engagement, models.CASCADE, related_name="versions")
    said = models.JSONField(help_text="Words on screen, by label, of what changed")
    replaced_at = models.DateTimeField()
    replaced_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-replaced_at", "-pk"]
