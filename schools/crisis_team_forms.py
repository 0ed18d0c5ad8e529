"""What a person may type about the crisis team; checks, and nothing that writes."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from django import forms
from phonenumber_field.formfields import PhoneNumberField

from schools.actions.crisis_team import MemberFacts, facts_of
from schools.crisis_team_files import MOST_BYTES
from schools.models import (
    LANGUAGES,
    Agency,
    ContactTest,
    PartnerContact,
    School,
    Skill,
    TeamMember,
    User,
    Weekday,
)

ANY = ("", "Any")


class DateInput(forms.DateInput):
    """The browser's own date field, in the form browsers read."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class RosterFilter(forms.Form):
    """Whom the roster shows."""

    skill = forms.ModelChoiceField(
        Skill.objects.all(), to_field_name="key", required=False, empty_label="Any"
    )
    language = forms.ChoiceField(choices=[ANY, *LANGUAGES.items()], required=False)
    near = forms.ModelChoiceField(
        School.objects.none(),
        label="Nearest to",
        to_field_name="code",
        required=False,
        empty_label="Any school",
    )
    when = forms.ChoiceField(
        label="Can come",
        choices=[("", "Everybody on the team"), ("now", "Now"), ("away", "Away today")],
        required=False,
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        near = self.fields["near"]
        if isinstance(near, forms.ModelChoiceField):
            near.queryset = School.objects.open()


class MemberForm(forms.Form):
    """One member, as the roster keeps them."""

    name = forms.CharField(max_length=120)
    mobile = PhoneNumberField(help_text="Texts and calls go here first.")
    second_phone = PhoneNumberField(label="Second number", required=False)
    email = forms.EmailField(required=False)
    user = forms.ModelChoiceField(
        User.objects.none(),
        label="Signs in as",
        required=False,
        empty_label="Does not sign in",
        help_text="They then keep their own hours and absences.",
    )
    agency = forms.ModelChoiceField(
        Agency.objects.all(),
        required=False,
        empty_label="One of ours",
        help_text="For an outside partner.",
    )
    home_school = forms.ModelChoiceField(
        School.objects.none(), required=False, empty_label="None"
    )
    skills = forms.ModelMultipleChoiceField(
        Skill.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )
    languages = forms.MultipleChoiceField(
        choices=[*LANGUAGES.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Languages they can work in.",
    )
    leads = forms.BooleanField(
        label="Leads: is called first and calls others", required=False
    )
    active_from = forms.DateField(label="On the team from", widget=DateInput)
    active_to = forms.DateField(
        label="Last day on the team", required=False, widget=DateInput
    )
    notes = forms.CharField(
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="How to work together. Nothing about anybody’s health.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        member: TeamMember | None,
        today: date,
    ) -> None:
        initial: dict[str, Any] = {"active_from": today}
        if member is not None:
            facts = facts_of(member)
            initial = {name: getattr(facts, name) for name in type(self).base_fields}
        super().__init__(data, initial=initial)
        linked = TeamMember.objects.exclude(user=None)
        if member is not None:
            linked = linked.exclude(pk=member.pk)
        people = User.objects.filter(is_active=True).exclude(
            pk__in=linked.values("user")
        )
        for name, among in (
            ("user", people.order_by("name")),
            ("home_school", School.objects.open()),
        ):
            field = self.fields[name]
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = among

    def clean(self) -> dict[str, Any]:
        """Nobody leaves before joining."""
        cleaned = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("active_from"), cleaned.get("active_to")
        if begins and ends and ends < begins:
            self.add_error("active_to", "The last day is before the first.")
        return cleaned

    def facts(self) -> MemberFacts:
        """What was typed, as the action takes it."""
        data = dict(self.cleaned_data)
        data["mobile"] = str(data["mobile"])
        data["second_phone"] = str(data["second_phone"] or "")
        return MemberFacts(**data)


class HoursForm(forms.Form):
    """The hours of each weekday; both fields empty means not on that day."""

    def __init__(
        self, data: Mapping[str, Any] | None, *, member: TeamMember | None = None
    ) -> None:
        super().__init__(data)
        known = {one.weekday: one for one in member.hours.all()} if member else {}
        for day in Weekday:
            hours = known.get(day)
            for end, word in (("begins", "from"), ("ends", "until")):
                self.fields[f"{day}_{end}"] = forms.TimeField(
                    label=f"{day.label} {word}",
                    required=False,
                    initial=getattr(hours, end) if hours else None,
                    widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
                )

    def clean(self) -> dict[str, Any]:
        """Both ends or neither, in their order."""
        cleaned = super().clean() or self.cleaned_data
        for day in Weekday:
            begins, ends = cleaned.get(f"{day}_begins"), cleaned.get(f"{day}_ends")
            if (begins is None) != (ends is None):
                missing = "begins" if begins is None else "ends"
                if f"{day}_{missing}" not in self.errors:
                    self.add_error(f"{day}_{missing}", "Give both times, or neither.")
            elif begins and ends and ends <= begins:
                self.add_error(f"{day}_ends", "The end is not after the beginning.")
        return cleaned

    def hours(self) -> dict[Weekday, tuple[time, time]]:
        """The days that have hours."""
        return {
            day: (self.cleaned_data[f"{day}_begins"], self.cleaned_data[f"{day}_ends"])
            for day in Weekday
            if self.cleaned_data[f"{day}_begins"] is not None
        }

    def days(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Weekday in words and its two fields."""
        return [
            (day.label, self[f"{day}_begins"], self[f"{day}_ends"]) for day in Weekday
        ]


class AbsenceForm(forms.Form):
    """Days on which somebody cannot be called; nobody asks why."""

    begins_on = forms.DateField(label="First day away", widget=DateInput)
    ends_on = forms.DateField(label="Last day away", widget=DateInput)

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        cleaned = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("begins_on"), cleaned.get("ends_on")
        if begins and ends and ends < begins:
            self.add_error("ends_on", "The last day is before the first.")
        return cleaned


class ContactForm(forms.Form):
    """Somebody we ring at an agency."""

    agency = forms.ModelChoiceField(Agency.objects.all())
    name = forms.CharField(label="Who", max_length=120, help_text="A person or a desk.")
    what_for = forms.CharField(label="What for", max_length=120)
    phone = PhoneNumberField()
    email = forms.EmailField(required=False)
    hours = forms.CharField(
        max_length=80, required=False, help_text="Such as “day and night”."
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, contact: PartnerContact | None = None
    ) -> None:
        initial = {}
        if contact is not None:
            initial = {name: getattr(contact, name) for name in type(self).base_fields}
        super().__init__(data, initial=initial)

    def fields_typed(self) -> dict[str, Any]:
        """What was typed, as the action takes it."""
        return self.cleaned_data | {"phone": str(self.cleaned_data["phone"])}


class TestForm(forms.Form):
    """How a try went: one press, and a note for who wants to leave one."""

    outcome = forms.ChoiceField(choices=ContactTest.Outcome.choices)
    note = forms.CharField(max_length=200, required=False)


class SkillForm(forms.Form):
    """A new skill."""

    name = forms.CharField(label="New skill", max_length=40)


class TeamFileForm(forms.Form):
    """A CSV of members."""

    team = forms.FileField(
        label="CSV file",
        widget=forms.FileInput(attrs={"accept": ".csv"}),
        error_messages={"empty": "The file is empty."},
    )

    def clean_team(self) -> bytes:
        """The file's bytes; a crisis team's roster is small."""
        file = self.cleaned_data["team"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {MOST_BYTES // 1024} KB."
            )
        return file.read()
