"""The Crisis Response team: who can come, what they can do, and when they cannot."""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone
from phonenumber_field.modelfields import PhoneNumberField

from .partners import Agency
from .people import User
from .places import School

LANGUAGES: dict[str, str] = dict(settings.LANGUAGES) | {
    "sw": "Swahili",
    "kar": "Karen",
    "fr": "French",
    "ase": "American Sign Language",
}
"""What members may speak: more than the portal itself is written in."""


class Weekday(models.TextChoices):
    MONDAY = "monday", "Monday"
    TUESDAY = "tuesday", "Tuesday"
    WEDNESDAY = "wednesday", "Wednesday"
    THURSDAY = "thursday", "Thursday"
    FRIDAY = "friday", "Friday"
    SATURDAY = "saturday", "Saturday"
    SUNDAY = "sunday", "Sunday"

    @classmethod
    def of(cls, day: date) -> "Weekday":
        """The weekday of a date."""
        return list(cls)[day.weekday()]


class Skill(models.Model):
    """Something a member can do when called: counselling, translation, logistics …"""

    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=60)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="one_skill_per_key"),
        ]

    def __str__(self) -> str:
        return self.name


class TeamMemberQuerySet(models.QuerySet["TeamMember"]):
    """The vocabulary of the roster and of a call-out."""

    def active(self, on: date) -> "TeamMemberQuerySet":
        """On the team that day."""
        return self.filter(active_from__lte=on).filter(
            Q(active_to=None) | Q(active_to__gte=on)
        )

    def away(self, on: date, until: date | None = None) -> "TeamMemberQuerySet":
        """Away on a day, or on any day from `on` to `until`."""
        return self.filter(Exists(_absences(on, until or on)))

    def here(self, on: date) -> "TeamMemberQuerySet":
        """Not away that day."""
        return self.exclude(Exists(_absences(on, on)))

    def available_at(self, moment: datetime) -> "TeamMemberQuerySet":
        """On the team, not away, and within the hours they gave, if they gave any."""
        local = timezone.localtime(moment)
        hours = AvailableHours.objects.filter(member=OuterRef("pk"))
        now = hours.filter(
            weekday=Weekday.of(local.date()),
            begins__lte=local.time(),
            ends__gt=local.time(),
        )
        free = self.active(local.date()).here(local.date())
        return free.filter(~Exists(hours) | Exists(now))

    def with_skill(self, *keys: str) -> "TeamMemberQuerySet":
        """Who have every one of these skills."""
        found = self
        for key in keys:
            found = found.filter(
                Exists(TeamMember.skills.through.objects.filter(
                    teammember=OuterRef("pk"), skill__key=key
                ))
            )  # fmt: skip
        return found

    def speaking(self, *languages: str) -> "TeamMemberQuerySet":
        """Who speak any of these languages."""
        return self.filter(
            Exists(
                SpokenLanguage.objects.filter(
                    member=OuterRef("pk"), language__in=languages
                )
            )
        )

    def nearest_to(self, school: School) -> "TeamMemberQuerySet":
        """Annotated with `nearness` and ordered by it, then by name.

        0 at the school itself, 1 in its municipality, 2 in its county, 3 elsewhere or
        unknown. The portal knows no coordinates, so this is as near as it can say.
        """
        county = Q(home_school__county=school.county) & ~Q(home_school__county="")
        return self.annotate(
            nearness=Case(
                When(home_school=school, then=Value(0)),
                When(home_school__municipality=school.municipality, then=Value(1)),
                When(county, then=Value(2)),
                default=Value(3),
            )
        ).order_by("nearness", "name", "pk")

    def with_details(self) -> "TeamMemberQuerySet":
        """What a list of members shows, in a fixed number of queries."""
        return self.select_related("agency", "home_school", "user").prefetch_related(
            "skills", "languages", "absences", "hours"
        )


class TeamMember(models.Model):
    """One person who can be called: ours, or an outside partner of an agency.

    Notes say how to work with somebody, never anything about a person's health.
    """

    user = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="team_memberships",
        help_text="The person who signs in; they keep their own availability",
    )
    agency = models.ForeignKey(
        Agency,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="team_members",
        help_text="For an outside partner",
    )
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    mobile = PhoneNumberField()
    second_phone = PhoneNumberField(blank=True)
    home_school = models.ForeignKey(
        School, models.SET_NULL, null=True, blank=True, related_name="team_members"
    )
    skills = models.ManyToManyField(Skill, related_name="members", blank=True)
    active_from = models.DateField()
    active_to = models.DateField(null=True, blank=True)
    leads = models.BooleanField(
        default=False, help_text="Called first; calls the others on the phone tree"
    )
    notes = models.CharField(max_length=300, blank=True)

    objects = TeamMemberQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(user__isnull=False),
                name="one_team_member_per_person",
            ),
            models.CheckConstraint(
                condition=~Q(mobile=""), name="a_team_member_can_be_called"
            ),
            models.CheckConstraint(
                condition=Q(active_to=None) | Q(active_to__gte=F("active_from")),
                name="a_team_member_leaves_after_joining",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """How the audit log names this member."""
        return f"team_member:{self.pk}"

    @property
    def speaks(self) -> list[str]:
        """Languages in words, in the order of the alphabet."""
        return sorted(
            LANGUAGES.get(one.language, one.language) for one in self.languages.all()
        )

    def absence_on(self, day: date) -> "Absence | None":
        """The absence that covers a day; reads what `with_details` fetched."""
        return next(
            (one for one in self.absences.all() if one.begins_on <= day <= one.ends_on),
            None,
        )


class SpokenLanguage(models.Model):
    """A language a member can work in, not one learned at school once."""

    member = models.ForeignKey(TeamMember, models.CASCADE, related_name="languages")
    language = models.CharField(max_length=8, help_text="A key of LANGUAGES")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "language"], name="a_language_is_spoken_once"
            ),
        ]


class AvailableHours(models.Model):
    """Hours of a weekday in which a member can come; none given means at any hour."""

    member = models.ForeignKey(TeamMember, models.CASCADE, related_name="hours")
    weekday = models.CharField(max_length=9, choices=Weekday)
    begins = models.TimeField()
    ends = models.TimeField(help_text="Not included")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "weekday"], name="one_span_of_hours_per_weekday"
            ),
            models.CheckConstraint(
                condition=Q(ends__gt=F("begins")), name="hours_end_after_they_begin"
            ),
        ]


class Absence(models.Model):
    """Days on which a member cannot be called, both included. Never a reason."""

    member = models.ForeignKey(TeamMember, models.CASCADE, related_name="absences")
    begins_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        ordering = ["begins_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("begins_on")),
                name="an_absence_ends_after_it_begins",
            ),
        ]


def _absences(on: date, until: date) -> models.QuerySet[Absence]:
    return Absence.objects.filter(
        member=OuterRef("pk"), begins_on__lte=until, ends_on__gte=on
    )
