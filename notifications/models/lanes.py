"""The way out: senders, the lanes that serve them, and the workers behind."""

from django.db import models
from django.db.models import Q

from schools.models import Stream

from .delivery import Channel


class Sender(models.Model):
    """Whose name a text or email carries, how fast it may go, and whether it is paused.

    Emergencies have a sender of their own, so that a STOP to routine notices does not
    silence them.
    """

    channel = models.CharField(max_length=8, choices=Channel)
    stream = models.CharField(max_length=16, choices=Stream)
    identity = models.CharField(
        max_length=254, help_text="E.164 number, messaging service or email address"
    )
    in_flight = models.PositiveSmallIntegerField(
        default=100, help_text="Requests at once, for the whole account"
    )
    per_second = models.PositiveIntegerField(
        default=0, help_text="Segments or emails a second; 0 is as fast as it goes"
    )
    price = models.DecimalField(
        max_digits=8, decimal_places=5, default=0, help_text="US dollars a segment"
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_because = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "stream"], name="one_sender_per_channel_and_stream"
            ),
            models.CheckConstraint(
                condition=Q(paused_at=None, paused_because="")
                | (Q(paused_at__isnull=False) & ~Q(paused_because="")),
                name="a_paused_sender_says_when_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} from {self.identity}"


class Lane(models.Model):
    """The right to send on a channel, leased to one worker at a time.

    `epoch` is the fencing token: it rises with every lease, and every write a worker
    makes names the epoch it was given.
    """

    channel = models.CharField(max_length=8, choices=Channel, primary_key=True)
    epoch = models.BigIntegerField(default=0)
    holder = models.CharField(max_length=120, default="", blank=True)
    held_until = models.DateTimeField(null=True)
    progressed_at = models.DateTimeField(null=True)


class Worker(models.Model):
    """A sending process and when it last wrote that it lives."""

    name = models.CharField(max_length=120, unique=True)
    channel = models.CharField(max_length=8, choices=Channel)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()


class Suppression(models.Model):
    """An address a sender must not use: the person said STOP, or the carrier did."""

    channel = models.CharField(max_length=8, choices=Channel)
    stream = models.CharField(max_length=16, choices=Stream)
    address = models.CharField(max_length=254)
    reason = models.CharField(max_length=40)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "stream", "address"],
                name="an_address_is_suppressed_once_per_sender",
            ),
        ]
