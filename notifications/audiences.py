"""Who should hear an alert: one SQL source for the read-back and for the rows.

An address is told once, however many students stand behind it; which ones is kept
beside it (`why`). An address we must not or cannot use gets a row too, with its reason,
so that totals reconcile and nobody is silently missed.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import ceil

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from notifications.models import Alert, Channel, Sender, State, Tally
from schools.models.today import date_there_sql
from schools.permissions import DISTRICT_ROLES

ASSUMED_LATENCY = 0.1
"""Seconds a provider takes to answer, where we have not measured: estimates only."""


def _joined(expression: str) -> str:
    """The distinct values of a group, comma between."""
    if connection.vendor == "postgresql":
        return f"string_agg(DISTINCT {expression}, ',')"
    return f"group_concat(DISTINCT {expression})"


_NAMED = "SELECT school_id FROM notifications_alertschool WHERE alert_id = %(alert)s"
_DISTRICT_ROLES = ", ".join(f"'{role.value}'" for role in sorted(DISTRICT_ROLES))

# An officer is told while the role lasts, even on a day without a valid agreement: who
# may stand in the building hears of danger. An agency's supervisor is at no school.
_STAFF = f"""
    SELECT u.id AS person_id, CAST(NULL AS bigint) AS guardian_id, u.language,
           c.channel, c.address, '' AS unusable,
           COALESCE(m.school_id, 0) || ':staff' AS why, 0 AS priority
    FROM schools_membership m
    JOIN schools_user u ON u.id = m.user_id AND u.is_active
    JOIN (SELECT id, 'sms' AS channel, mobile AS address FROM schools_user
          WHERE mobile <> ''
          UNION ALL SELECT id, 'email', email FROM schools_user) c ON c.id = u.id
    LEFT JOIN schools_school ms ON ms.id = m.school_id
    WHERE m.started_on <= {{today}} AND (m.ended_on IS NULL OR m.ended_on > {{today}})
      AND (m.role IN ({_DISTRICT_ROLES}) OR m.school_id IN ({{schools}}))
"""

_FAMILIES = """
    SELECT CAST(NULL AS bigint) AS person_id, g.id AS guardian_id, g.language,
           CASE c.kind WHEN 'phone' THEN 'sms' WHEN 'email' THEN 'email'
                ELSE 'by_hand' END AS channel,
           COALESCE(c.address, 'guardian ' || g.id) AS address,
           CASE WHEN c.id IS NULL THEN 'no_address'
                ELSE c.unusable_because END AS unusable,
           s.school_id || ':' || s.id AS why, {priority} AS priority
    FROM schools_student s
    JOIN schools_guardianship gs ON gs.student_id = s.id AND gs.barred_on IS NULL
    JOIN schools_guardian g ON g.id = gs.guardian_id AND g.left_on IS NULL
    LEFT JOIN schools_contactpoint c ON c.guardian_id = g.id
    WHERE s.left_on IS NULL AND s.school_id IN ({schools})
"""

_OTHERS = f"""
    SELECT id FROM schools_school WHERE closed_on IS NULL AND id NOT IN ({_NAMED})
"""

_SIBLING_SCHOOLS = f"""
    SELECT DISTINCT s2.school_id FROM schools_student s1
    JOIN schools_guardianship g1 ON g1.student_id = s1.id
    JOIN schools_guardianship g2 ON g2.guardian_id = g1.guardian_id
    JOIN schools_student s2 ON s2.id = g2.student_id
    WHERE s1.school_id IN ({_NAMED})
"""

_ZONE = """COALESCE(ms.timezone, (SELECT timezone FROM schools_district
                 ORDER BY id LIMIT 1), %(zone)s)"""
"""Where a role's days begin and end: as `MembershipQuerySet.current` has it."""

STAGES = 3
"""0 staff · 1 families of the named schools · 2 the rest of the district."""


def stages(alert: Alert) -> list[int]:
    """The stages this alert's list is made in."""
    found = [0]
    if alert.audience == Alert.Audience.STAFF_AND_FAMILIES:
        found.append(1)
        if alert.whole_district:
            found.append(2)
    return found


