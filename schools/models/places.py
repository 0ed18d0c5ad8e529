"""The district and its schools."""

import re
import zoneinfo
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import models
from phonenumber_field.modelfields import PhoneNumberField

from .partners import Agency, Agreement
from .today import DateThere, date_in


def validate_timezone(name: str) -> None:
    """Refuse a name the IANA time zone database does not know."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is not a time zone, such as America/Chicago.")


class District(models.Model):
    """The organisation; there is one."""

    name = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=2, help_text="Two letters, such as MN")
    timezone = models.CharField(max_length=64, validators=[validate_timezone])

    def __str__(self) -> str:
        return self.name


def district_today(now: datetime) -> date:
    """What day it is for the district; in the portal's own zone before there is one."""
    zone = District.objects.values_list("timezone", flat=True).first()
    return date_in(zone or "", now)


class SchoolQuerySet(models.QuerySet["School"]):
    def open(self) -> "SchoolQuerySet":
        """Schools that have not closed for good."""
        return self.filter(closed_on__isnull=True)

    def covered_for(
        self,
        agencies: "models.QuerySet | models.F | models.Func",
        now: datetime | None = None,
    ) -> "SchoolQuerySet":
        """Schools covered today by a valid agreement with one of these agencies.

        `agencies` is a query of their keys, or a reference to one of a query further
        out. “Today” is each school's own: an agreement ends at its midnight.
        """
        valid = Agreement.objects.valid(DateThere(models.OuterRef("timezone"), now))
        here = valid.covering(models.OuterRef("pk"))
        if isinstance(agencies, models.QuerySet):
            here = here.filter(agency__in=agencies)
        else:
            here = here.filter(agency=agencies)
        return self.filter(models.Exists(here))

    def look_alikes(self, school: "School") -> "SchoolQuerySet":
        """Other schools that share a word of `school`'s name and could be mistaken.

        Words that most names share (“High”, “Elementary” …) do not count.
        """
        words = [w for w in school.name.split() if w not in GENERIC_WORDS]
        alike = models.Q(pk__in=[])
        for word in words:
            alike |= models.Q(name__iregex=rf"(^|[^a-z]){re.escape(word)}([^a-z]|$)")
        return self.open().filter(alike).exclude(pk=school.pk)


GENERIC_WORDS = frozenset(
    "Elementary Middle High School Academy Center Online Program for the of and Arts "
    "Park Creek Lake River Senior Junior Learning Education Technical Community".split()
)


class School(models.Model):
    """One building community."""

    class Level(models.TextChoices):
        ELEMENTARY = "elementary", "Elementary"
        MIDDLE = "middle", "Middle"
        HIGH = "high", "High"
        ALTERNATIVE = "alternative", "Alternative"

    district = models.ForeignKey(District, models.PROTECT, related_name="schools")
    code = models.SlugField(max_length=40, unique=True)
    external_id = models.CharField(max_length=80, blank=True)
    name = models.CharField(max_length=120, unique=True)
    level = models.CharField(max_length=16, choices=Level)
    address = models.CharField(max_length=200, blank=True)
    municipality = models.CharField(max_length=80)
    county = models.CharField(max_length=80, blank=True)
    timezone = models.CharField(max_length=64, validators=[validate_timezone])
    agency = models.ForeignKey(
        Agency, models.SET_NULL, null=True, blank=True, related_name="schools"
    )
    leadership_phone = PhoneNumberField(help_text="Rings in the office all day")
    closed_on = models.DateField(null=True, blank=True)

    objects = SchoolQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                condition=~models.Q(external_id=""),
                name="one_school_per_external_id",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def today(self, now: datetime) -> date:
        """What day it is at this school."""
        return date_in(self.timezone, now)
