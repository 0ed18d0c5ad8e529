"""The roof as a Django app, so that it can hold management commands."""

from django.apps import AppConfig


class SafetyPortalConfig(AppConfig):
    name = "safety_portal"
    verbose_name = "Safety Portal"