def _source(alert: Alert, stage: int) -> str:
    """One row per person, address and reason to be told; not yet one per address."""
    if stage == 0:
        everyone = "SELECT id FROM schools_school"
        return _STAFF.format(
            schools=everyone if alert.whole_district else _NAMED,
            today=date_there_sql(_ZONE, "%(now)s"),
        )
    if stage == 1:
        return _FAMILIES.format(schools=_NAMED, priority="1")
    nearer = f"CASE WHEN s.school_id IN ({_SIBLING_SCHOOLS}) THEN 2 ELSE 3 END"
    return _FAMILIES.format(schools=_OTHERS, priority=nearer)


def _params(alert: Alert) -> dict[str, int | str | datetime]:
    """What the SQL of `_source` and `_per_address` asks for."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    return {
        "alert": alert.pk,
        "stream": alert.stream,
        "now": now,
        "zone": settings.TIME_ZONE,
    }


def _per_address(source: str) -> str:
    """One row per channel and address, with the state it starts in and why."""
    return f"""
    SELECT x.channel, x.address, min(x.language) AS language,
           min(x.priority) AS priority, min(x.guardian_id) AS guardian_id,
           min(x.person_id) AS person_id, {_joined("x.why")} AS why,
           CASE WHEN min(CASE WHEN x.unusable = '' THEN 0 ELSE 1 END) = 1
                THEN max(x.unusable)
                ELSE COALESCE(max(p.reason), '') END AS reason
    FROM ({source}) x
    LEFT JOIN notifications_suppression p
      ON p.channel = x.channel AND p.address = x.address AND p.stream = %(stream)s
    GROUP BY x.channel, x.address
    """


def insert_deliveries(alert: Alert, stage: int) -> Counter[tuple[str, str]]:
    """Make the rows of one stage that are not there yet; (channel, state) → how many.

    Mode and the cancelled state come from the alert's own row in the same statement.
    Safe to run again at any point.
    """
    recipient = "staff" if stage == 0 else "family"
    sql = f"""
    INSERT INTO notifications_delivery (alert_id, mode, recipient, channel, address,
        language, priority, state, reason, attempts, fence, provider_sid, guardian_id,
        person_id, why)
    SELECT a.id, a.mode, '{recipient}', d.channel, d.address, d.language, d.priority,
           CASE WHEN d.reason <> '' THEN 'skipped'
                WHEN a.state = 'cancelled' THEN 'cancelled'
                WHEN a.superseded_at IS NOT NULL THEN 'superseded'
                ELSE 'queued' END,
           d.reason, 0, 0, '', d.guardian_id, d.person_id, d.why
    FROM ({_per_address(_source(alert, stage))}) d
    JOIN notifications_alert a ON a.id = %(alert)s
    WHERE true
    ORDER BY d.priority, d.address
    ON CONFLICT (alert_id, channel, address) DO NOTHING
    RETURNING channel, state
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, _params(alert))
        return Counter(cursor.fetchall())


@dataclass(frozen=True)
class ReadBack:
    """Who would get an alert, before it is sent. Counts are of addresses, but for
    `people` and `unreachable`, which are persons."""

    people: int = 0
    staff: int = 0
    guardians: int = 0
    texts: int = 0
    emails: int = 0
    stopped: int = 0
    unusable: int = 0
    unreachable: int = 0
    languages: dict[str, int] = field(default_factory=dict)
    segments: int = 0
    cost: Decimal = Decimal(0)
    seconds: int = 0

    @property
    def minutes(self) -> str:
        """Time to the last text as m:ss."""
        return f"{self.seconds // 60}:{self.seconds % 60:02}"


