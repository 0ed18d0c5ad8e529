"""School resource officers: where they work and when, their training, what they log.

Source: Minn. Stat. 626.8482. Most schools have none; that is a normal state.
"""

from datetime import date

from django.db import models
from django.db.models import F, Q
from phonenumber_field.modelfields import PhoneNumberField

from schools.permissions import Permission

from .partners import Agency
from .people import User
from .places import School

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
"""The columns of an assignment, in the order of `date.weekday()`."""


class Duty(models.TextChoices):
    """What a contract asks of an officer: Minn. Stat. 626.8482 subd. 2 (a), (1)-(7)."""

    POSITIVE_CLIMATE = "positive_climate", "Foster a positive school climate"
    PROTECT = "protect", "Protect people at the school from crime"
    LIAISON = "liaison", "Liaison between police and the school"
    DRILL_ADVICE = "drill_advice", "Advise on safety drills"
    VULNERABILITIES = "vulnerabilities", "Identify vulnerabilities"
    EDUCATE = "educate", "Teach and advise on law-enforcement topics"
    ENFORCE = "enforce", "Enforce criminal law"


class SroQuerySet(models.QuerySet["Sro"]):
    def serving(self, on: date) -> "SroQuerySet":
        """Officers who have not left by this day."""
        return self.filter(Q(ended_on=None) | Q(ended_on__gte=on))

    def visible_to(self, user: User) -> "SroQuerySet":
        """Officers who work or stand in at a person's schools; all for the district.

        Somebody who signs in as an officer sees themselves too.
        """
        if user.may_everywhere(Permission.SEE_PARTNERS):
            return self
        schools = user.schools_where(Permission.SEE_PARTNERS)
        return self.filter(
            Q(assignments__school__in=schools)
            | Q(backs_up__school__in=schools)
            | Q(user=user)
        ).distinct()


class Sro(models.Model):
    """A school resource officer: an agency's officer who works in schools."""

    name = models.CharField(max_length=120)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="sros")
    user = models.OneToOneField(
        User, models.SET_NULL, null=True, blank=True, related_name="officer"
    )
    phone = PhoneNumberField()
    assumed_duties_on = models.DateField(
        help_text="First day as a school resource officer; the training clock starts"
    )
    ended_on = models.DateField(null=True, blank=True, help_text="Last day")

    objects = SroQuerySet.as_manager()

    class Meta:
        verbose_name = "school resource officer"
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("assumed_duties_on")),
                name="an_officer_leaves_after_starting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.agency})"


class AssignmentQuerySet(models.QuerySet["OfficerAssignment"]):
    def in_force(self, on: date) -> "AssignmentQuerySet":
        """Assignments that run on this day, whatever the weekday."""
        return self.filter(started_on__lte=on).filter(
            Q(ended_on=None) | Q(ended_on__gte=on)
        )

    def here_on(self, on: date) -> "AssignmentQuerySet":
        """Assignments by which an officer is at the school on this day."""
        if on.weekday() >= len(WEEKDAYS):
            return self.none()
        return self.in_force(on).filter(**{WEEKDAYS[on.weekday()]: True})

    def current_or_ahead(self, on: date) -> "AssignmentQuerySet":
        """Assignments that have not ended by this day."""
        return self.filter(Q(ended_on=None) | Q(ended_on__gte=on))


