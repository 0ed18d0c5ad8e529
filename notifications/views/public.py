"""What families read about an alert, without an account, in their language."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from notifications import wording
from notifications.drafting import clock
from notifications.models import Alert, AlertText
from schools.access import public

SECONDS_KEPT = 5
"""How long a page may be kept: 80,000 families open it within minutes."""

PROTOCOLS = {
    "hold": (_("Hold"), _("Stay in rooms, halls clear")),
    "secure": (
        _("Secure"),
        _("Threat outside: everyone inside, outer doors locked"),
    ),
    "lockdown": (_("Lockdown"), _("Threat inside: locked, out of sight, silent")),
    "evacuate": (_("Evacuate"), _("Moving to a safe place")),
    "shelter": (_("Shelter"), _("Taking shelter from a hazard")),
}
KINDS = {
    Alert.Kind.UPDATE: _("Update"),
    Alert.Kind.CORRECTION: _("Correction"),
    Alert.Kind.ALL_CLEAR: _("All clear"),
}


@dataclass(frozen=True)
class Said:
    """One alert of the thread in the reader's language, or in English."""

    alert: Alert
    text: AlertText
    language: str
    is_english: bool
    at: str
    next_update: str

    @property
    def kind(self) -> str:
        """Update, correction or all clear; empty for the first alert."""
        return str(KINDS.get(Alert.Kind(self.alert.kind), ""))

    @property
    def english_instead(self) -> bool:
        """True where a reader of another language gets English words."""
        return self.language != "en" and self.is_english

    @property
    def body(self) -> str:
        """What the email says, without the way to the page one is reading."""
        here = self.alert.public_url()
        paragraphs = self.text.body.replace("\r\n", "\n").split("\n\n")
        return "\n\n".join(each for each in paragraphs if here not in each)


@public(because="Families read alerts without an account; a text links here.")
@require_safe
def alert_public(
    request: HttpRequest, public_id: str, language: str = "en"
) -> HttpResponse:
    """The thread of an emergency, the newest words first. May be kept for seconds."""
    known = {each.code: each for each in wording.LANGUAGES}
    if language not in known:
        return redirect("alert_public", public_id)
    with translation.override(language):
        response = _thread(request, public_id.lower()[:32], known[language])
    response.headers["Content-Language"] = language
    patch_cache_control(response, public=True, max_age=SECONDS_KEPT)
    return response


def _thread(
    request: HttpRequest, public_id: str, language: wording.Language
) -> HttpResponse:
    sent = Alert.objects.sent().select_related("emergency")
    # Made of letters and digits; PostgreSQL refuses some of what a link may hold.
    named = public_id.isascii() and public_id.isalnum()
    found = sent.filter(public_id=public_id).first() if named else None
    frame = {
        "page_lang": language.code,
        "page_dir": "rtl" if language.rtl else "ltr",
        "languages": wording.LANGUAGES,
        "language": language,
        "public_id": public_id,
    }
    if found is None:
        return render(request, "public/unknown.html", frame, status=404)
    schools = list(found.schools.all())
    zone = ZoneInfo(schools[0].timezone if schools else settings.TIME_ZONE)
    thread = _said(_alerts_for(found), language.code, zone)
    protocol, meaning = PROTOCOLS.get(found.protocol, ("", ""))
    newest = thread[0] if thread else None
    is_over = bool(found.emergency and found.emergency.ended_at)
    context = frame | {
        "alert": found,
        "schools": schools,
        "protocol": protocol,
        "meaning": meaning,
        "newest": newest,
        "earlier": thread[1:],
        "is_over": is_over,
        "tone": "ok" if is_over else f"p-{found.protocol}",
        "corrected": any(s.alert.kind == Alert.Kind.CORRECTION for s in thread[:-1]),
    }
    return render(request, "public/alert.html", context)


def _alerts_for(found: Alert) -> list[Alert]:
    """What readers of this alert may read: staff's words stay with staff's link."""
    if found.emergency_id is None:
        return [found]
    thread = Alert.objects.sent().filter(emergency=found.emergency_id)
    if found.audience != Alert.Audience.STAFF:
        thread = thread.filter(
            Q(audience=Alert.Audience.STAFF_AND_FAMILIES) | Q(pk=found.pk)
        )
    return list(thread.order_by("-released_at", "-pk"))


def _said(alerts: list[Alert], language: str, zone: ZoneInfo) -> list[Said]:
    texts: dict[int, dict[str, AlertText]] = {}
    for text in AlertText.objects.filter(
        alert__in=alerts, language__in=(language, "en")
    ):
        texts.setdefault(text.alert_id, {})[text.language] = text
    said = []
    for alert in alerts:
        spoken = texts.get(alert.pk, {})
        english = spoken.get("en")
        found = spoken.get(language) or english
        if found and alert.released_at:
            said.append(
                Said(
                    alert,
                    found,
                    language,
                    found is english
                    or (not found.is_checked and _same(found, english)),
                    _at(alert.released_at, language, zone),
                    _at(alert.next_update_by, language, zone),
                )
            )
    return said


def _same(text: AlertText, english: AlertText | None) -> bool:
    """True where English stands in under another language's name."""
    return english is not None and text.subject == english.subject


def _at(moment: datetime | None, language: str, zone: ZoneInfo) -> str:
    return clock(moment.astimezone(zone), language) if moment else ""
