"""What a person may type about the calendar: checks, and nothing that writes."""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from schools.actions.bells import PatternWish, PeriodWish
from schools.actions.special_days import DayWish
from schools.day_kinds import (
    CALLABLE,
    SHIFTED,
    DayKind,
    PatternKind,
    TermKind,
    clock,
    is_weekday,
)
from schools.models import BellSchedule, School, SchoolYear, SpecialDay
from schools.roster.cells import CellProblem, plain

MAX_FILE = 1024 * 1024
REASON_LENGTH = 120
PERIOD_LINE = re.compile(
    r"(?P<name>.+?)\s+(?P<starts>\d{1,2}:\d{2})\s*[-–—]\s*(?P<ends>\d{1,2}:\d{2})"
)


def date_field(label: str, **fields: Any) -> forms.DateField:
    """A date with the browser's own picker."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, widget=widget, **fields)


def time_field(label: str, **fields: Any) -> forms.TimeField:
    """A time of day with the browser's own picker."""
    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    return forms.TimeField(label=label, widget=widget, **fields)


class Reason(forms.CharField):
    """A few words for everyone to read; nothing a spreadsheet would run."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(max_length=REASON_LENGTH, **fields)

    def clean(self, value: Any) -> str:
        """Trimmed words on one line."""
        try:
            return plain(super().clean(value), REASON_LENGTH, needed=self.required)
        except CellProblem as problem:
            raise forms.ValidationError(f"This has {problem}.") from problem


class SchoolYearForm(forms.Form):
    """A school year's name and the students' first and last day."""

    name = forms.CharField(
        label="Name", max_length=40, help_text="Such as 2026–27. Everyone sees it."
    )
    starts_on = date_field("Students’ first day")
    ends_on = date_field("Students’ last day")

    def clean(self) -> dict[str, Any]:
        """A year of school days, in order."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("starts_on"), cleaned.get("ends_on")
        if first and last:
            if last <= first:
                self.add_error("ends_on", "The last day comes after the first.")
            elif (last - first).days > 366:
                self.add_error("ends_on", "That is longer than a year.")
        return cleaned


class TermForm(forms.Form):
    """A part of a school year."""

    kind = forms.ChoiceField(label="Kind", choices=TermKind.choices)
    name = forms.CharField(label="Name", max_length=40)
    starts_on = date_field("First day")
    ends_on = date_field("Last day")


class HoursOfADay(forms.Form):
    """The fields that say how an early release or a late start shifts the day."""

    minutes = forms.IntegerField(
        label="Minutes earlier or later",
        required=False,
        min_value=1,
        max_value=600,
        help_text="Early release: that long before the regular end. "
        "Late start: that long after the regular start. 120 is two hours.",
    )
    at = time_field(
        "Or the time itself",
        required=False,
        help_text="When students leave, or when they come.",
    )

    def check_hours(self, cleaned: dict[str, Any], *, needed: bool) -> None:
        """At most one rule for the hours, and none for a day that has its own."""
        kind, minutes, at = (cleaned.get(name) for name in ("kind", "minutes", "at"))
        if kind not in SHIFTED:
            cleaned["minutes"] = cleaned["at"] = None
        elif minutes and at:
            self.add_error("at", "Give the minutes or the time, not both.")
        elif needed and not minutes and at is None and "minutes" not in self.errors:
            self.add_error("minutes", "Say by how many minutes, or give the time.")


class SpecialDayForm(HoursOfADay):
    """A planned day that is not like the others."""

    on = date_field("Date")
    last_on = date_field(
        "Until",
        required=False,
        help_text="For a break of several days: its last one. Weekends are left out.",
    )
    kind = forms.ChoiceField(label="What it is", choices=DayKind.choices)
    reason = Reason(
        label="Why", help_text="Such as “Thanksgiving”. Families read this."
    )
    school = forms.ModelChoiceField(
        label="Where",
        queryset=School.objects.none(),
        required=False,
        empty_label="The whole district",
    )
    field_order = ("on", "last_on", "kind", "reason", "school", "minutes", "at")

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        schools: QuerySet[School],
        everywhere: bool,
        day: SpecialDay | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        """`everywhere`: whether the person may speak for the whole district."""
        if day is not None:
            initial = {
                "on": day.on,
                "kind": day.kind,
                "reason": day.reason,
                "school": day.school_id,
                "minutes": day.minutes,
                "at": day.at,
            }
        super().__init__(data, initial=initial)
        where = self.fields["school"]
        if isinstance(where, forms.ModelChoiceField):
            where.queryset = schools
        where.required = not everywhere
        if day is not None:
            del self.fields["last_on"]
        self.fields["minutes"].help_text = (
            "For an early release or a late start. With neither, each school’s own "
            "bells for such a day count."
        )

    def clean(self) -> dict[str, Any]:
        """Dates in order, and a day that makes a difference."""
        cleaned = super().clean() or self.cleaned_data
        self.check_hours(cleaned, needed=False)
        on, last, kind = (cleaned.get(name) for name in ("on", "last_on", "kind"))
        if on and last and last < on:
            self.add_error("last_on", "The last day comes before the first.")
        if on and not last and kind != DayKind.SCHOOL_DAY and not is_weekday(on):
            self.add_error("on", f"{on:%A} is no school day as it is.")
        return cleaned

    def wish(self) -> DayWish:
        """What was asked for."""
        data = self.cleaned_data
        return DayWish(
            on=data["on"],
            kind=data["kind"],
            reason=data["reason"],
            school=data.get("school"),
            minutes=data.get("minutes"),
            at=data.get("at"),
        )


