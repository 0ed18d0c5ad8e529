"""An alert and a row per recipient, as a first draft of such a portal has them."""

from django.db import models


class Alert(models.Model):
    body = models.TextField()


class Delivery(models.Model):
    alert = models.ForeignKey(Alert, models.CASCADE)
    address = models.CharField(max_length=254)
    status = models.CharField(max_length=12, default="pending")
    sid = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True)
