"""Making the list of recipients, alone in a process, on the database it is given.

    python -m tests.bench.apart tests.bench.lists ROWS ROUNDS

Prints one JSON object: seconds of reading back, pressing and making the list, a round
each. Nobody sends: the alert is cancelled once its rows are counted.
"""

import json
import time

from django.core.management import call_command
from django.utils import timezone

from notifications import dispatch, drafting, emergencies
from notifications.materialising import materialise_next
from notifications.models import Alert, Channel
from tests.bench import seeding
from tests.bench.product import draft_for


def main(words: list[str]) -> None:
    """Measure and print."""
    rows, rounds = map(int, words)
    call_command("migrate", verbosity=0)
    district = seeding.make_district(rows, in_flight=100, mails=0, sessions=1)
    found: dict[str, list[float]] = {"read_back": [], "press": [], "list": []}
    for _ in range(rounds):
        seeding.tidy()
        for name, seconds in one_round(district, rows).items():
            found[name].append(seconds)
    print(json.dumps(found))


def one_round(district: seeding.District, rows: int) -> dict[str, float]:
    """One alert to everybody: what each step took, in seconds."""
    by = district.presser
    began = time.perf_counter()
    alert = drafting.save_draft(
        draft=draft_for([district.affected], whole_district=True),
        by=by,
        now=timezone.now(),
    )
    read_back = time.perf_counter()
    alert = dispatch.press(
        alert=alert,
        version=alert.version,
        typed=alert.people_read_back,
        by=by,
        now=timezone.now(),
    )
    pressed = time.perf_counter()
    while materialise_next(alert.pk, now=timezone.now()):
        pass
    listed = time.perf_counter()
    made = alert.deliveries.filter(channel=Channel.SMS).count()
    if made != rows:
        raise AssertionError(f"{made} rows for {rows} guardians")
    dispatch.cancel(alert=alert, by=by, now=timezone.now())
    emergency = Alert.objects.get(pk=alert.pk).emergency
    emergencies.end(emergency=emergency, by=by, now=timezone.now())
    return {
        "read_back": read_back - began,
        "press": pressed - read_back,
        "list": listed - pressed,
    }
