"""Which database this is, how far it has come, and when it was found to be a copy."""

import uuid

from django.db import models
from django.db.models import Q

from schools.models import User


class Lineage(models.Model):
    """The one row that tells a database from its own older copies.

    `tide` only rises; what it has reached is also kept outside the database (see
    `high_water`), so that a copy made earlier stands below its own mark.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    lineage = models.UUIDField(default=uuid.uuid4)
    instead_of = models.UUIDField(
        null=True, help_text="The lineage that stood at this address before"
    )
    tide = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(null=True, help_text="The last heartbeat or press")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="there_is_one_lineage"),
        ]


class RestorationQuerySet(models.QuerySet["Restoration"]):
    def open(self) -> "RestorationQuerySet":
        """Those a person still has to look at."""
        return self.filter(closed_at=None)


class Restoration(models.Model):
    """This database was found, or said, to be an older copy of itself.

    What was going out in the copy is frozen until a person decides about each alert.
    """

    found_at = models.DateTimeField()
    copied_at = models.DateTimeField(
        null=True, help_text="The last sign of life inside the copy"
    )
    known_until = models.DateTimeField(
        null=True, help_text="The last sign of life outside; null when said by hand"
    )
    newest_alert = models.BigIntegerField(
        null=True, help_text="Id of the newest alert known outside"
    )
    alerts_in_copy = models.BigIntegerField(
        default=0, help_text="Id of the newest alert inside the copy"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = RestorationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None)
                | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="a_closed_restoration_says_when_and_by_whom",
            ),
        ]

    @property
    def forgot_alerts(self) -> bool:
        """True when an alert is known outside that this copy has never heard of."""
        return (self.newest_alert or 0) > self.alerts_in_copy
