"""The product itself, pressed: a whole portal under its supervisor sends for real.

The carrier's own counters are the truth about what left, when, and how often.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from notifications import dispatch, drafting, emergencies
from notifications.drafting import Draft, Said
from notifications.models import Alert, Channel, Mode
from schools.models import School
from schools.protocols import Protocol
from tests.bench.meters import PeakMemory, cpu_seconds
from tests.bench.seeding import District, open_mail_school, tidy
from tests.bench.words import TEXT
from tests.live.portal import Portal

WORDS = Said(TEXT, "Lockdown at Lincoln High", TEXT)
SENDING = ("sms", "email")
APP = (*SENDING, "general", "beat", "web")
WELL_BEHAVED = dict.fromkeys(
    (
        *("latency_ms", "jitter_ms", "opted_out_share", "landline_share"),
        *("unreachable_share", "invalid_share", "bounce_share"),
    ),
    0.0,
)
"""What the sandbox's `realistic` day has and a measurement must not."""


class WentWrong(AssertionError):
    """Fewer or more left than should have: a figure from this would be worthless."""


@dataclass(frozen=True)
class Run:
    """One press and what came of it. Seconds count from the press unless said."""

    messages: int
    read_back: float  # seconds of composing and counting, before the press
    answered: float
    first: float
    last: float
    affected: float  # all guardians of the school named first accepted
    finished: float  # every outcome written down, the alert closed
    cpu_app: float  # seconds, from the press to `finished`
    cpu_database: float
    memory: float  # megabytes, peak PSS of the sending workers

    @property
    def per_second(self) -> float:
        """Messages a second, from the press to the last one accepted."""
        return self.messages / self.last

    @property
    def cpu_per_thousand(self) -> float:
        """CPU seconds of the portal and the database for 1,000 messages."""
        return (self.cpu_app + self.cpu_database) / self.messages * 1000


def text_everybody(
    portal: Portal, district: District, *, latency_ms: float, within: float
) -> Run:
    """A live alert to staff and every family, one text each."""
    portal.carrier.config(latency_ms=latency_ms)
    return _press(portal, district, [district.affected], Channel.SMS, True, within)


def mail_families(
    portal: Portal, district: District, *, rtt_ms: float, within: float
) -> Run:
    """A live alert to the families of one school, who have an email and no phone."""
    portal.carrier.config(smtp_rtt_ms=rtt_ms)
    open_mail_school(district, is_open=True)
    try:
        schools = [district.mail_school]
        return _press(portal, district, schools, Channel.EMAIL, False, within)
    finally:
        open_mail_school(district, is_open=False)


def draft_for(schools: Sequence[School], *, whole_district: bool) -> Draft:
    """A lockdown, live, to staff and families."""
    return Draft(
        form_key=uuid.uuid4(),
        kind=Alert.Kind.FIRST,
        mode=Mode.LIVE,
        audience=Alert.Audience.STAFF_AND_FAMILIES,
        schools=schools,
        texts={"en": WORDS},
        protocol=Protocol.LOCKDOWN,
        whole_district=whole_district,
    )


def _press(
    portal: Portal,
    district: District,
    schools: Sequence[School],
    channel: str,
    whole_district: bool,
    within: float,
) -> Run:
    tidy()
    portal.carrier.reset(keep_config=True)
    parts = {name: portal.pid_of(name) for name in (*APP, "postgres")}
    app = [parts[name] for name in APP]
    began = time.time()
    alert = drafting.save_draft(
        draft=draft_for(schools, whole_district=whole_district),
        by=district.presser,
        now=timezone.now(),
    )
    read_back = time.time() - began
    with PeakMemory(parts[name] for name in SENDING) as memory:
        before = cpu_seconds(app), cpu_seconds([parts["postgres"]])
        mine, pressed = time.process_time(), time.time()
        alert = dispatch.press(
            alert=alert,
            version=alert.version,
            typed=alert.people_read_back,
            by=district.presser,
            now=timezone.now(),
        )
        answered = time.time() - pressed
        mine = time.process_time() - mine
        finished = wait_until_finished(alert, pressed, within)
        after = cpu_seconds(app), cpu_seconds([parts["postgres"]])
    emergencies.end(emergency=alert.emergency, by=district.presser, now=timezone.now())
    wanted = alert.deliveries.filter(channel=channel).count()
    counted = portal.carrier.stats()[channel]
    faults = (counted["accepted"] - wanted, counted["duplicates"])
    if faults != (0, 0):
        raise WentWrong(f"{channel}: {wanted} wanted, the carrier has {counted}")
    return Run(
        messages=wanted,
        read_back=read_back,
        answered=answered,
        first=counted["first"] - pressed,
        last=counted["last"] - pressed,
        affected=_last_of(portal, district.affected_numbers, channel) - pressed,
        finished=finished,
        cpu_app=after[0] - before[0] + mine,
        cpu_database=after[1] - before[1],
        memory=memory.megabytes,
    )


def wait_until_finished(alert: Alert, pressed: float, within: float) -> float:
    """Seconds from the press until the portal itself calls the alert finished."""
    while time.time() - pressed < within:
        found = Alert.objects.filter(pk=alert.pk, state=Alert.State.FINISHED)
        if moments := list(found.values_list("finished_at", flat=True)):
            return moments[0].timestamp() - pressed
        time.sleep(0.25)
    raise WentWrong(f"not finished after {within:.0f} s")


def _last_of(portal: Portal, addresses: frozenset[str], channel: str) -> float:
    log = portal.carrier.log(channel=channel)
    return max((float(at) for at, _, to in log if to in addresses), default=0.0)
