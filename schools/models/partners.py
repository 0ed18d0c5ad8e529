"""The agencies that stand beside the schools, and what was agreed."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from phonenumber_field.modelfields import PhoneNumberField


class Agency(models.Model):
    """Police, sheriff, municipality, county or community partner."""

    class Kind(models.TextChoices):
        POLICE = "police", "Police department"
        SHERIFF = "sheriff", "Sheriff's office"
        MUNICIPALITY = "municipality", "Municipality"
        COUNTY = "county", "County"
        COMMUNITY_PARTNER = "community_partner", "Community partner"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    dispatch_phone = PhoneNumberField(help_text="Non-emergency dispatch; never 911")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="agencies_owned",
        help_text="Who in the district looks after the agreement",
    )

    class Meta:
        verbose_name_plural = "agencies"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def valid(self, on: date | models.Expression) -> "AgreementQuerySet":
        """Agreements in force on a date: begun, not run out, not ended early."""
        return self.filter(starts_on__lte=on, ends_on__gte=on).filter(
            Q(ended_on=None) | Q(ended_on__gt=on)
        )

    def covering(self, school: "models.Model | F") -> "AgreementQuerySet":
        """Agreements on this school (or a reference to one), or on every school."""
        inside = (
            models.OuterRef(school) if isinstance(school, models.OuterRef) else school
        )
        named = Agreement.schools.through._default_manager.filter(
            Q(agreement=models.OuterRef("pk"), school=inside)
        )
        return self.filter(Q(covers_every_school=True) | models.Exists(named))

    def standing(self) -> "AgreementQuerySet":
        """Agreements that nobody has ended early or renewed."""
        return self.filter(ended_on=None, renewal=None)


class Agreement(models.Model):
    """The contract with an agency. What its people may see here ends with it.

    In force from `starts_on` through `ends_on`; a contract given up goes out of force
    at the midnight in which `ended_on` begins. Source for officers in schools:
    Minn. Stat. 626.8482.
    """

    agency = models.ForeignKey(
        Agency, models.PROTECT, related_name="agreements", db_index=False
    )
    number = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=160)
    starts_on = models.DateField()
    ends_on = models.DateField()
    covers_every_school = models.BooleanField(default=False)
    schools = models.ManyToManyField(
        "schools.School", blank=True, related_name="agreements"
    )
    signed_on = models.DateField()
    signed_for_district = models.CharField(max_length=120)
    signed_for_agency = models.CharField(max_length=120)
    document_reference = models.CharField(max_length=160, blank=True)
    renewed_from = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="renewal"
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    ended_on = models.DateField(null=True, blank=True)
    ended_because = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    objects = AgreementQuerySet.as_manager()

    class Meta:
        ordering = ["-ends_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="an_agreement_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(
                    ended_on=None, ended_at=None, ended_by=None, ended_because=""
                )
                | (
                    Q(ended_on__isnull=False, ended_at__isnull=False)
                    & Q(ended_by__isnull=False)
                    & ~Q(ended_because="")
                ),
                name="an_early_end_says_when_by_whom_and_why",
            ),
            models.CheckConstraint(
                condition=~Q(signed_for_district="") & ~Q(signed_for_agency=""),
                name="an_agreement_is_signed_by_both_sides",
            ),
            models.CheckConstraint(
                condition=~Q(renewed_from=F("id")),
                name="an_agreement_does_not_renew_itself",
            ),
        ]
        indexes = [
            # used by: who may read today (SchoolQuerySet.covered_for, Membership)
            models.Index(fields=["agency", "ends_on"], name="agreements_by_agency"),
            # used by: the list of what expires when, and its reminders
            models.Index(fields=["ends_on"], name="agreements_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.title}"

    @property
    def subject(self) -> str:
        """What the audit log calls it."""
        return f"agreement:{self.pk}"


class Clause(models.Model):
    """One thing an agreement settles, so that what it is silent on can be seen."""

    class Kind(models.TextChoices):
        DATA_SHARING = "data_sharing", "Data sharing"
        DUTIES = "duties", "Duties of officers"
        TRAINING = "training", "Training"
        EMERGENCY_CONTACT = "emergency_contact", "Radio and emergency contact"
        INSURANCE = "insurance", "Insurance and liability"
        COST = "cost", "Cost"
        TERMINATION_NOTICE = "termination_notice", "Notice before ending"
        OTHER = "other", "Anything else"

    agreement = models.ForeignKey(
        Agreement, models.CASCADE, related_name="clauses", db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind)
    text = models.TextField(max_length=4000)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "kind"], name="one_clause_of_a_kind_per_agreement"
            ),
            models.CheckConstraint(
                condition=~Q(text=""), name="a_clause_says_something"
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class Reminder(models.Model):
    """One warning that an agreement is about to end, made once and emailed once."""

    agreement = models.ForeignKey(
        Agreement, models.CASCADE, related_name="reminders", db_index=False
    )
    days_before = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_to = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-days_before"]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "days_before"],
                name="one_reminder_per_agreement_and_threshold",
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None, sent_to="")
                | (Q(sent_at__isnull=False) & ~Q(sent_to="")),
                name="a_sent_reminder_says_when_and_to_whom",
            ),
        ]
        indexes = [
            # used by: the task that sends what is still to be sent
            models.Index(
                fields=["made_at"],
                condition=Q(sent_at=None),
                name="reminders_to_send",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.days_before} days before {self.agreement}"