class OfficerAssignment(models.Model):
    """An officer works at a school on these weekdays, from a day to a day."""

    officer = models.ForeignKey(Sro, models.PROTECT, related_name="assignments")
    school = models.ForeignKey(
        School, models.PROTECT, related_name="officer_assignments"
    )
    monday = models.BooleanField(default=True)
    tuesday = models.BooleanField(default=True)
    wednesday = models.BooleanField(default=True)
    thursday = models.BooleanField(default=True)
    friday = models.BooleanField(default=True)
    is_lead_school = models.BooleanField(
        default=False, help_text="Where the officer's desk is"
    )
    backup = models.ForeignKey(
        Sro, models.PROTECT, null=True, blank=True, related_name="backs_up"
    )
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True, help_text="Last day")

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["-is_lead_school", "started_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("started_on")),
                name="an_assignment_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(monday=True)
                | Q(tuesday=True)
                | Q(wednesday=True)
                | Q(thursday=True)
                | Q(friday=True),
                name="an_assignment_names_a_weekday",
            ),
            models.CheckConstraint(
                condition=Q(backup=None) | ~Q(backup=F("officer")),
                name="no_officer_is_their_own_backup",
            ),
            models.UniqueConstraint(
                fields=["officer", "school"],
                condition=Q(ended_on=None),
                name="an_officer_is_assigned_to_a_school_once",
            ),
            models.UniqueConstraint(
                fields=["officer"],
                condition=Q(ended_on=None, is_lead_school=True),
                name="an_officer_has_one_lead_school",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.officer.name} at {self.school}"

    @property
    def weekdays(self) -> tuple[str, ...]:
        """The weekdays in order: “monday”, “thursday”."""
        return tuple(day for day in WEEKDAYS if getattr(self, day))


class OfficerCertificate(models.Model):
    """A training course an officer has completed, as somebody wrote it down.

    A mistake is withdrawn with a reason, never deleted.
    """

    class Course(models.TextChoices):
        REQUIRED = (
            "required",
            "Course on the required learning objectives (or its supplement)",
        )
        EARLIER = "earlier", "Earlier basic SRO course, before 1 September 2025"

    officer = models.ForeignKey(Sro, models.PROTECT, related_name="certificates")
    course = models.CharField(max_length=16, choices=Course)
    completed_on = models.DateField()
    reference = models.CharField(
        max_length=120, blank=True, help_text="Number or provider on the certificate"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-completed_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None, withdrawn_because="")
                | (
                    Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False)
                    & ~Q(withdrawn_because="")
                ),
                name="a_withdrawn_certificate_says_when_by_whom_and_why",
            ),
            models.CheckConstraint(
                condition=~Q(course="earlier") | Q(completed_on__lt=date(2025, 9, 1)),
                name="an_earlier_course_was_before_september_2025",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_course_display()}, {self.completed_on}"


class DutyQuerySet(models.QuerySet["DutyEntry"]):
    def standing(self) -> "DutyQuerySet":
        """Entries nobody has struck out."""
        return self.filter(struck_at=None)


class DutyEntry(models.Model):
    """An officer did one of the seven duties at a school. No student is named."""

    officer = models.ForeignKey(Sro, models.PROTECT, related_name="duties")
    school = models.ForeignKey(School, models.PROTECT, related_name="duties")
    on = models.DateField()
    duty = models.CharField(max_length=20, choices=Duty)
    minutes = models.PositiveSmallIntegerField()
    note = models.CharField(max_length=500, blank=True)
    was_untrained = models.BooleanField(
        default=False,
        help_text="The officer was not yet trained for this duty on that day",
    )
    logged_at = models.DateTimeField()
    logged_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    struck_at = models.DateTimeField(null=True, blank=True)
    struck_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = DutyQuerySet.as_manager()

    class Meta:
        ordering = ["-on", "-pk"]
        indexes = [
            # used by: the duty log of an officer and of a school, newest first
            models.Index(fields=["officer", "-on"], name="duty_by_officer"),
            models.Index(fields=["school", "-on"], name="duty_by_school"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes__gte=1, minutes__lte=1440),
                name="a_duty_takes_a_minute_to_a_day",
            ),
            models.CheckConstraint(
                condition=Q(struck_at=None, struck_by=None)
                | Q(struck_at__isnull=False, struck_by__isnull=False),
                name="a_struck_duty_says_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(was_untrained=False)
                | Q(duty__in=["drill_advice", "vulnerabilities"]),
                name="only_two_duties_wait_for_training",
            ),
        ]