class CallForm(HoursOfADay):
    """A day called off its plan: closed, from home, shorter, or open after all."""

    WHOLE, SOME = "district", "schools"

    kind = forms.ChoiceField(
        label="What happens",
        choices=[(kind.value, kind.label) for kind in CALLABLE],
        initial=DayKind.CLOSED.value,
        widget=forms.RadioSelect,
    )
    on = date_field("Date")
    reason = Reason(
        label="Why",
        help_text="Such as “Snow”. Families and everyone at the schools read this.",
        error_messages={"required": "Say why; families will ask."},
    )
    where = forms.ChoiceField(
        label="Where",
        choices=[
            (WHOLE, "The whole district"),
            (SOME, "Only the schools ticked below"),
        ],
        widget=forms.RadioSelect,
    )
    schools = forms.ModelMultipleChoiceField(
        label="Schools",
        queryset=School.objects.none(),
        to_field_name="code",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("kind", "on", "reason", "where", "schools", "minutes", "at")

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        schools: QuerySet[School],
        everywhere: bool,
        today: date,
        chosen: str = "",
    ) -> None:
        """`chosen` is the code of the school whose page the person came from."""
        initial = {
            "on": today,
            "where": self.SOME if chosen or not everywhere else self.WHOLE,
            "schools": [chosen] if chosen else [],
        }
        super().__init__(data, initial=initial)
        pick = self.fields["schools"]
        if isinstance(pick, forms.ModelMultipleChoiceField):
            pick.queryset = schools
        where = self.fields["where"]
        if not everywhere and isinstance(where, forms.ChoiceField):
            where.choices = [(self.SOME, "Only the schools ticked below")]

    def clean(self) -> dict[str, Any]:
        """Hours for a shorter day, and schools unless it is for all."""
        cleaned = super().clean() or self.cleaned_data
        self.check_hours(cleaned, needed=True)
        if cleaned.get("where") == self.SOME and not cleaned.get("schools"):
            self.add_error("schools", "Tick at least one school.")
        return cleaned

    def wish(self) -> DayWish:
        """What was asked for."""
        data = self.cleaned_data
        return DayWish(
            on=data["on"],
            kind=data["kind"],
            reason=data["reason"],
            minutes=data.get("minutes"),
            at=data.get("at"),
        )

    def named(self) -> list[School] | None:
        """The schools ticked, or None for the whole district."""
        data = self.cleaned_data
        return None if data["where"] == self.WHOLE else list(data["schools"])


