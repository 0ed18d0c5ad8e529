"""One address reached once, and everything we know about how that went."""

from django.db import models
from django.db.models import Q

from schools.models import Guardian, User

from .alert import Alert
from .emergency import Mode


class Channel(models.TextChoices):
    SMS = "sms", "Text"
    EMAIL = "email", "Email"
    BY_HAND = "by_hand", "Reach by hand"


class Recipient(models.TextChoices):
    STAFF = "staff", "Staff"
    FAMILY = "family", "Family"


class State(models.TextChoices):
    """Where a delivery stands. `claimed` may be claimed again; `sending` may be out."""

    QUEUED = "queued", "Waiting"
    CLAIMED = "claimed", "Waiting, next in line"
    SENDING = "sending", "Being sent"
    UNKNOWN = "unknown", "Uncertain, being resolved"
    ACCEPTED = "accepted", "Handed over"
    SENT = "sent", "Sent by the carrier"
    DELIVERED = "delivered", "Delivered"
    SKIPPED = "skipped", "Not sent"
    FAILED = "failed", "Refused"
    UNDELIVERED = "undelivered", "Not delivered"
    EXPIRED = "expired", "Too late to send"
    CANCELLED = "cancelled", "Cancelled"
    SUPERSEDED = "superseded", "Replaced by newer words"
    UNCONFIRMED = "unconfirmed", "Uncertain, not sent again"


OPEN_STATES = (State.QUEUED, State.CLAIMED, State.SENDING, State.UNKNOWN)
"""Still ours to do something about. Everything else is an end, or the carrier's."""

HANDED_OVER = (State.ACCEPTED, State.SENT, State.DELIVERED)

PROVIDER_RANK = {
    State.ACCEPTED: 1,
    State.SENT: 2,
    State.UNDELIVERED: 3,
    State.FAILED: 3,
    State.DELIVERED: 4,
}
"""A provider's word only ever raises the rank: late `sent` never hides `delivered`."""


class Delivery(models.Model):
    """One row per alert, channel and normalised address. Millions of them: narrow."""

    alert = models.ForeignKey(
        Alert, models.PROTECT, related_name="deliveries", db_index=False
    )
    mode = models.CharField(max_length=10, choices=Mode)
    recipient = models.CharField(max_length=8, choices=Recipient)
    channel = models.CharField(max_length=8, choices=Channel)
    address = models.CharField(max_length=254)
    language = models.CharField(max_length=8)
    priority = models.SmallIntegerField(help_text="0 staff, 1 named schools, 2, 3 rest")
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    reason = models.CharField(max_length=40, default="", blank=True)
    attempts = models.SmallIntegerField(default=0)
    fence = models.BigIntegerField(default=0, help_text="Epoch of the lane")
    not_before = models.DateTimeField(null=True)
    provider_sid = models.CharField(max_length=64, default="", blank=True)
    accepted_at = models.DateTimeField(null=True)
    uncertain_at = models.DateTimeField(null=True)
    resent_at = models.DateTimeField(null=True)
    guardian = models.ForeignKey(
        Guardian,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    person = models.ForeignKey(
        User,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    why = models.TextField(
        default="", blank=True, help_text="school:student pairs that put it on the list"
    )

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel", "address"],
                name="one_delivery_per_alert_channel_and_address",
            ),
            models.CheckConstraint(
                condition=Q(mode=Mode.LIVE) | Q(recipient=Recipient.STAFF),
                name="only_live_alerts_reach_families",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("skipped", "failed", "undelivered"))
                | ~Q(reason=""),
                name="an_end_without_delivery_names_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in State]),
                name="a_delivery_is_in_a_known_state",
            ),
        ]
        indexes = [
            # used by: a lane claiming what is next, and “is anything waiting?”
            models.Index(
                fields=["channel", "priority", "id"],
                condition=Q(state="queued"),
                name="deliveries_queued",
            ),
            # used by: recovery after a crash, expiry, “is this alert at its end?”
            models.Index(
                fields=["alert", "channel"],
                condition=Q(state__in=("queued", "claimed", "sending", "unknown")),
                name="deliveries_open",
            ),
            # used by: the list of uncertain deliveries on the alert's page
            models.Index(
                fields=["alert"],
                condition=Q(uncertain_at__isnull=False),
                name="deliveries_uncertain",
            ),
        ]


class Attempt(models.Model):
    """One try at one address and what came of it. Append-only."""

    delivery_id = models.BigIntegerField()
    alert_id = models.BigIntegerField()
    number = models.SmallIntegerField()
    fence = models.BigIntegerField()
    outcome = models.CharField(max_length=16)
    code = models.CharField(max_length=40, default="", blank=True)
    provider_sid = models.CharField(max_length=64, default="", blank=True)
    ended_at = models.DateTimeField()

    class Meta:
        indexes = [
            # used by: the history of one delivery
            models.Index(fields=["delivery_id"], name="attempts_by_delivery"),
        ]


class ProviderEvent(models.Model):
    """What a carrier told us by callback. Append-only; applied in batches."""

    delivery_id = models.BigIntegerField()
    provider_sid = models.CharField(max_length=64)
    status = models.CharField(max_length=16)
    code = models.CharField(max_length=40, default="", blank=True)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # used by: the batch that applies what has not been applied
            models.Index(
                fields=["id"], condition=Q(applied_at=None), name="events_to_apply"
            ),
        ]


class Tally(models.Model):
    """How many deliveries of an alert stand where; kept by each bulk write."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="tallies")
    channel = models.CharField(max_length=8, choices=Channel)
    state = models.CharField(max_length=12, choices=State)
    count = models.IntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel", "state"], name="one_tally_per_state"
            ),
        ]
