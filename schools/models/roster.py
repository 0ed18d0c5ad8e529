"""A roster file on its way in: what it says is staged, compared, then applied."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q

from .people import User
from .places import School

LEASE = timedelta(seconds=60)
"""A run that has not been heard of for this long may be taken over."""


class RosterImportQuerySet(models.QuerySet["RosterImport"]):
    def unfinished(self) -> "RosterImportQuerySet":
        """Imports that still hold a file or staged rows."""
        return self.exclude(state__in=RosterImport.SETTLED)

    def untidy(self) -> "RosterImportQuerySet":
        """Settled imports whose file or staged rows are still here."""
        staged = [
            Exists(model._default_manager.filter(roster_import=OuterRef("pk")))
            for model in (StagedStudent, StagedGuardian)
        ]
        left = ~Q(upload="") | staged[0] | staged[1]
        return self.filter(left, state__in=RosterImport.SETTLED)

    def free(self, now: datetime) -> "RosterImportQuerySet":
        """Imports nobody is working on: never claimed, or not heard of for a LEASE."""
        return self.filter(Q(heard_at=None) | Q(heard_at__lt=now - LEASE))

    def waiting_for_a_worker(self, now: datetime) -> "RosterImportQuerySet":
        """Imports with work to do that nobody is doing."""
        return self.free(now).filter(state__in=RosterImport.WORKING)


class RosterImport(models.Model):
    """One file with students and guardians, from its arrival to its end."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to be read"
        READING = "reading", "Being read"
        COMPARING = "comparing", "Being compared with the roster"
        READY = "ready", "Ready to look over"
        APPROVED = "approved", "Waiting to be applied"
        APPLYING = "applying", "Being applied"
        DONE = "done", "Applied"
        REFUSED = "refused", "Refused"
        DROPPED = "dropped", "Dropped"

    WORKING = (
        State.WAITING,
        State.READING,
        State.COMPARING,
        State.APPROVED,
        State.APPLYING,
    )
    SETTLED = (State.DONE, State.REFUSED, State.DROPPED)

    file_name = models.CharField(max_length=160)
    upload = models.FileField(upload_to="roster", blank=True)
    source = models.CharField(max_length=40, blank=True)
    full = models.BooleanField(
        default=True, help_text="False: the file lists changes only (OneRoster delta)"
    )
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    refusal = models.TextField(blank=True)
    trouble = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    agreed_to_lose = models.PositiveIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    runner = models.CharField(max_length=32, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent")
    counts = models.JSONField(default=dict)

    objects = RosterImportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state="applying"),
                name="one_roster_is_applied_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "refused", "dropped"])
                & Q(finished_at__isnull=False)
                | ~Q(state__in=["done", "refused", "dropped"]) & Q(finished_at=None),
                name="a_settled_import_has_a_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(refusal=""),
                name="a_refused_import_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.get_state_display()})"

    @property
    def subject(self) -> str:
        """What the audit log calls this import."""
        return f"roster_import:{self.pk}"

    @property
    def status(self) -> str:
        """One of the five kinds of status on screen: ok, warn, bad, idle, uncertain."""
        return {"ready": "warn", "done": "ok", "refused": "bad"}.get(self.state, "idle")

    @property
    def is_working(self) -> bool:
        """True while a worker has something to do."""
        return self.state in self.WORKING


class RosterIssueQuerySet(models.QuerySet["RosterIssue"]):
    def errors(self) -> "RosterIssueQuerySet":
        """What was not applied, in the order of the file."""
        return self.filter(severity="error").order_by("line", "pk")

    def warnings(self) -> "RosterIssueQuerySet":
        """What was applied and looks odd, in the order of the file."""
        return self.filter(severity="warning").order_by("line", "pk")


class RosterIssue(models.Model):
    """Something in the file that was not applied (error) or looks odd (warning)."""

    class Severity(models.TextChoices):
        ERROR = "error", "Not applied"
        WARNING = "warning", "Please check"

    roster_import = models.ForeignKey(
        RosterImport, models.CASCADE, related_name="issues", db_index=False
    )
    severity = models.CharField(max_length=8, choices=Severity)
    file = models.CharField(max_length=120)
    line = models.PositiveIntegerField(help_text="1 is the header; 0 the whole file")
    column = models.CharField(max_length=80, blank=True)
    what = models.CharField(max_length=300)
    value = models.CharField(max_length=60, blank=True)

    objects = RosterIssueQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            # used by: the import's page and its list of errors
            models.Index(
                fields=["roster_import", "severity", "id"], name="issues_of_an_import"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.what}"


class StagedStudent(models.Model):
    """What the file says about one student. NULL: the file does not say."""

    roster_import = models.ForeignKey(RosterImport, models.CASCADE, db_index=False)
    external_id = models.CharField(max_length=80)
    school = models.ForeignKey(School, models.CASCADE, null=True, db_index=False)
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    grade = models.CharField(max_length=8, null=True)  # noqa: DJ001 NULL: not said
    household = models.CharField(max_length=80, null=True)  # noqa: DJ001
    faulty = models.BooleanField(default=False)
    leaves = models.BooleanField(default=False)
    keeps_guardians = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["roster_import", "external_id"], name="a_student_is_staged_once"
            )
        ]


class StagedGuardian(models.Model):
    """What the file says about one guardian. NULL: the file does not say."""

    roster_import = models.ForeignKey(RosterImport, models.CASCADE, db_index=False)
    external_id = models.CharField(max_length=80)
    name = models.CharField(max_length=160)
    language = models.CharField(max_length=8, null=True)  # noqa: DJ001
    household = models.CharField(max_length=80, null=True)  # noqa: DJ001
    relationship = models.CharField(max_length=40, null=True)  # noqa: DJ001
    faulty = models.BooleanField(default=False)
    leaves = models.BooleanField(default=False)
    keeps_phones = models.BooleanField(default=False)
    keeps_emails = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["roster_import", "external_id"],
                name="a_guardian_is_staged_once",
            )
        ]


class StagedGuardianship(models.Model):
    """That the file names this guardian for this student, and how."""

    roster_import = models.ForeignKey(RosterImport, models.CASCADE, db_index=False)
    student = models.CharField(max_length=80)
    guardian = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    relationship = models.CharField(max_length=40, null=True)  # noqa: DJ001
    restriction = models.CharField(max_length=200, null=True)  # noqa: DJ001
    restricted_on = models.DateField(null=True)
    faulty = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["roster_import", "student", "guardian"],
                name="a_guardianship_is_staged_once",
            )
        ]
        indexes = [
            # used by: a guardian's household, taken from the students who list them
            models.Index(
                fields=["roster_import", "guardian"], name="staged_pairs_by_guardian"
            ),
        ]


class StagedContactPoint(models.Model):
    """One number (E.164) or email (lower case) the file gives for a guardian."""

    roster_import = models.ForeignKey(RosterImport, models.CASCADE, db_index=False)
    guardian = models.CharField(max_length=80)
    kind = models.CharField(max_length=8)
    address = models.CharField(max_length=254)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["roster_import", "guardian", "kind", "address"],
                name="an_address_is_staged_once_per_guardian",
            )
        ]
