"""Students' households and the guardians we call."""

from django.db import models
from django.db.models import Q

from .places import School


class Stream(models.TextChoices):
    """What a text or email is for; each has its own sender and its own opt-out."""

    EMERGENCY = "emergency", "Emergency alerts"
    ROUTINE = "routine", "Notices about drills and safety"


class Household(models.Model):
    """People who live together and are called about the same students."""

    external_id = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=120, blank=True)

    def __str__(self) -> str:
        return self.name or self.external_id


class Student(models.Model):
    """A student at one school; leaves by date, never by deletion."""

    external_id = models.CharField(max_length=80, unique=True)
    household = models.ForeignKey(
        Household, models.SET_NULL, null=True, blank=True, related_name="students"
    )
    school = models.ForeignKey(School, models.PROTECT, related_name="students")
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    grade = models.CharField(max_length=8, blank=True)
    left_on = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [
            # used by: audiences, to find the students of a school
            models.Index(
                fields=["school"], condition=Q(left_on=None), name="enrolled_by_school"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name}"


class Guardian(models.Model):
    """An adult we call about a student; leaves by date, never by deletion."""

    external_id = models.CharField(max_length=80, unique=True)
    household = models.ForeignKey(
        Household, models.SET_NULL, null=True, blank=True, related_name="guardians"
    )
    name = models.CharField(max_length=160)
    language = models.CharField(max_length=8, default="en")
    left_on = models.DateField(null=True, blank=True)
    students = models.ManyToManyField(
        Student, through="Guardianship", related_name="guardians"
    )

    def __str__(self) -> str:
        return self.name


class Guardianship(models.Model):
    """A guardian of a student; barred where a court order says so."""

    student = models.ForeignKey(
        Student, models.CASCADE, related_name="guardianships", db_index=False
    )
    guardian = models.ForeignKey(Guardian, models.CASCADE, related_name="guardianships")
    relationship = models.CharField(max_length=40, blank=True)
    barred_on = models.DateField(
        null=True, blank=True, help_text="Must not be told about this student since"
    )
    barred_because = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["student", "guardian"], name="one_guardianship_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(barred_on=None, barred_because="")
                | (Q(barred_on__isnull=False) & ~Q(barred_because="")),
                name="a_bar_has_a_date_and_a_reason",
            ),
        ]


class ContactPoint(models.Model):
    """One phone number (E.164) or email address (lower case) of a guardian."""

    class Kind(models.TextChoices):
        PHONE = "phone", "Phone"
        EMAIL = "email", "Email"

    guardian = models.ForeignKey(
        Guardian, models.CASCADE, related_name="contact_points", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind)
    address = models.CharField(max_length=254)
    position = models.PositiveSmallIntegerField(default=0, help_text="0 is tried first")
    verified_at = models.DateTimeField(null=True, blank=True)
    unusable_at = models.DateTimeField(null=True, blank=True)
    unusable_because = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["guardian", "kind", "address"],
                name="one_contact_point_per_guardian_and_address",
            ),
            models.CheckConstraint(
                condition=Q(unusable_at=None, unusable_because="")
                | (Q(unusable_at__isnull=False) & ~Q(unusable_because="")),
                name="an_unusable_address_has_a_moment_and_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(kind="email", address__contains="@")
                | Q(kind="phone", address__startswith="+"),
                name="phones_are_e164_and_emails_have_an_at",
            ),
        ]
        indexes = [
            # used by: flagging a number a carrier refused; inbound STOP
            models.Index(fields=["address"], name="contact_points_by_address"),
        ]

    def __str__(self) -> str:
        return self.address


class StreamOptOut(models.Model):
    """A guardian's wish not to receive a stream. Emergencies have no such wish:
    schools may text them without consent (FCC 16-88); a carrier's STOP is another
    matter and lives with the sender."""

    guardian = models.ForeignKey(Guardian, models.CASCADE, related_name="opt_outs")
    stream = models.CharField(max_length=16, choices=Stream)
    opted_out_at = models.DateTimeField()
    opted_out_by = models.CharField(max_length=120, help_text="Who told us, in words")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["guardian", "stream"], name="one_opt_out_per_stream"
            ),
            models.CheckConstraint(
                condition=~Q(stream=Stream.EMERGENCY),
                name="nobody_opts_out_of_emergencies",
            ),
        ]
