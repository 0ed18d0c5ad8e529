"""What happened, by whom, when: rows that cannot be edited or deleted."""

from django.db import models


class AuditEvent(models.Model):
    """One thing that happened. No foreign keys: it outlives what it speaks of.

    Triggers in the database refuse UPDATE and DELETE. `hash` covers the row and
    `previous_hash`, so a row changed from outside breaks the chain.
    """

    at = models.DateTimeField()
    type = models.CharField(max_length=64)
    by_id = models.BigIntegerField(null=True)
    by_name = models.CharField(max_length=160)
    subject = models.CharField(max_length=80, blank=True)
    data = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            # used by: the audit page's filter by kind of event
            models.Index(fields=["type", "-id"], name="audit_by_type"),
            # used by: “what happened to this alert?”
            models.Index(fields=["subject", "-id"], name="audit_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.type} {self.subject}"