def read_back(alert: Alert, segments_of: dict[str, int]) -> ReadBack:
    """Count an alert's audience without making a row.

    `segments_of` gives the segments of the text by language; English stands in for a
    language that has none. Rows are counted once per address over all stages, the
    way `insert_deliveries` makes them.
    """
    source = " UNION ALL ".join(_source(alert, stage) for stage in stages(alert))
    params = _params(alert)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT channel, language, reason, count(*)"
            f" FROM ({_per_address(source)}) d GROUP BY channel, language, reason",
            params,
        )
        groups = cursor.fetchall()
        cursor.execute(_PEOPLE.format(source=source), params)
        guardians, staff, reached = cursor.fetchone()
    counts = Counter[str]()
    languages = Counter[str]()
    segments = 0
    for channel, language, reason, n in groups:
        if reason == "stopped":
            counts["stopped"] += n
        elif reason and channel != Channel.BY_HAND:
            counts["unusable"] += n
        elif not reason:
            counts[channel] += n
            if channel == Channel.SMS:
                languages[language] += n
                segments += n * segments_of.get(language, segments_of.get("en", 1))
    senders = {s.channel: s for s in Sender.objects.filter(stream=alert.stream)}
    sender = senders.get(Channel.SMS)
    return ReadBack(
        people=guardians + staff,
        staff=staff,
        guardians=guardians,
        texts=counts[Channel.SMS],
        emails=counts[Channel.EMAIL],
        stopped=counts["stopped"],
        unusable=counts["unusable"],
        unreachable=guardians + staff - reached,
        languages=dict(languages.most_common()),
        segments=segments,
        cost=segments * sender.price if sender else Decimal(0),
        seconds=max(
            _seconds(alert, counts[Channel.SMS], segments, sender),
            _seconds(
                alert,
                counts[Channel.EMAIL],
                counts[Channel.EMAIL],
                senders.get(Channel.EMAIL),
            ),
        ),
    )


def _seconds(alert: Alert, rows: int, segments: int, sender: Sender | None) -> int:
    """Until the last row, behind what other alerts have waiting at the same sender.

    What waits of this alert's own emergency does not count: newer words replace it.
    """
    if sender is None or not rows:
        return 0
    others = Alert.objects.going_out().filter(stream=alert.stream)
    if alert.emergency_id:
        others = others.exclude(emergency=alert.emergency_id)
    waiting = Tally.objects.filter(
        alert__in=others, channel=sender.channel, state=State.QUEUED
    )
    ahead = waiting.aggregate(n=Sum("count"))["n"] or 0
    longer = (rows + ahead) / rows
    return seconds_to_last(ceil(segments * longer), rows + ahead, sender)


_PEOPLE = """
    SELECT count(DISTINCT x.guardian_id), count(DISTINCT x.person_id),
           count(DISTINCT CASE WHEN x.unusable = '' AND p.id IS NULL
                               THEN x.guardian_id END)
           + count(DISTINCT CASE WHEN x.unusable = '' AND p.id IS NULL
                                 THEN x.person_id END)
    FROM ({source}) x
    LEFT JOIN notifications_suppression p
      ON p.channel = x.channel AND p.address = x.address AND p.stream = %(stream)s
"""


def seconds_to_last(segments: int, texts: int, sender: Sender | None) -> int:
    """An honest estimate of the time to the last one: the slower of pace and line."""
    if sender is None or not texts:
        return 0
    by_line = texts * ASSUMED_LATENCY / sender.in_flight
    by_pace = segments / sender.per_second if sender.per_second else 0
    return ceil(max(by_line, by_pace))


@dataclass(frozen=True)
class Unreached:
    """A person no channel works for, with whom the school must speak itself."""

    name: str
    because: str
    why: str
    addresses: str


def unreachable(alert: Alert) -> Iterator[Unreached]:
    """Guardians of an alert's audience for whom no address works, before sending."""
    source = " UNION ALL ".join(_source(alert, n) for n in stages(alert) if n > 0)
    if not source:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
    SELECT g.name, max(COALESCE(p.reason, x.unusable)), {_joined("x.why")},
           {_joined("x.address")}
    FROM ({source}) x
    JOIN schools_guardian g ON g.id = x.guardian_id
    LEFT JOIN notifications_suppression p
      ON p.channel = x.channel AND p.address = x.address AND p.stream = %(stream)s
    GROUP BY g.id, g.name
    HAVING max(CASE WHEN x.unusable = '' AND p.id IS NULL THEN 1 ELSE 0 END) = 0
    ORDER BY g.name
    """,
            _params(alert),
        )
        for row in cursor.fetchall():
            yield Unreached(*row)
