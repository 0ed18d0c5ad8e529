"""Why we alert: a real danger, or an exercise of one, at one or more schools."""

from django.db import models
from django.db.models import Q

from schools.models import School, User
from schools.protocols import Hazard, Protocol


class Mode(models.TextChoices):
    """Real, rehearsed or a check of the line. Never changes once chosen."""

    LIVE = "live", "Live"
    EXERCISE = "exercise", "Exercise"
    TEST = "test", "Test"


class Emergency(models.Model):
    """Declared, then ended. Only a live one may reach families."""

    protocol = models.CharField(max_length=16, choices=Protocol)
    hazard = models.CharField(max_length=24, choices=Hazard, blank=True)
    mode = models.CharField(max_length=10, choices=Mode)
    declared_at = models.DateTimeField()
    declared_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    schools = models.ManyToManyField(
        School, through="EmergencySchool", related_name="emergencies"
    )

    class Meta:
        verbose_name_plural = "emergencies"
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="an_ended_emergency_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_protocol_display()} declared {self.declared_at:%Y-%m-%d}"


class EmergencySchool(models.Model):
    """A school in an emergency; protocol and mode stand here for the constraint."""

    emergency = models.ForeignKey(
        Emergency, models.CASCADE, related_name="emergency_schools"
    )
    school = models.ForeignKey(School, models.PROTECT, related_name="+")
    protocol = models.CharField(max_length=16, choices=Protocol)
    mode = models.CharField(max_length=10, choices=Mode)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "protocol", "mode"],
                condition=Q(ended_at=None),
                name="one_ongoing_emergency_per_school_and_protocol",
            ),
            models.UniqueConstraint(
                fields=["emergency", "school"], name="a_school_is_in_an_emergency_once"
            ),
        ]