class BellsForm(forms.Form):
    """A school's bells: the hours of each kind of day, with periods as lines."""

    from_on = date_field("In force from", help_text="Earlier dates keep their bells.")
    tier = forms.CharField(
        label="Start tier",
        max_length=40,
        required=False,
        help_text="The bus tier, such as Tier 1. Schools can be picked by it.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        schedule: BellSchedule | None,
        today: date,
    ) -> None:
        """Filled with `schedule`, if the school has one."""
        initial: dict[str, Any] = {"from_on": today}
        if schedule is not None:
            initial |= {"tier": schedule.tier}
            for pattern in schedule.patterns.all():
                initial[f"{pattern.kind}_starts"] = pattern.starts_at
                initial[f"{pattern.kind}_ends"] = pattern.ends_at
                initial[f"{pattern.kind}_periods"] = "\n".join(
                    f"{one.name} {clock(one.starts_at)}-{clock(one.ends_at)}"
                    for one in pattern.periods.all()
                )
        super().__init__(data, initial=initial)
        for kind in PatternKind:
            needed = kind == PatternKind.REGULAR
            self.fields[f"{kind}_starts"] = time_field(
                f"{kind.label}: students start at", required=needed
            )
            self.fields[f"{kind}_ends"] = time_field(
                f"{kind.label}: students leave at", required=needed
            )
            self.fields[f"{kind}_periods"] = forms.CharField(
                label=f"{kind.label}: periods, one a line",
                required=False,
                max_length=2000,
                widget=forms.Textarea(attrs={"rows": 4 if needed else 2}),
                help_text="Such as “Period 1 07:40-08:30”. May stay empty.",
            )

    def clean(self) -> dict[str, Any]:
        """Both ends of every kind of day that has one, and periods inside it."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["patterns"] = [
            wish
            for kind in PatternKind
            if (wish := self._pattern(cleaned, kind)) is not None
        ]
        return cleaned

    def _pattern(
        self, cleaned: dict[str, Any], kind: PatternKind
    ) -> PatternWish | None:
        starts, ends = cleaned.get(f"{kind}_starts"), cleaned.get(f"{kind}_ends")
        lines = cleaned.get(f"{kind}_periods", "")
        if starts is None and ends is None:
            if lines and kind != PatternKind.REGULAR:
                self.add_error(f"{kind}_starts", "Periods need the hours of the day.")
            return None
        if starts is None or ends is None:
            which = f"{kind}_starts" if starts is None else f"{kind}_ends"
            if which not in self.errors:
                self.add_error(which, "A day needs both its start and its end.")
            return None
        if starts >= ends:
            self.add_error(f"{kind}_ends", "The day ends after it starts.")
            return None
        return PatternWish(kind, starts, ends, self._periods(kind, lines, starts, ends))

    def _periods(
        self, kind: PatternKind, lines: str, starts: time, ends: time
    ) -> tuple[PeriodWish, ...]:
        found: list[PeriodWish] = []
        field = f"{kind}_periods"
        for n, line in enumerate(lines.splitlines(), start=1):
            if not line.strip():
                continue
            try:
                period = period_of(line)
            except ValueError as error:
                self.add_error(field, f"Line {n}: {error}")
                continue
            if period.starts < starts or period.ends > ends:
                self.add_error(
                    field, f"Line {n}: outside {clock(starts)}–{clock(ends)}."
                )
            if found and period.starts < found[-1].ends:
                self.add_error(field, f"Line {n}: begins before line {n - 1} is over.")
            found.append(period)
        return tuple(found)


def period_of(line: str) -> PeriodWish:
    """“Period 1 07:40-08:30” as a period; ValueError in words for the screen."""
    match = PERIOD_LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError("write it like “Period 1 07:40-08:30”.")
    try:
        starts, ends = (
            time.fromisoformat(match[end].zfill(5)) for end in ("starts", "ends")
        )
    except ValueError as error:
        raise ValueError("there is no such time of day.") from error
    if starts >= ends:
        raise ValueError("it ends before it starts.")
    try:
        name = plain(match["name"], 40)
    except CellProblem as problem:
        raise ValueError(f"the name is {problem}.") from problem
    return PeriodWish(name, starts, ends)


class CopyBellsForm(forms.Form):
    """Which schools get the same bells, from when on."""

    from_on = date_field("In force from", help_text="Earlier dates keep their bells.")
    schools = forms.ModelMultipleChoiceField(
        label="Schools",
        queryset=School.objects.none(),
        to_field_name="code",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one school."},
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        schools: QuerySet[School],
        from_on: date,
    ) -> None:
        super().__init__(data, initial={"from_on": from_on})
        pick = self.fields["schools"]
        if isinstance(pick, forms.ModelMultipleChoiceField):
            pick.queryset = schools


class CalendarFileForm(forms.Form):
    """A CSV or iCalendar file with special days, or a CSV with bells."""

    file = forms.FileField(
        label="Calendar file",
        help_text="Special days as .csv or .ics, or bells as .csv; up to 1 MB.",
        widget=forms.FileInput(attrs={"accept": ".csv,.ics,text/calendar"}),
        error_messages={"empty": "The file is empty."},
    )

    def clean_file(self) -> UploadedFile:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE:
            raise forms.ValidationError("The file is larger than 1 MB.")
        return file


def year_initial(year: SchoolYear) -> dict[str, Any]:
    """A year's fields, for its form."""
    return {"name": year.name, "starts_on": year.starts_on, "ends_on": year.ends_on}
