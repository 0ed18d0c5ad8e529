"""What the tests of the standard words share."""

from django.utils import timezone

from notifications.alert_templates import PARTS, revise
from notifications.models import AlertTemplate
from tests import cast


def newest(key: str = "lockdown", language: str = "es") -> AlertTemplate:
    return AlertTemplate.objects.newest().get(key=key, language=language)


def words_of(template: AlertTemplate, **changed: str) -> dict[str, str]:
    return {part: getattr(template, part) for part in PARTS} | changed


def save_new(template: AlertTemplate, **changed: str) -> AlertTemplate:
    words = words_of(template, **changed)
    return revise(template=template, **words, by=cast.ines(), now=timezone.now())
