"""Addresses of the first floor."""

from django.urls import path

from notifications import webhooks

urlpatterns = [
    path("hooks/sms/status/<str:receipt>", webhooks.sms_status, name="sms_status"),
    path("hooks/sms/reply", webhooks.sms_reply, name="sms_reply"),
]
