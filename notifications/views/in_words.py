"""States, reasons and numbers the way people say them. No decision is taken here."""

from dataclasses import dataclass

from notifications import wording
from notifications.models import Alert, Delivery, Mode, State
from schools.protocols import Protocol


@dataclass(frozen=True)
class Status:
    """One status: its kind (ok, warn, bad, idle, uncertain) and its words."""

    kind: str
    word: str


LANGUAGE_NAMES = {each.code: each.english_name for each in wording.LANGUAGES}

REASONS = {
    "": "",
    "stopped": "Replied STOP to our texts",
    "no_address": "No phone or email on file",
    "newer_words": "A newer message took its place",
    "invalid_number": "Not a phone number",
    "21211": "Not a phone number",
    "21408": "Texts to this region are not allowed",
    "21610": "Replied STOP to our texts",
    "21612": "The carrier cannot reach this number",
    "21614": "Not a mobile phone",
    "not_a_mobile": "Not a mobile phone",
    "not_reachable": "The carrier cannot reach this number",
    "unknown_number": "Nobody has this number",
    "landline": "A landline: it takes no texts",
    "30003": "Phone off or out of reach",
    "30004": "Blocked by the carrier",
    "30005": "Nobody has this number",
    "30006": "A landline: it takes no texts",
    "30007": "Stopped by the carrier’s filter",
    "30008": "The carrier does not say why",
    "no_such_mailbox": "No such mailbox",
    "550": "No such mailbox",
    "553": "No such mailbox",
    "5.1.0": "No such mailbox",
    "5.1.1": "No such mailbox",
    "5.1.2": "No such domain",
    "5.1.3": "Not an email address",
    "5.1.6": "The mailbox has moved",
    "5.1.10": "No such domain",
    "5.2.1": "The mailbox is closed",
    "5.2.2": "The mailbox is full",
    "5.4.4": "No such domain",
    "5.7.1": "The mail server refused it",
    "4.4.7": "The mail server gave up trying",
    "no_such_domain": "No such domain",
    "not_an_address": "Not an email address",
    "worker_lost": "We stopped while it was leaving",
}


def reason(code: str) -> str:
    """Why an address was not reached; the carrier's own code where we know no words."""
    if code in REASONS:
        return REASONS[code]
    spoken = code.replace("_", " ")
    return f"Code {code}" if code.isdigit() else spoken.capitalize()


def delivery_state(row: Delivery) -> str:
    """A delivery's state; claimed and sending rows are still waiting to the reader."""
    return str(State(row.state).label)


def number(n: int) -> str:
    """A count with its thousands set apart."""
    return f"{n:,}"


def time_left(seconds: int | None) -> str:
    """How long until the last waiting address is handed over."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(seconds, 1)} s left"
    return f"about {round(seconds / 60)} min left"


def alert_state(alert: Alert, *, is_open: bool) -> Status:
    """Where an alert stands. Never “finished” while anything is still ours to do."""
    state = Alert.State(alert.state)
    if state is Alert.State.CANCELLED:
        word = "Cancelled, the last ones are being settled" if is_open else "Cancelled"
        return Status("warn", word)
    if state in (Alert.State.DRAFT, Alert.State.AWAITING_APPROVAL):
        return Status("warn", state.label)
    if state is Alert.State.FROZEN:
        return Status("bad", state.label)
    if is_open:
        word = "Making the list" if state is Alert.State.RELEASED else "Going out now"
        return Status("idle", word)
    return Status("ok", "All accounted for")


def what(alert: Alert) -> str:
    """What an alert is, in two or three words: “Lockdown · Update”."""
    if not alert.protocol:
        return "Check of the line"
    protocol = Protocol(alert.protocol).label
    if alert.kind == Alert.Kind.FIRST:
        return str(protocol)
    return f"{protocol} · {alert.get_kind_display()}"


def loud(alert: Alert) -> str:
    """What is being said, as the press says it: LOCKDOWN, ALL CLEAR."""
    if alert.kind == Alert.Kind.FIRST and alert.protocol:
        return str(Protocol(alert.protocol).label).upper()
    return alert.get_kind_display().upper()


def press_label(alert: Alert, *, second_person: bool) -> str:
    """The words on the button that sends."""
    if second_person:
        return f"Ask a second person to send {loud(alert)}"
    if alert.mode == Mode.EXERCISE:
        return f"Send {loud(alert)} exercise to staff"
    if alert.mode == Mode.TEST:
        return f"Send {loud(alert)} test to staff"
    return f"Send {loud(alert)} alert now"


def mode_words(mode: str, audience: str) -> str:
    """Who receives a live alert that is for staff only; empty for the usual words."""
    if mode == Mode.LIVE and audience == Alert.Audience.STAFF:
        return "staff will receive this"
    return ""


def told(alert: Alert) -> str:
    """To whom an alert went, beside its mode."""
    if alert.mode == Mode.EXERCISE:
        return "practice, staff only"
    if alert.mode == Mode.TEST:
        return "check of the line, staff only"
    if alert.audience == Alert.Audience.STAFF:
        return "staff only"
    return "staff and families"
