"""“Before you send”: who would get this, what stands in the way, what was sent last."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from notifications import dispatch, drafting, emergencies
from notifications.audiences import ReadBack
from notifications.models import (
    Alert,
    Channel,
    Emergency,
    EmergencySchool,
    Sender,
)
from notifications.views.composing import Sheet
from notifications.views.in_words import (
    LANGUAGE_NAMES,
    Status,
    number,
    press_label,
)
from schools.models import School, Stream

LATELY = timedelta(hours=24)
ALIKE_FOR_UP_TO = 6
"""Schools chosen, beyond which nobody reads look-alikes; they read the names."""


@dataclass(frozen=True)
class Alike:
    """A school that was chosen, and another that it is not."""

    school: str
    other: str
    place: str


@dataclass
class Before:
    """The panel beside the compose form. Without `alert` nothing was read back yet."""

    health: list[Status]
    alert: Alert | None = None
    read_back: ReadBack | None = None
    lately: list[Alert] = field(default_factory=list)
    under_way: Alert | None = None
    refusal: str = ""
    theirs: Alert | None = None
    sent_already: Alert | None = None
    missing: list[str] = field(default_factory=list)
    still_on: list[Emergency] = field(default_factory=list)
    typed: str = ""

    @property
    def must_type(self) -> bool:
        return bool(self.alert and dispatch.must_type_number(self.alert))

    @property
    def second_person(self) -> bool:
        return bool(self.alert and dispatch.needs_second_person(self.alert))

    @property
    def press_label(self) -> str:
        if self.alert is None:
            return ""
        return press_label(self.alert, second_person=self.second_person)

    @property
    def people(self) -> str:
        return number(self.read_back.people) if self.read_back else ""

    @property
    def cost(self) -> str:
        """US dollars, the cents only where they matter."""
        cost = self.read_back.cost if self.read_back else Decimal(0)
        return f"$ {cost:,.0f}" if cost >= 10 else f"$ {cost:.2f}"

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """Icon, words and number of each line under the tiles."""
        found = self.read_back
        if found is None:
            return []
        lines = [
            ("chat-dots", "Text", found.texts),
            ("envelope", "Email", found.emails),
            ("slash-circle", "Texts blocked by STOP, email instead", found.stopped),
        ]
        if found.unusable:
            lines.append(("x-circle", "Numbers and emails of no use", found.unusable))
        return [(icon, words, number(n)) for icon, words, n in lines]

    @property
    def unreachable(self) -> str:
        return number(self.read_back.unreachable) if self.read_back else ""

    @property
    def languages(self) -> list[tuple[str, str]]:
        """Language and how many texts go out to its readers."""
        found = self.read_back.languages if self.read_back else {}
        return [
            (LANGUAGE_NAMES.get(code, code), number(n)) for code, n in found.items()
        ]


def dispatcher(now: datetime) -> list[Status]:
    """Whether what we send will leave: the workers, and senders that are paused."""
    workers = dispatch.workers_seen(now=now)
    found = []
    if dispatch.sending_is_staffed(now=now):
        plural = "" if len(workers) == 1 else "s"
        word = f"Dispatcher running · {len(workers)} worker{plural}"
        found.append(Status("ok", word))
    elif workers:
        missing = "text" if Channel.SMS not in workers else "email"
        word = f"No {missing} dispatcher seen for 20 s — your {missing}s will wait"
        found.append(Status("bad", word))
    else:
        word = "No dispatcher seen for 20 s — your alert will wait"
        found.append(Status("bad", word))
    senders = {s.channel: s for s in Sender.objects.filter(stream=Stream.EMERGENCY)}
    for channel, words in ((Channel.SMS, "Texts"), (Channel.EMAIL, "Emails")):
        sender = senders.get(channel)
        if sender is None:
            found.append(Status("bad", f"{words} cannot leave: no sender is set up"))
        elif sender.paused_at:
            found.append(Status("bad", f"{words} are paused: {sender.paused_because}"))
    return found


def nothing_yet(sheet: Sheet) -> Before:
    """The panel before a read-back: what is still missing, in words."""
    missing = []
    if not sheet.key:
        missing.append("Choose what people should do.")
    if not sheet.schools:
        missing.append("Choose which schools.")
    if sheet.key and sheet.schools and not (sheet.english and sheet.english.said.sms):
        missing.append("Write the alert in English.")
    for errors in sheet.form.errors.as_data().values():
        for error in errors:
            if error.code != "required":
                missing += error.messages
    return Before(health=dispatcher(sheet.now), missing=missing)


def read_back(sheet: Sheet, alert: Alert) -> Before:
    """The panel of a draft that was saved."""
    under_way = None
    if alert.kind == Alert.Kind.FIRST:
        emergency = emergencies.ongoing(sheet.schools, alert.protocol, alert.mode)
        under_way = emergency and emergency.alerts.sent().order_by("-pk").first()
    return Before(
        health=dispatcher(sheet.now),
        alert=alert,
        read_back=drafting.read_back(alert),
        lately=list(sent_lately(sheet.schools, sheet.now)[:4]),
        under_way=under_way or None,
        still_on=list(still_on(alert)) if alert.kind == Alert.Kind.ALL_CLEAR else [],
    )


def still_on(alert: Alert) -> QuerySet[Emergency]:
    """Other emergencies under way at an all clear's schools: it would not be clear."""
    schools = EmergencySchool.objects.filter(
        school__in=alert.schools.all(), mode=alert.mode, ended_at=None
    )
    return (
        Emergency.objects.filter(pk__in=schools.values("emergency"))
        .exclude(alerts=alert)
        .order_by("declared_at")
    )


def sent_lately(schools: list[School], now: datetime) -> QuerySet[Alert]:
    """What was sent to these schools within a day, the newest first."""
    return (
        Alert.objects.sent()
        .filter(schools__in=schools, released_at__gte=now - LATELY)
        .select_related("released_by")
        .distinct()
        .order_by("-released_at")
    )


def look_alikes(schools: list[School]) -> list[Alike]:
    """For each chosen school, the others that it could be mistaken for."""
    if len(schools) > ALIKE_FOR_UP_TO:
        return []
    chosen = {school.pk for school in schools}
    return [
        Alike(school.name, other.name, other.municipality)
        for school in schools
        for other in School.objects.look_alikes(school)
        if other.pk not in chosen
    ][:8]
