"""The standard words: what a person has checked, new versions, and the check itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Count
from django.db.models.functions import Length
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from notifications import alert_templates, drafting, wording
from notifications.alert_templates import ENGLISH, LIFE_SAFETY
from notifications.forms import PARTS, WordingCheckForm, WordingForm
from notifications.models import Alert, AlertTemplate
from notifications.segments import SegmentCount, segments, to_gsm7_friendly
from notifications.views.in_words import Status
from schools.access import person, requires
from schools.models import Guardian, School
from schools.permissions import Permission
from schools.protocols import Hazard, Protocol

MEANINGS = {
    "school": "the school, or the schools, the alert is about",
    "time": "the time of day it is sent",
    "link": "the address of the page that families read",
    "next_update": "the time of day the next update is promised for",
    "place": "where people go",
    "hazard": "what the hazard is",
}
EXAMPLE_PLACE = "Pioneer Park, gate B"
EXAMPLE_SCHOOL = "Example High School"  # until the district has a school
CHANGED = (
    "The words changed while you read. Read them again, then mark them as checked."
)


@dataclass(frozen=True)
class Cell:
    """One text in one language, as the table shows it."""

    key: str
    title: str
    template: AlertTemplate | None
    status: Status

    @property
    def is_english_in_danger(self) -> bool:
        """True where families get English in danger for want of a checked text."""
        return self.key in LIFE_SAFETY and self.status.kind in ("warn", "bad")


@dataclass(frozen=True)
class Row:
    """One language of the table; `guardians` is how many are addressed in it."""

    language: wording.Language
    cells: list[Cell]
    guardians: int

    @property
    def checked(self) -> int:
        return sum(cell.status.kind == "ok" for cell in self.cells)

    @property
    def in_english(self) -> int:
        return sum(cell.is_english_in_danger for cell in self.cells)


@dataclass(frozen=True)
class Filled:
    """A text as it would arrive, filled with example values."""

    sms: str
    subject: str
    body: str
    count: SegmentCount

    @property
    def limit(self) -> int:
        """Characters that fit in the segments it takes."""
        return self.count.characters + self.count.left

    @property
    def is_long(self) -> bool:
        return self.count.segments > 1

    @property
    def why(self) -> str:
        dear = self.count.encoding == "UCS-2"
        return "its letters take more room than plain ones" if dear else ""


@dataclass(frozen=True)
class Text:
    """The newest words of one key and language, and everything before them."""

    key: str
    language: wording.Language
    english: AlertTemplate
    versions: list[AlertTemplate]

    @property
    def newest(self) -> AlertTemplate:
        return self.versions[0]

    @property
    def is_english(self) -> bool:
        return self.language.code == ENGLISH

    @property
    def status(self) -> Status:
        return status_of(self.newest, self.english)

    @property
    def waits_for_check(self) -> bool:
        return not self.is_english and self.status.kind != "ok"


@requires(Permission.CHECK_WORDING)
@require_safe
@never_cache
def wordings(request: HttpRequest) -> HttpResponse:
    """Every text in every language, and which of them a person has checked."""
    found = {(each.key, each.language): each for each in AlertTemplate.objects.newest()}
    readers = _readers()
    rows = [_row(language, found, readers) for language in wording.LANGUAGES]
    translations = [row for row in rows if row.language.code != ENGLISH]
    unheard = [row for row in translations if row.in_english]
    return render(
        request,
        "wording/table.html",
        {
            "rows": rows,
            "titles": [title_of(key) for key in wording.KINDS],
            "is_empty": not found,
            "checked": sum(row.checked for row in translations),
            "total": sum(len(row.cells) for row in translations),
            "in_english": sum(row.in_english for row in translations),
            "unheard": unheard,
            "guardians": sum(row.guardians for row in unheard),
        },
    )


@requires(Permission.CHECK_WORDING)
@require_http_methods(["GET", "POST"])
@never_cache
def wording_edit(request: HttpRequest, key: str, language: str) -> HttpResponse:
    """One text beside the English: write it anew, read it filled in, look back."""
    text = _text_or_404(key, language)
    if request.method == "GET":
        return _page(request, text)
    form = WordingForm(request.POST, language=text.language)
    if not form.is_valid():
        return _page(request, text, form, status=422)
    words = {part: form.cleaned_data[part] for part in PARTS}
    if request.POST.get("do") == "preview":
        _complain(form, alert_templates.faults_in(key=key, language=language, **words))
        return _page(request, text, form)
    read = AlertTemplate(
        key=key, language=language, version=form.cleaned_data["version"] or 0
    )
    try:
        made = alert_templates.revise(
            template=read, **words, by=person(request), now=timezone.now()
        )
    except alert_templates.WordingRefused as refusal:
        _complain(form, refusal.faults)
        return _page(request, text, form, status=422)
    except alert_templates.NewerWords as refusal:
        form.add_error(None, str(refusal))
        # What stands there now may be younger than what this page was made from.
        text = _text_or_404(key, language)
        return _page(request, text, form, newer=text.newest, status=409)
    except alert_templates.NothingNew as same:
        messages.info(request, str(same))
        return redirect("wording_edit", key, language)
    messages.success(request, f"Saved as version {made.version}.")
    return redirect("wording_edit", key, language)


@requires(Permission.CHECK_WORDING)
@require_http_methods(["GET", "POST"])
@never_cache
def wording_check(request: HttpRequest, key: str, language: str) -> HttpResponse:
    """Write down that the person who asks has read a translation and stands by it."""
    # Read before the words are: English that changes from here on makes the check old.
    now = timezone.now()
    text, user = _text_or_404(key, language), person(request)
    if request.method == "GET":  # somebody reloaded, or signed in again
        return redirect("wording_edit", key, language)
    if text.is_english:
        messages.info(request, "English needs no check: it is what others translate.")
        return redirect("wording_edit", key, language)
    check = WordingCheckForm(request.POST, name=user.name, language=text.language)
    if not check.is_valid():
        return _page(request, text, check=check, status=422)
    read = (check.cleaned_data["version"], check.cleaned_data["english_version"])
    if read != (text.newest.version, text.english.version):
        messages.error(request, CHANGED)
        return redirect("wording_edit", key, language)
    try:
        alert_templates.mark_checked(template=text.newest, by=user, now=now)
    except alert_templates.AlreadyChecked as refusal:
        messages.info(request, str(refusal))
        return redirect("wording_edit", key, language)
    where = f"{title_of(key)} in {text.language.english_name}"
    messages.success(request, f"{where} is marked as checked by {user.name}.")
    return redirect("wording")


def title_of(key: str) -> str:
    """What a text is for, in a word or two."""
    if key in Protocol.values:
        return str(Protocol(key).label)
    return str(Alert.Kind(key).label)


def status_of(template: AlertTemplate | None, english: AlertTemplate | None) -> Status:
    """Whether a person has checked a text, and what families get if not."""
    if template is None:
        return Status("bad", "No words: English is used")
    if template.language == ENGLISH:
        return Status("ok", "Needs no check")
    if template.checked_at is None:
        if template.key in LIFE_SAFETY:
            return Status("warn", "Not checked: English is used")
        return Status("warn", "Not checked, used all the same")
    if english and english.created_at > template.checked_at:
        return Status("uncertain", "Checked, English changed since")
    return Status("ok", "Checked")


def example(
    words: Mapping[str, str], language: wording.Language, *, now: datetime
) -> Filled | None:
    """The words as they would arrive; None while their blanks cannot be filled.

    The school is the one with the longest name, for that is what makes a text dear.
    """
    school = School.objects.open().order_by(Length("name").desc(), "pk").first()
    name, zone = EXAMPLE_SCHOOL, timezone.get_default_timezone_name()
    if school:
        name, zone = school.name, school.timezone
    local = now.astimezone(ZoneInfo(zone))
    page = Alert(public_id="Ab3dEf7hJ")
    values = {
        "school": name,
        "time": drafting.clock(local, language.code),
        "place": EXAMPLE_PLACE,
        "hazard": str(Hazard.TORNADO_WARNING.label).lower(),
        "next_update": drafting.clock(
            drafting.default_next_update(local), language.code
        ),
        "link": page.public_url(language.code),
    }
    try:
        sms, subject, body = (wording.fill(words[part], **values) for part in PARTS)
    except wording.UnfilledPlaceholder:
        return None
    sms = to_gsm7_friendly(sms)
    return Filled(sms, subject, body, segments(sms))


def _row(
    language: wording.Language,
    found: Mapping[tuple[str, str], AlertTemplate],
    readers: Mapping[str, int],
) -> Row:
    cells = []
    for key in wording.KINDS:
        template = found.get((key, language.code))
        status = status_of(template, found.get((key, ENGLISH)))
        cells.append(Cell(key, title_of(key), template, status))
    return Row(language, cells, readers.get(language.code, 0))


def _readers() -> dict[str, int]:
    """How many guardians are addressed in each language."""
    here = Guardian.objects.filter(left_on=None).order_by()
    return dict(here.values_list("language").annotate(people=Count("pk")))


def _text_or_404(key: str, code: str) -> Text:
    language = next((one for one in wording.LANGUAGES if one.code == code), None)
    if key not in wording.KINDS or language is None:
        raise Http404
    of_key = AlertTemplate.objects.filter(key=key).order_by("-version")
    versions = list(of_key.filter(language=code))
    english = of_key.filter(language=ENGLISH).first()
    if not versions or english is None:
        raise Http404
    return Text(key, language, english, versions)


def _complain(form: WordingForm, faults: Mapping[str, list[str]]) -> None:
    """Put each fault beside its field."""
    for part, why in faults.items():
        for fault in why:
            form.add_error(part, fault)
        form.fields[part].widget.attrs["class"] = "form-control is-invalid"


def _page(
    request: HttpRequest,
    text: Text,
    form: WordingForm | None = None,
    *,
    check: WordingCheckForm | None = None,
    newer: AlertTemplate | None = None,
    status: int = 200,
) -> HttpResponse:
    now, user = timezone.now(), person(request)
    saved = {part: getattr(text.newest, part) for part in PARTS}
    typed = {part: form.data.get(part, "") for part in PARTS} if form else saved
    english = {part: getattr(text.english, part) for part in PARTS}
    needed = {
        part: alert_templates.needed_blanks(
            text.key, part, english=None if text.is_english else text.english
        )
        for part in PARTS
    }
    is_typed = any(typed[part].split() != saved[part].split() for part in PARTS)
    shown = form or WordingForm(initial=saved, language=text.language)
    context: dict[str, Any] = {
        "text": text,
        "title": title_of(text.key),
        "is_life_safety": text.key in LIFE_SAFETY,
        "form": shown,
        "parts": [(shown[part], english[part], needed[part]) for part in PARTS],
        "check": check or WordingCheckForm(name=user.name, language=text.language),
        "may_check": text.waits_for_check and not is_typed,
        "is_typed": is_typed,
        # A page keeps the version it was made from until the person saw a newer one.
        "based_on": (
            form.data.get("version", "") if form and not newer else text.newest.version
        ),
        "newer": newer,
        "blanks": [
            (name, MEANINGS[name], name in wording.OPTIONAL)
            for name in alert_templates.blanks_of(text.key)
        ],
        "filled": example(typed, text.language, now=now),
        "filled_english": example(english, wording.LANGUAGES[0], now=now),
        "direction": "rtl" if text.language.rtl else "ltr",
    }
    return render(request, "wording/edit.html", context, status=status)
