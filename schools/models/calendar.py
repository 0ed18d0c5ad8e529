"""When school is: years, terms, special days, bells, and the secret feed."""

from datetime import date
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from schools.day_kinds import SHIFTED, DayKind, Layer, PatternKind, TermKind, clock

from .people import User
from .places import District, School


class SchoolYearQuerySet(models.QuerySet["SchoolYear"]):
    def covering(self, on: date) -> "SchoolYearQuerySet":
        """The year a date falls into, if it is in term time."""
        return self.filter(starts_on__lte=on, ends_on__gte=on)

    def overlapping(self, first: date, last: date) -> "SchoolYearQuerySet":
        """Years that share a date with a span."""
        return self.filter(starts_on__lte=last, ends_on__gte=first)

    def to_show(self, today: date) -> "SchoolYear | None":
        """The year people mean today: running, else the next, else the last."""
        coming = self.filter(ends_on__gte=today).order_by("starts_on").first()
        return coming or self.order_by("-starts_on").first()


class SchoolYear(models.Model):
    """One year of the district, from the students' first day to their last."""

    district = models.ForeignKey(District, models.CASCADE, related_name="school_years")
    name = models.CharField(max_length=40)
    starts_on = models.DateField(help_text="The students’ first day")
    ends_on = models.DateField(help_text="The students’ last day")

    objects = SchoolYearQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["district", "name"], name="a_school_year_has_a_name_of_its_own"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="a_school_year_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """What the audit log calls this year."""
        return f"school_year:{self.pk}"


class Term(models.Model):
    """A part of a school year, such as “Semester 1”."""

    school_year = models.ForeignKey(SchoolYear, models.CASCADE, related_name="terms")
    kind = models.CharField(max_length=12, choices=TermKind)
    name = models.CharField(max_length=40)
    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        ordering = ["starts_on", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["school_year", "name"], name="a_term_has_a_name_of_its_own"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="a_term_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SpecialDayQuerySet(models.QuerySet["SpecialDay"]):
    def between(self, first: date, last: date) -> "SpecialDayQuerySet":
        """Special days from `first` to `last`, both included."""
        return self.filter(on__gte=first, on__lte=last)

    def at(self, school: School) -> "SpecialDayQuerySet":
        """Those that touch a school: its own and the district's."""
        return self.filter(Q(school=school) | Q(school=None))

    def planned(self) -> "SpecialDayQuerySet":
        """Those that were entered with the year."""
        return self.filter(layer=Layer.PLANNED)

    def called(self) -> "SpecialDayQuerySet":
        """Those that were called on short notice."""
        return self.filter(layer=Layer.CALLED)


class SpecialDay(models.Model):
    """A date that is not like the others, at one school or (no school) everywhere.

    `minutes` ends an early release that long before the regular dismissal, or starts a
    late start that long after the regular bell; `at` gives the time itself. With
    neither, the school's own bells for such a day count.
    """

    district = models.ForeignKey(District, models.CASCADE, related_name="special_days")
    school = models.ForeignKey(
        School, models.CASCADE, null=True, blank=True, related_name="special_days"
    )
    on = models.DateField()
    kind = models.CharField(max_length=16, choices=DayKind)
    layer = models.CharField(max_length=8, choices=Layer, default=Layer.PLANNED)
    reason = models.CharField(max_length=120)
    minutes = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(600)],
    )
    at = models.TimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = SpecialDayQuerySet.as_manager()

    class Meta:
        ordering = ["on", "school__name", "layer"]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "on", "layer"],
                condition=Q(school__isnull=False),
                name="a_schools_day_is_special_once_per_layer",
            ),
            models.UniqueConstraint(
                fields=["district", "on", "layer"],
                condition=Q(school=None),
                name="the_districts_day_is_special_once_per_layer",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="a_special_day_says_why"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DayKind.values, layer__in=Layer.values),
                name="a_special_day_is_of_a_known_kind",
            ),
            models.CheckConstraint(
                condition=Q(minutes=None, at=None)
                | Q(kind__in=sorted(SHIFTED), minutes=None)
                | Q(kind__in=sorted(SHIFTED), at=None),
                name="only_a_shifted_day_has_other_hours_and_one_rule_for_them",
            ),
            models.CheckConstraint(
                condition=Q(minutes=None) | Q(minutes__gte=1, minutes__lte=600),
                name="a_day_is_shifted_by_minutes_not_days",
            ),
        ]
        indexes = [
            # used by: every question about a span of days, for all schools at once
            models.Index(fields=["on"], name="special_days_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.on}: {self.words}"

    @property
    def subject(self) -> str:
        """What the audit log calls this day."""
        return f"day:{self.on}:{self.school.code if self.school else 'district'}"

    @property
    def words(self) -> str:
        """“Early release, 120 minutes early: conferences”."""
        how = ""
        early = self.kind == DayKind.EARLY_RELEASE
        if self.minutes:
            how = f", {self.minutes} minutes {'early' if early else 'late'}"
        elif self.at:
            how = f", {'until' if early else 'from'} {clock(self.at)}"
        return f"{self.get_kind_display()}{how}: {self.reason}"

    def as_data(self) -> dict[str, Any]:
        """The row as the audit log keeps it."""
        return {
            "date": self.on,
            "kind": self.kind,
            "layer": self.layer,
            "school": self.school.code if self.school else None,
            "reason": self.reason,
            "minutes": self.minutes,
            "time": self.at,
        }


class BellSchedule(models.Model):
    """A school's bells from a date on, until its next schedule comes into force."""

    school = models.ForeignKey(School, models.CASCADE, related_name="bell_schedules")
    from_on = models.DateField(help_text="In force from this date on")
    tier = models.CharField(
        max_length=40, blank=True, help_text="The start tier its buses run in"
    )

    class Meta:
        ordering = ["school__name", "from_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "from_on"],
                name="a_school_changes_its_bells_once_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school}, bells from {self.from_on}"


class DayPattern(models.Model):
    """The hours of one kind of day: in session from `starts_at`, before `ends_at`."""

    schedule = models.ForeignKey(BellSchedule, models.CASCADE, related_name="patterns")
    kind = models.CharField(max_length=16, choices=PatternKind)
    starts_at = models.TimeField()
    ends_at = models.TimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "kind"],
                name="a_schedule_has_one_pattern_of_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="a_day_pattern_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        hours = f"{clock(self.starts_at)}–{clock(self.ends_at)}"
        return f"{self.get_kind_display()} {hours}"


class Period(models.Model):
    """One lesson, lunch or recess inside a day pattern."""

    pattern = models.ForeignKey(DayPattern, models.CASCADE, related_name="periods")
    name = models.CharField(max_length=40)
    starts_at = models.TimeField()
    ends_at = models.TimeField()

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["pattern", "starts_at"], name="one_period_starts_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="a_period_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {clock(self.starts_at)}–{clock(self.ends_at)}"


class CalendarFeed(models.Model):
    """The secret link of a school's iCal feed; only a keyed hash of it is kept."""

    school = models.OneToOneField(School, models.CASCADE, related_name="calendar_feed")
    token_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"Feed of {self.school}"
