"""manage.py rehearsal_press: the press inside a rehearsal. `rehearse` calls it."""

import json
import os
import sys
import uuid
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from notifications import dispatch, drafting
from notifications.drafting import Draft, Said
from notifications.models import Alert, Mode
from safety_portal.rehearsal.portal import RehearsalFailed, must_stay_home
from schools.models import School, User
from schools.permissions import Permission, roles_with
from schools.protocols import Protocol


class Command(BaseCommand):
    help = "Press the alert of a rehearsal; started by `rehearse`, refuses elsewhere."

    def handle(self, *args: Any, **options: Any) -> None:
        wish = json.loads(sys.stdin.read())
        if wish["folder"] != str(settings.VAR) or not settings.DEMO:
            raise CommandError("This is not the portal of a rehearsal.")
        try:
            must_stay_home(os.environ)
        except RehearsalFailed as refusal:
            raise CommandError(str(refusal)) from refusal
        alert, found = press(wish)
        self.stdout.write(
            json.dumps(
                {
                    "alert": alert.pk,
                    "public_id": alert.public_id,
                    "by": alert.created_by.name,
                    "schools": [school.name for school in alert.schools.all()],
                    "people": found.people,
                    "texts": found.texts,
                    "emails": found.emails,
                    "unreachable": found.unreachable,
                    "seconds": found.seconds,
                }
            )
        )


def press(wish: dict[str, Any]) -> tuple[Alert, Any]:
    """Draft and press a live lockdown; the alert and its read-back."""
    now = timezone.now()
    schools, whole_district = _schools(wish["school"])
    by = _person(wish["by"], schools, whole_district)
    form_key = uuid.uuid4()
    words = drafting.starting_words(
        key=Protocol.LOCKDOWN,
        mode=Mode.LIVE,
        schools=schools,
        form_key=form_key,
        now=now,
        next_update_by=drafting.default_next_update(now),
    )
    alert = drafting.save_draft(
        draft=Draft(
            form_key=form_key,
            kind=Alert.Kind.FIRST,
            mode=Mode.LIVE,
            audience=Alert.Audience.STAFF_AND_FAMILIES,
            schools=schools,
            # As long as in the real portal: the link's length is part of the cost.
            texts={
                code: _linking_to(said, wish["public_url"])
                for code, said in words.items()
            },
            protocol=Protocol.LOCKDOWN,
            whole_district=whole_district,
        ),
        by=by,
        now=now,
    )
    found = drafting.read_back(alert)
    dispatch.press(
        alert=alert,
        version=alert.version,
        typed=alert.people_read_back,
        by=by,
        now=timezone.now(),
    )
    return alert, found


def _linking_to(said: Said, public_url: str) -> Said:
    def changed(text: str) -> str:
        return text.replace(settings.PUBLIC_URL, public_url)

    return Said(
        changed(said.sms), changed(said.subject), changed(said.body), said.is_checked
    )


def _schools(code: str) -> tuple[list[School], bool]:
    """The school that was named, or one to name while everyone is told."""
    every = School.objects.open()
    if code:
        found = list(every.filter(code=code))
        if not found:
            raise CommandError(f"There is no school {code}.")
        return found, False
    first = every.filter(level=School.Level.HIGH).first() or every.first()
    if first is None:
        raise CommandError("There is no school to rehearse for.")
    return [first], True


def _person(email: str, schools: list[School], whole_district: bool) -> User:
    """Who presses: the person named, or the first who may."""
    people = User.objects.filter(
        is_active=True, memberships__role__in=roles_with(Permission.SEND_ALERTS)
    ).order_by("pk")
    if email:
        people = people.filter(email__iexact=email)
    for person in people.distinct():
        try:
            drafting.may_alert(person, schools, whole_district=whole_district)
        except drafting.NotYours:
            continue
        return person
    raise CommandError("Nobody here may send this alert; name somebody with --by.")
