"""The roof as a Django app, so that it can hold management commands."""

from django.apps import AppConfig

from safety_portal.celery import app


class SafetyPortalConfig(AppConfig):
    name = "safety_portal"
    verbose_name = "Safety Portal"
    celery_app = app
    """Made when Django starts, so that every doorbell rings at our broker."""
