"""What the tests of reach share: families at Lincoln, and what befalls them."""

from datetime import timedelta

from django.utils import timezone

from notifications import reachability
from notifications.models import Suppression
from schools.models import Guardian, Stream
from tests import cast


def family(
    name: str, *, phones: tuple = (), emails: tuple = (), school=None, **fields
) -> Guardian:
    """A guardian at Lincoln with one student of that name."""
    student = cast.make_student(f"{name} Child", school or cast.lincoln())
    return cast.make_guardian(
        name, phones=phones, emails=emails, students=[student], **fields
    )


def counts(*schools) -> dict[int, reachability.SchoolReach]:
    ids = [school.pk for school in schools or (cast.lincoln(),)]
    return {
        one.school_id: one for one in reachability.by_school(ids, now=timezone.now())
    }


def of_lincoln() -> reachability.SchoolReach:
    return counts()[cast.lincoln().pk]


def stop(address: str, stream: str = Stream.EMERGENCY, channel: str = "sms") -> None:
    Suppression.objects.create(
        channel=channel,
        stream=stream,
        address=address,
        reason="stopped",
        since=timezone.now(),
    )


def unusable(guardian: Guardian, because: str = "landline") -> None:
    guardian.contact_points.update(unusable_at=timezone.now(), unusable_because=because)


def confirm(guardian: Guardian, days_ago: int = 0) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    guardian.contact_points.update(verified_at=at)


def get(client, person, path: str):
    client.force_login(person)
    return client.get(path)
