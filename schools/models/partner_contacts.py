"""Whom we ring at an agency, and when somebody last tried whether it rings."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from phonenumber_field.modelfields import PhoneNumberField

from .partners import Agency
from .people import User


class PartnerContactQuerySet(models.QuerySet["PartnerContact"]):
    def current(self) -> "PartnerContactQuerySet":
        """Contacts still in use."""
        return self.filter(retired_at=None)

    def with_last_test(self) -> "PartnerContactQuerySet":
        """Annotated with `last_tested_at`, `last_tested_by` and `last_outcome`.

        Tests of a number the contact no longer has do not count.
        """
        last = (
            ContactTest.objects.filter(contact=OuterRef("pk"))
            .filter(Q(contact__phone_since=None) | Q(at__gte=F("contact__phone_since")))
            .order_by("-at", "-pk")
        )
        return self.annotate(
            last_tested_at=Subquery(last.values("at")[:1]),
            last_tested_by=Subquery(last.values("by_name")[:1]),
            last_outcome=Subquery(last.values("outcome")[:1]),
        )

    def due(self, now: datetime, days: int) -> "PartnerContactQuerySet":
        """Current contacts whose last test is no success, or older than `days` days."""
        well = Q(
            last_outcome=ContactTest.Outcome.REACHED,
            last_tested_at__gt=now - timedelta(days=days),
        )
        return self.current().with_last_test().exclude(
            Q(last_outcome__isnull=False) & well
        )  # fmt: skip


class PartnerContact(models.Model):
    """A person or desk of an agency that we ring when we need them."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="partner_contacts")
    name = models.CharField(max_length=120)
    what_for = models.CharField(max_length=120)
    phone = PhoneNumberField()
    phone_since = models.DateTimeField(
        null=True, blank=True, help_text="Since then tests of another number are void"
    )
    email = models.EmailField(blank=True)
    hours = models.CharField(max_length=80, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = PartnerContactQuerySet.as_manager()

    class Meta:
        ordering = ["agency__name", "name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(phone=""), name="a_partner_contact_can_be_rung"
            ),
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None)
                | Q(retired_at__isnull=False, retired_by__isnull=False),
                name="a_retired_contact_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.agency}"

    @property
    def subject(self) -> str:
        """How the audit log names this contact."""
        return f"partner_contact:{self.pk}"


class ContactTest(models.Model):
    """One try whether a contact answers; kept when the one who tried has left."""

    class Outcome(models.TextChoices):
        REACHED = "reached", "Answered"
        NO_ANSWER = "no_answer", "Nobody answered"
        WRONG_NUMBER = "wrong_number", "Wrong number or person"

    contact = models.ForeignKey(PartnerContact, models.CASCADE, related_name="tests")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=120)
    outcome = models.CharField(max_length=16, choices=Outcome)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            # used by: the contacts page and the check "contacts tested"
            models.Index(fields=["contact", "-at"], name="contact_tests_newest_first"),
        ]
