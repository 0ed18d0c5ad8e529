"""The agencies that stand beside the schools, and their officers."""

from django.db import models
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

    class Meta:
        verbose_name_plural = "agencies"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Sro(models.Model):
    """A school resource officer: an agency's officer who works in one school.

    Source: Minn. Stat. 626.8482. Most schools have none; that is a normal state.
    """

    name = models.CharField(max_length=120)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="sros")
    school = models.ForeignKey("schools.School", models.CASCADE, related_name="sros")
    phone = PhoneNumberField()
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = "school resource officer"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_on__isnull=True)
                | models.Q(ended_on__gte=models.F("started_on")),
                name="an_officer_leaves_after_starting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.agency})"
